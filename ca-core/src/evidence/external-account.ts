/**
 * Names that an ACME gate took without a challenge, because the operator authorised them beforehand for the key of an external
 * account (RFC 8555 §7.3.4). It is the gate's word and proves nothing: it is recorded where no proof is demanded, so that an
 * auditor finds by which key a certificate came about.
 */
import type { Evidence } from '@gatehouse/proto/types';

/** Type of this evidence; its payload is the id of the key in UTF-8. */
export const acmeExternalAccount = 'acme-external-account';

const keyIdForm = /^[A-Za-z0-9._-]{1,64}$/;

/** One line for the audit log, if a gate named such a key. */
export function externalAccountLines(evidence: readonly Pick<Evidence, 'type' | 'payload'>[]): readonly string[] {
  const named = evidence.find(({ type }) => type === acmeExternalAccount);
  if (named === undefined) return [];
  const keyId = Buffer.from(named.payload).toString('latin1');
  return [`${acmeExternalAccount} key=${keyIdForm.test(keyId) ? keyId : 'unreadable'}`];
}
