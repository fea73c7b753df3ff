/**
 * Keys that no requester may have certified: the keep's own, those of RAs, perspectives and operators, and those that
 * were blocked.
 */
import { createPublicKey } from 'node:crypto';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Authorities } from '../authorities/load-authorities.ts';
import type { Keep } from '../keep.ts';
import { isKeyBlocked } from '../store/blocked-keys.ts';
import { isCredentialKey } from '../store/certificates.ts';

/** Fingerprints (hexadecimal SHA-256 of the SubjectPublicKeyInfo) of the keep's own keys: its CAs' and its audit log's. */
export function ownKeyFingerprints({
  root,
  issuing,
  service,
  auditKey,
}: Omit<Authorities, 'rootCrl'>): ReadonlySet<string> {
  const keys = [root, issuing.certificate, service.certificate].map((certificate) => certificate.subjectPublicKeyInfo);
  keys.push(createPublicKey(auditKey).export({ type: 'spki', format: 'der' }));
  return new Set(keys.map((key) => Buffer.from(publicKeyFingerprint(key)).toString('hex')));
}

/** Throws CoreError `bad-key` for a key that may not be certified. @param fingerprint SHA-256 of the SubjectPublicKeyInfo */
export function refuseForbiddenKey(keep: Keep, fingerprint: Uint8Array): void {
  // RFC 9483 §4.1: a key of the CA or of an RA as subject key would let one role speak as another.
  if (keep.ownKeys.has(Buffer.from(fingerprint).toString('hex'))) {
    throw new CoreError('bad-key', 'the key belongs to the CA');
  }
  if (isCredentialKey(keep.store, fingerprint)) {
    throw new CoreError('bad-key', 'the key belongs to a registration authority or an operator');
  }
  // BR §3.2.2.9: what the holder of such a key signs elsewhere must never pass for a statement, nor the other way round.
  if (keep.registry.isSigningKey(fingerprint)) {
    throw new CoreError('bad-key', 'the key signs statements of a perspective or a gate');
  }
  // RFC 5280 §5.3.1 keyCompromise: a key that was lost is never certified again.
  if (isKeyBlocked(keep.store, fingerprint)) throw new CoreError('bad-key', 'the key is blocked');
}
