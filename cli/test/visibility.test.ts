// How soon a revocation is visible to relying parties: measured with a real core and a real gate, from the answer to Revoke.
// The figures are printed, and judged by people; the test fails only when a revocation does not become visible at all.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { readCrlDistributionPoints } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { newSentRequest, untilAnswered } from './faults/support/enrollment-load.ts';
import { stop } from './faults/support/processes.ts';
import { missingOn, readVerifiedCrl } from './faults/support/relying-party.ts';
import { revokeAll } from './faults/support/revocations.ts';
import { newStatusSite } from './faults/support/status-site.ts';
import { until } from './faults/support/until.ts';

const revocations = 20;

/** The one distribution point of a certificate. */
function distributionPointOf(der: Uint8Array): string {
  const extension = extensionOf(readCertificate(der), extensionIds.crlDistributionPoints);
  const [url] = readCrlDistributionPoints(extension?.value ?? assert.fail('the certificate names no CRL'));
  return url ?? assert.fail('the certificate names no CRL');
}

function describeDelays(delays: readonly number[]): string {
  const sorted = delays.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return `median ${median.toFixed(0)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms`;
}

describe('a revocation', () => {
  test('becomes visible in OCSP and on the CRL that the certificate names', async (context) => {
    const site = await newStatusSite(context);
    const { relyingParty } = site;
    const core = await site.startCore();
    const gate = await site.startGate();
    const client = site.connect();
    const issued = await Promise.all(
      Array.from({ length: revocations }, () => untilAnswered(client, newSentRequest())),
    );
    const delays = { ocsp: [] as number[], crl: [] as number[] };
    for (const { serialNumber, certificate } of issued) {
      const url = distributionPointOf(certificate);
      await until('OCSP says that it is good', async () => (await relyingParty.ocsp(serialNumber)).kind === 'good');
      await revokeAll(client, [serialNumber]);
      const answeredAt = performance.now();
      const isListed = async (): Promise<boolean> => {
        const answer = await fetch(url);
        const crl = readVerifiedCrl(Buffer.from(await answer.arrayBuffer()), relyingParty.issuer);
        return missingOn(crl, [serialNumber]).length === 0;
      };
      await Promise.all([
        until(
          'OCSP says that it is revoked',
          async () => (await relyingParty.ocsp(serialNumber)).kind === 'revoked',
        ).then(() => delays.ocsp.push(performance.now() - answeredAt)),
        until(`${url} lists it`, isListed).then(() => delays.crl.push(performance.now() - answeredAt)),
      ]);
    }
    context.diagnostic(`OCSP: ${describeDelays(delays.ocsp)}; CRL: ${describeDelays(delays.crl)}`);
    await stop(gate);
    await stop(core);
  });
});
