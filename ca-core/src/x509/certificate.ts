// A TBSCertificate and its signature put together, and the second look before anything leaves the keep (CORE.md, step 8):
// what was signed is what was meant, OpenSSL can read it, and the issuer's key verifies it. A certificate must never be
// recorded or released without that look.
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { DerCursor, DerError, readBitString, tags } from '@gatehouse/pkix/der/reader';
import { bitString, sequence } from '@gatehouse/pkix/der/writer';
import {
  readAlgorithmIdentifier,
  type SignatureToVerify,
  type Verification,
  verifySignature,
  verifySignatureAsync,
} from '@gatehouse/pkix/signature-algorithms';
import { CoreError } from '@gatehouse/proto/core-error';

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }, RFC 5280 §4.1. All arguments DER but the signature. */
export function assembleCertificate(
  tbs: Uint8Array,
  signatureAlgorithm: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  return sequence(tbs, signatureAlgorithm, bitString(signature));
}

/** A certificate and what it was meant to be. */
export type IssuedFacts = {
  readonly certificate: Uint8Array;
  /** The TBSCertificate that was intended. */
  readonly tbs: Uint8Array;
  /** The issuer's certificate; only its key is used. Pass the same object each time: its key is made once. */
  readonly issuer: { readonly subjectPublicKeyInfo: Uint8Array };
};

/**
 * Checks a certificate that was just signed.
 *
 * @param isOnThreadPool verifies the signature beside this thread: slower for one, faster for many at once
 * @throws {CoreError} `internal` when it is not what was intended; the certificate must then be forgotten
 */
export async function checkIssued(facts: IssuedFacts, isOnThreadPool = false): Promise<void> {
  const signature = compareIssued(facts);
  refuseUnverified(isOnThreadPool ? await verifySignatureAsync(signature) : verifySignature(signature));
}

/** {@link checkIssued} at once, on this thread. */
export function checkIssuedSync(facts: IssuedFacts): void {
  refuseUnverified(verifySignature(compareIssued(facts)));
}

function refuseUnverified(verification: Verification): void {
  if (!verification.ok) throw wrong(`the issuer's key does not verify it: ${verification.reason}`);
}

/** Compares octets, lets OpenSSL read the certificate, and gives the signature that is left to verify. */
function compareIssued({ certificate, tbs, issuer }: IssuedFacts): SignatureToVerify {
  const { signedTbs, innerAlgorithm, outerAlgorithm, signature } = takeApart(certificate);
  if (Buffer.compare(signedTbs, tbs) !== 0) throw wrong('its TBSCertificate is not the intended one');
  // RFC 5280 §4.1.1.2: both fields must hold the same identifier.
  if (Buffer.compare(innerAlgorithm, outerAlgorithm) !== 0) throw wrong('its two signature algorithms differ');
  try {
    new X509Certificate(certificate);
  } catch (cause) {
    throw wrong('OpenSSL cannot read it', cause);
  }
  return {
    algorithm: readAlgorithmIdentifier(outerAlgorithm),
    spki: issuer.subjectPublicKeyInfo,
    key: publicKeyOf(issuer),
    data: tbs,
    signature,
  };
}

function takeApart(certificate: Uint8Array) {
  try {
    const file = new DerCursor(certificate);
    const fields = file.enter(tags.sequence);
    file.expectEnd();
    const tbsElement = fields.read(tags.sequence);
    const outerAlgorithm = fields.read(tags.sequence).raw;
    const signature = readBitString(fields.read(tags.bitString)).bytes;
    fields.expectEnd();
    const tbsFields = new DerCursor(tbsElement.contents);
    tbsFields.skip(0xa0);
    tbsFields.skip(tags.integer);
    return { signedTbs: tbsElement.raw, innerAlgorithm: tbsFields.read(tags.sequence).raw, outerAlgorithm, signature };
  } catch (cause) {
    if (cause instanceof DerError) throw wrong(`it is not DER: ${cause.detail}`, cause);
    throw cause;
  }
}

const publicKeys = new WeakMap<object, KeyObject>();

function publicKeyOf(issuer: IssuedFacts['issuer']): KeyObject {
  const known = publicKeys.get(issuer);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.from(issuer.subjectPublicKeyInfo), format: 'der', type: 'spki' });
  publicKeys.set(issuer, key);
  return key;
}

function wrong(what: string, cause?: unknown): CoreError {
  const detail = 'the certificate that was signed is not the one that was intended';
  return new CoreError('internal', detail, { cause: new Error(what, cause === undefined ? undefined : { cause }) });
}
