// The delegated OCSP responder on the disk: its key, encrypted, and its certificate. The files only spare a new responder
// at each start: whatever is wrong with them is a reason to make another one, never to stop, and never to go on with
// what is there.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { type Certificate, extensionOf } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { readExtendedKeyUsage } from '@gatehouse/pkix/extensions';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { SignerError } from '../keys/signer.ts';
import { loadEncryptedKey, saveEncryptedKey } from '../keys/software-key.ts';
import { createSoftwareSigner } from '../keys/software-signer.ts';
import { checkIssuedBy } from './check-authority.ts';
import { ocspResponderFiles } from './files.ts';
import { readAuthorityCertificate } from './read-authority-certificate.ts';

/** What the files hold. */
export type LoadedResponder =
  | { readonly kind: 'missing' }
  /** Why it cannot be used. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** Key and certificate that belong together, and to the issuer. */
  | { readonly kind: 'loaded'; readonly key: KeyObject; readonly certificate: Certificate };

/** Reads what {@link saveResponder} wrote. Whether its time has come is not judged here. */
export function loadResponder(directory: string, passphrase: string, issuer: Certificate): LoadedResponder {
  const files = ocspResponderFiles(directory);
  if (!existsSync(files.certificate)) return { kind: 'missing' };
  try {
    const certificate = readAuthorityCertificate(files.certificate);
    // RFC 6960 §4.2.2.2: issued directly by the CA whose certificates it answers for.
    checkIssuedBy(certificate, files.certificate, issuer, 'the issuing CA');
    if (!mayAnswer(certificate)) return { kind: 'unusable', reason: `${files.certificate} is not for OCSPSigning` };
    const key = loadEncryptedKey(files.key, passphrase);
    if (!isKeyOf(key, certificate)) {
      return { kind: 'unusable', reason: `${files.key} does not belong to ${files.certificate}` };
    }
    createSoftwareSigner(key).selfTestSync();
    return { kind: 'loaded', key, certificate };
  } catch (error) {
    if (error instanceof FatalError || error instanceof SignerError) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

/**
 * Writes key and certificate in place of those that are there. A stop between the two leaves a pair that does not fit,
 * which is never loaded.
 *
 * @throws {FatalError} when they cannot be written
 */
export function saveResponder(directory: string, passphrase: string, key: KeyObject, certificate: Certificate): void {
  const files = ocspResponderFiles(directory);
  try {
    mkdirSync(files.folder, { recursive: true, mode: 0o700 });
    rmSync(files.certificate, { force: true });
    rmSync(files.key, { force: true });
  } catch (cause) {
    throw new FatalError(`cannot write to ${files.folder}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'check the owner of the folder, and that the disk is not full',
      cause,
    });
  }
  saveEncryptedKey(files.key, key, passphrase);
  writeFileAtomic(files.certificate, encodePem('CERTIFICATE', certificate.der), 0o644);
}

function mayAnswer(certificate: Certificate): boolean {
  const purposes = extensionOf(certificate, extensionIds.extendedKeyUsage);
  try {
    return purposes !== undefined && readExtendedKeyUsage(purposes.value).includes(keyPurposes.OCSPSigning);
  } catch (error) {
    if (error instanceof PkixError) return false;
    throw error;
  }
}

function isKeyOf(key: KeyObject, certificate: Certificate): boolean {
  const subjectPublicKeyInfo = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return Buffer.compare(subjectPublicKeyInfo, certificate.subjectPublicKeyInfo) === 0;
}
