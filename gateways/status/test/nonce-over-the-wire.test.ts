// A keep that answers nonces, RFC 9654, and that says of serial numbers that were never issued what RFC 6960 §2.2 allows.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import { type Stack, startStack } from './support/stack.ts';

let stack: Stack;

before(async () => {
  stack = await startStack([
    'core.status.issuing.ocsp.nonce=sign',
    'core.status.issuing.ocsp.nonIssued=revoked',
    'core.status.issuing.ocsp.liveSignaturesPerSecond=20',
  ]);
});

after(() => stack.stop());

async function ask(serialNumber: string, nonce?: Uint8Array) {
  const certificateIds = [writeCertificateId('sha256', stack.issuing, serialNumber)];
  const answer = await fetch(stack.status.ocsp, {
    method: 'POST',
    headers: { 'content-type': 'application/ocsp-request' },
    body: Buffer.from(writeOcspRequest({ certificateIds, nonce })),
  });
  assert.equal(answer.status, 200);
  const response = readOcspResponse(new Uint8Array(await answer.arrayBuffer()));
  return { response, cacheControl: answer.headers.get('cache-control') };
}

describe('RFC 9654: nonces that are answered', () => {
  it('come back in an answer that was signed for this request, and that nobody keeps', async () => {
    const { serialNumber } = await stack.enroll();
    const nonce = randomBytes(32);
    const { response, cacheControl } = await ask(serialNumber, nonce);
    const verdict = verifyOcspResponse(response, { issuer: stack.issuing, now: new Date() });
    assert.ok(verdict.ok && response.status === 'successful');
    assert.deepEqual(Buffer.from(response.nonce ?? []), nonce);
    assert.equal(response.singles[0]?.status.kind, 'good');
    assert.equal(cacheControl, 'no-store');
  });

  it('beyond the rate of the keep are tryLater, and what is signed already goes on', async () => {
    const { serialNumber } = await stack.enroll();
    for (;;) {
      const { response } = await ask(serialNumber);
      if (response.status === 'successful' && response.nonce === undefined) break;
    }
    const outcomes = new Set<string>();
    while (!outcomes.has('tryLater')) outcomes.add((await ask(serialNumber, randomBytes(16))).response.status);
    assert.equal((await ask(serialNumber)).response.status, 'successful');
  });
});

describe('RFC 6960 §2.2: extended revoke', () => {
  it('says revoked of a serial number that was never issued', async () => {
    for (;;) {
      const { response } = await ask('0123456789');
      if (response.status === 'tryLater') continue;
      assert.ok(response.status === 'successful');
      assert.equal(response.singles[0]?.status.kind, 'revoked');
      break;
    }
  });
});
