// What a core has on record, read as an operator reads it: certificates and the audit chain.

import assert from 'node:assert/strict';
import type { CoreClient } from '@gatehouse/ra-client/client';

/** What is on record. */
export type Ledger = {
  /** DER in hexadecimal by serial number. */
  readonly certificates: ReadonlyMap<string, string>;
  /** How many audit events say that the certificate was issued, by serial number. */
  readonly issued: ReadonlyMap<string, number>;
  /** Records in the chain, all of which hold. */
  readonly records: number;
};

/** Many records take their time on a busy machine. */
const patience = { timeoutMs: 60_000 };

/** Reads the certificates that an RA enrolled, and the chain; fails when the chain does not hold. */
export async function readLedger(operator: CoreClient, registrationAuthority: string): Promise<Ledger> {
  const certificates = new Map<string, string>();
  const found = operator.findCertificates({ registrationAuthority, profile: 'tls-server', limit: 10_000 }, patience);
  for await (const { serialNumber, certificate } of found) {
    assert.ok(!certificates.has(serialNumber), `${serialNumber} is listed twice`);
    certificates.set(serialNumber, certificate.toString('hex'));
  }
  const issued = new Map<string, number>();
  const events = operator.administration.listAuditEvents({ isEverything: true }, patience);
  for await (const event of events) {
    if (event.action !== 'certificate-issued' || event.registrationAuthority !== registrationAuthority) continue;
    if (event.profile !== 'tls-server') continue;
    issued.set(event.serialNumber, (issued.get(event.serialNumber) ?? 0) + 1);
  }
  const { records, firstBreak } = await operator.administration.verifyAudit(patience);
  assert.equal(firstBreak, undefined, `the audit chain is broken: ${JSON.stringify(firstBreak)}`);
  return { certificates, issued, records };
}

/** Every certificate that a client holds is on record, as it is, once; every one on record is in the chain once. */
export function assertRecordedOnce(
  ledger: Ledger,
  received: readonly { serialNumber: string; der: Uint8Array }[],
): void {
  for (const { serialNumber, der } of received) {
    assert.equal(
      ledger.certificates.get(serialNumber),
      Buffer.from(der).toString('hex'),
      `${serialNumber} is not stored`,
    );
    assert.equal(ledger.issued.get(serialNumber), 1, `${serialNumber} in the audit chain`);
  }
  assert.deepEqual(
    [...ledger.issued].filter(([serialNumber, count]) => count !== 1 || !ledger.certificates.has(serialNumber)),
    [],
  );
  assert.equal(ledger.issued.size, ledger.certificates.size);
}
