/**
 * The key for which a credential of the bridge is asked: proved, of good quality, and no other role's. Subject and names
 * of the request are ignored, because who the holder is, is decided by the credential or token that it shows.
 */
import { CertificationRequestError, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { describePublicKey, PublicKeyError, publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { CoreError } from '@gatehouse/proto/core-error';
import { refuseForbiddenKey } from '../enrollment/forbidden-keys.ts';
import { checkKeyQuality } from '../enrollment/key-quality.ts';
import { ProofOfPossessionError } from '../enrollment/subject-key.ts';
import type { Keep } from '../keep.ts';
import type { Profile } from '../profiles/profile.ts';
import { credentialProfile } from '../registry/credential.ts';

/** The profile whose key rules and validity credentials follow. */
export function credentialRules(keep: Keep): Profile {
  const issuingProfile = keep.profiles.get(credentialProfile);
  if (issuingProfile === undefined) throw new Error(`the built-in profile ${credentialProfile} is missing`);
  return issuingProfile.profile;
}

/** SubjectPublicKeyInfo of a PKCS#10 whose key may be in a credential. Throws CoreError `malformed`, `bad-csr`, `bad-key`. */
export function readProvenKey(keep: Keep, certificationRequest: Uint8Array): Uint8Array {
  try {
    const request = readCertificationRequest(certificationRequest);
    checkKeyQuality(describePublicKey(request.subjectPublicKeyInfo), credentialRules(keep).keys);
    const proof = verifySignature({
      algorithm: request.signatureAlgorithm,
      spki: request.subjectPublicKeyInfo,
      data: request.info,
      signature: request.signature,
    });
    if (!proof.ok) throw new ProofOfPossessionError(proof.reason);
    // A fresh key each time: a renewal that keeps the key would keep whatever happened to it.
    refuseForbiddenKey(keep, publicKeyFingerprint(request.subjectPublicKeyInfo));
    return request.subjectPublicKeyInfo;
  } catch (error) {
    if (error instanceof CertificationRequestError) throw new CoreError(error.code, error.detail, { cause: error });
    if (error instanceof PublicKeyError) throw new CoreError('bad-key', error.detail, { cause: error });
    throw error;
  }
}
