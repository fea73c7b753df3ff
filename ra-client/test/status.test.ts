import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { GetCrlRequest, GetOcspResponsesRequest } from '@gatehouse/proto/certificate-status';
import { connectCore } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import type { StatusClient } from '@gatehouse/ra-client/status';
import { crlFacts, crlParts } from './support/status-messages.ts';
import { type Answer, createServiceAuthority, silentLog, startTestCore } from './support/test-core.ts';

const authority = createServiceAuthority();
const octets = randomBytes(100_000);

async function withCore(
  answers: Readonly<Record<string, Answer>>,
  body: (status: StatusClient, directory: string) => Promise<void>,
): Promise<void> {
  const core = await startTestCore(authority, answers);
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-status-'));
  const client = connectCore({
    addresses: [core.address],
    credential: holdCredential(authority.credential('ra/status')),
    log: silentLog,
    renewsCredential: false,
    timeoutMs: 60_000,
  });
  try {
    await body(client.status, directory);
  } finally {
    await client.close(0);
    core.stop();
    rmSync(directory, { recursive: true });
  }
}

describe('ARCHITECTURE §3: GetCrl', () => {
  it('streams a CRL into a file and gives its facts', async () => {
    let asked: GetCrlRequest | undefined;
    const getCrl = (request: GetCrlRequest) => {
      asked = request;
      return crlParts(crlFacts(octets), octets);
    };
    await withCore({ getCrl }, async (status, directory) => {
      const facts = await status.getCrl('issuing-1', false, join(directory, 'x.crl'));
      assert.deepEqual(asked, { scope: 'issuing-1', isDelta: false });
      assert.deepEqual(readFileSync(join(directory, 'x.crl')), octets);
      assert.equal(facts.crlNumber, 7);
      assert.equal(facts.baseCrlNumber, undefined);
      assert.deepEqual(facts.nextUpdate, new Date('2026-01-04T00:00:00Z'));
    });
  });

  it('gives the base of a delta', async () => {
    const facts = crlFacts(octets, { isDelta: true, baseCrlNumber: 5 });
    await withCore({ getCrl: () => crlParts(facts, octets) }, async (status, directory) => {
      assert.equal((await status.getCrl('issuing-1', true, join(directory, 'x.crl'))).baseCrlNumber, 5);
    });
  });

  const [factsPart, ...octetParts] = crlParts(crlFacts(octets), octets);
  assert.ok(factsPart !== undefined);
  for (const [what, parts, detail] of [
    ['nothing', [], /nothing came/],
    ['only the facts', [factsPart], /0 octets of 100000/],
    ['a part too few', [factsPart, ...octetParts.slice(1)], /99000 octets of 100000/],
    ['a part too many', [factsPart, ...octetParts, ...octetParts.slice(0, 1)], /more than 100000/],
    ['octets before the facts', [...octetParts.slice(0, 1), factsPart], /out of order/],
    ['facts twice', [factsPart, factsPart], /out of order/],
    ['parts in another order', [factsPart, ...octetParts.toReversed()], /SHA-256/],
    ['another scope', crlParts(crlFacts(octets, { scope: 'root' }), octets), /another one/],
    ['a delta where none was asked for', crlParts(crlFacts(octets, { isDelta: true }), octets), /another one/],
    ['facts without times', crlParts(crlFacts(octets, { nextUpdate: undefined }), octets), /incomplete/],
    ['facts without a hash', crlParts(crlFacts(octets, { sha256: Buffer.alloc(0) }), octets), /incomplete/],
  ] as const) {
    it(`refuses ${what}, and leaves no file`, async () => {
      await withCore({ getCrl: () => parts }, async (status, directory) => {
        const file = join(directory, 'x.crl');
        await assert.rejects(status.getCrl('issuing-1', false, file), (error: CoreError) => {
          assert.equal(error.code, 'internal');
          assert.match(error.detail, detail);
          return true;
        });
        assert.equal(existsSync(file), false);
      });
    });
  }

  it('tells the error of the core, and leaves no file', async () => {
    const getCrl = () => {
      throw new CoreError('not-found', 'there is no such CRL');
    };
    await withCore({ getCrl }, async (status, directory) => {
      await assert.rejects(status.getCrl('x', false, join(directory, 'x.crl')), { code: 'not-found' });
      assert.equal(existsSync(join(directory, 'x.crl')), false);
    });
  });
});

describe('ARCHITECTURE §3: GetOcspResponses', () => {
  it('carries the queries, and gives the answers in their order', async () => {
    let seen: GetOcspResponsesRequest | undefined;
    const thisUpdate = new Date('2026-01-01T00:00:00Z');
    const nextUpdate = new Date('2026-01-02T00:00:00Z');
    const getOcspResponses = (request: GetOcspResponsesRequest) => {
      seen = request;
      return {
        responses: [
          { response: Buffer.from('signed'), thisUpdate, nextUpdate },
          { response: Buffer.from('not signed'), thisUpdate: undefined, nextUpdate: undefined },
        ],
      };
    };
    await withCore({ getOcspResponses }, async (status) => {
      const certificateIds = [Buffer.from('id')];
      const answers = await status.getOcspResponses([{ certificateIds, nonce: Buffer.from('n') }, { certificateIds }]);
      assert.deepEqual(seen, {
        queries: [
          { certificateIds, nonce: Buffer.from('n') },
          { certificateIds, nonce: Buffer.alloc(0) },
        ],
      });
      assert.deepEqual(answers, [
        { response: Buffer.from('signed'), validity: { thisUpdate, nextUpdate } },
        { response: Buffer.from('not signed'), validity: undefined },
      ]);
    });
  });

  it('asks once when it is told not to wait for a core that cannot answer', async () => {
    let calls = 0;
    const getOcspResponses = () => {
      calls++;
      throw new CoreError('unavailable', 'not now');
    };
    await withCore({ getOcspResponses }, async (status) => {
      const query = { certificateIds: [Buffer.from('id')] };
      await assert.rejects(status.getOcspResponses([query], { retryWindowMs: 0 }), { code: 'unavailable' });
      assert.equal(calls, 1);
    });
  });

  it('refuses fewer answers than queries', async () => {
    await withCore({ getOcspResponses: () => ({ responses: [] }) }, async (status) => {
      await assert.rejects(status.getOcspResponses([{ certificateIds: [Buffer.from('id')] }]), { code: 'internal' });
    });
  });
});
