// Settings of published status that a core has not by itself: nonces, extended revoke, archive cutoff, and no base URL.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { ocspIds } from '@gatehouse/pkix/object-identifiers';
import { writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import type { GetOcspResponsesResponse, Publication } from '@gatehouse/proto/certificate-status';
import { createManualClock } from '@gatehouse/runtime/clock';
import { authoritiesOf } from '../support/credentials.ts';
import { certificationRequest, enrollRequest, issue, refused } from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';
import {
  changeStatus,
  connectStatusGate,
  entriesOf,
  fetchCrl,
  followStatus,
  readSuccessful,
} from '../support/status.ts';

const ocsp = 'core.status.issuing.ocsp';
const clock = createManualClock(new Date());
const core = await startTestCore([`${ocsp}.nonce=sign`, `${ocsp}.nonIssued=revoked`, `${ocsp}.archiveCutoff=365d`], {
  clock,
});
after(() => core.stop());
const gate = await connectStatusGate(core);
const follower = followStatus(gate.status);
const { issuing } = authoritiesOf(core.directory);

async function obtain(): Promise<string> {
  return (await issue(gate.authority, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] }))))
    .serialNumber;
}

async function ask(serialNumber: string, nonce = Buffer.alloc(0)) {
  const certificateIds = [Buffer.from(writeCertificateId('sha1', issuing.certificate, serialNumber))];
  const { responses } = await unary<GetOcspResponsesResponse>((callback) =>
    gate.status.getOcspResponses({ queries: [{ certificateIds, nonce }] }, callback),
  );
  const contents = readSuccessful(responses[0]?.response ?? Buffer.alloc(0));
  const verification = verifyOcspResponse(contents, { issuer: issuing.certificate, now: clock.now() });
  assert.ok(verification.ok);
  const [single] = contents.singles;
  assert.ok(single);
  return { contents, single };
}

describe('RFC 9654: a nonce', () => {
  it('is answered octet for octet', async () => {
    const nonce = randomBytes(32);
    const { contents, single } = await ask(await obtain(), nonce);
    assert.deepEqual(Buffer.from(contents.nonce ?? []), nonce);
    assert.equal(single.status.kind, 'good');
  });

  it('is said to be answered in the publication', async () => {
    const { issuers } = await unary<Publication>((callback) => gate.status.getPublication({}, callback));
    assert.equal(issuers.find(({ name }) => name === 'issuing')?.answersNonce, true);
  });
});

describe('RFC 6960 §2.2 and §4.4.8: extended revoke', () => {
  it('says of a certificate that was never issued that it is on hold since 1970, and that this is meant', async () => {
    const { contents, single } = await ask(`4a01${randomBytes(16).toString('hex')}`);
    assert.deepEqual(single.status, { kind: 'revoked', at: new Date(0), reason: 6 });
    assert.ok(contents.extensions.some(({ id }) => id === ocspIds.extendedRevoke));
  });
});

describe('RFC 6960 §4.4.4: archive cutoff', () => {
  it('is in every response', async () => {
    const serialNumber = await obtain();
    await follower.until(({ responses }) => responses.has(serialNumber));
    const [advance] = readSuccessful(follower.ocspResponse(serialNumber)).singles;
    const { single: live } = await ask(serialNumber);
    for (const single of [advance, live]) {
      assert.equal(single?.archiveCutoff?.getTime(), (single?.thisUpdate.getTime() ?? 0) - 365 * 86_400_000);
    }
  });
});

describe('without a base URL', () => {
  it('there is the complete CRL, without locations, and it shows what was revoked', async () => {
    const { scopes } = await unary<Publication>((callback) => gate.status.getPublication({}, callback));
    assert.deepEqual(
      scopes.map(({ name }) => name),
      ['issuing', 'root'],
    );
    const serialNumber = await obtain();
    await changeStatus(gate.authority, serialNumber);
    await follower.until(({ crls }) => crls.get('issuing')?.entries === 1 && crls.get('issuing-delta')?.entries === 1);
    const { crl } = await fetchCrl(gate.status, 'issuing');
    assert.deepEqual(entriesOf(crl), { [serialNumber]: 4 });
    assert.deepEqual([crl.issuingDistributionPoint, crl.freshestCrl], [undefined, []]);
    await refused(fetchCrl(gate.status, 'issuing-1'), 'not-found');
  });
});
