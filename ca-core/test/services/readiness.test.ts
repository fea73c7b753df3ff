// When the core says that it is not ready, and that it says why: what cannot be written, signed or sealed.
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import type { AuditSeals } from '../../src/audit/seal.ts';
import { type Signer, SignerError } from '../../src/keys/signer.ts';
import { coreReadiness, type ReadinessOptions } from '../../src/readiness.ts';
import { openTestKeep } from '../support/keep.ts';

const token = { selfTest: (signer: Signer) => signer.selfTest(), tests: 0 };
const { keep, clock, close } = await openTestKeep((signer) => ({
  ...signer,
  selfTest: () => {
    token.tests += 1;
    return token.selfTest(signer);
  },
}));
after(close);
const works = token.selfTest;
const nothing = async () => undefined;
const seals: AuditSeals = { seal: nothing, lag: () => 0, problem: () => undefined, close: nothing };
const sound: ReadinessOptions = {
  keep,
  seals,
  status: { problems: () => [] },
  directory: tmpdir(),
  reserveMegabytes: 0,
};

const failure = { code: 'disk-full', detail: 'the disk that holds the database is full', at: clock.now() } as const;
const broken: Readonly<Record<string, readonly [Partial<ReadinessOptions>, RegExp]>> = {
  database: [{ keep: { ...keep, store: { ...keep.store, probe: async () => failure } } }, /full/],
  'disk-space': [{ reserveMegabytes: Number.MAX_SAFE_INTEGER }, /kept free/],
  crl: [{ status: { problems: () => [{ check: 'crl', detail: 'the CRL issuing was not replaced' }] } }, /issuing/],
  audit: [{ seals: { ...seals, problem: () => 'the audit log cannot be sealed' } }, /sealed/],
};

describe('readiness', () => {
  it('has no problem when everything works', async () => {
    assert.deepEqual(await coreReadiness(sound)(), []);
  });

  for (const [check, [changes, detail]] of Object.entries(broken)) {
    it(`names ${check}`, async () => {
      const [problem, ...more] = await coreReadiness({ ...sound, ...changes })();
      assert.deepEqual([problem?.check, more], [check, []]);
      assert.match(problem?.detail ?? '', detail);
    });
  }

  it('names several at once', async () => {
    const options = { ...sound, ...broken['disk-space']?.[0], ...broken.audit?.[0] };
    const checks = (await coreReadiness(options)()).map(({ check }) => check);
    assert.deepEqual(checks.sort(), ['audit', 'disk-space']);
  });

  it('names a signer that does not sign, until it does again', async () => {
    const check = coreReadiness(sound);
    token.selfTest = () => Promise.reject(new SignerError('the token was pulled out'));
    for (let again = 0; again < 2; again++) {
      const [problem] = await check();
      assert.deepEqual([problem?.check, problem?.detail], ['signer', 'the key of the issuing CA does not sign']);
    }
    token.selfTest = works;
    assert.deepEqual(await check(), []);
  });

  it('tests signers once a minute, however often it is asked', async () => {
    const check = coreReadiness(sound);
    await check();
    const { tests } = token;
    await check();
    assert.equal(token.tests, tests);
    clock.advance(60_000);
    await check();
    assert.equal(token.tests, tests + 1);
  });
});
