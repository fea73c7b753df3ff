/** Word of the keys with which a hierarchy began, and of their tests at each start, for the audit log. */
import { createPublicKey } from 'node:crypto';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import type { AuditEventDraft } from '../audit/event.ts';
import type { Authorities } from './load-authorities.ts';

/** One event for each key that was generated. @param actor URI of the core */
export function keysGenerated({ root, issuing, service, auditKey }: Authorities, actor: string): AuditEventDraft[] {
  const keys: readonly (readonly [string, Uint8Array])[] = [
    ['root', root.subjectPublicKeyInfo],
    ['issuing', issuing.certificate.subjectPublicKeyInfo],
    ['service', service.certificate.subjectPublicKeyInfo],
    ['audit', createPublicKey(auditKey).export({ type: 'spki', format: 'der' })],
  ];
  return keys.map(([key, subjectPublicKeyInfo]) => ({
    action: 'key-generated',
    actor,
    outcome: 'success',
    body: { key, fingerprint: Buffer.from(publicKeyFingerprint(subjectPublicKeyInfo)).toString('hex') },
  }));
}

/** One event for each signer of the running core: loading it has tested it. @param actor URI of the core */
export function signersTested({ issuing, service }: Authorities, actor: string): AuditEventDraft[] {
  return [issuing, service].map(({ name, signer }) => ({
    action: 'self-test',
    actor,
    outcome: 'success',
    body: { key: name, fingerprint: signer.keyFingerprint, algorithm: signer.algorithm },
  }));
}
