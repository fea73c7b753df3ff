// mpic.md §3 as a property: over random heaps of true, false and misplaced statements, a name is certified exactly when one
// attempt has a quorum of true ones.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CoreError } from '@gatehouse/proto/core-error';
import fc from 'fast-check';
import { bindValidation } from '../../src/evidence/validation.ts';
import { verifyValidation } from '../../src/evidence/verify-validation.ts';
import { builtin } from '../profiles/profile-file.ts';
import { enrollmentOf, newAccount, openWorkshop, type Signatory, signStatement, statementPayload } from './workshop.ts';

const everybody = ['dublin', 'ohio', 'saopaulo', 'tokyo'] as const;
const workshop = await openWorkshop(everybody, {
  validation: {
    policies: { own: { remotes: 4, corroborations: 3, caa: 'off', dnssec: 'off' } },
    profiles: { 'tls-server-validated': { policy: 'own' } },
  },
});
after(() => workshop.close());
const { keep, clock, perspectives, primary } = workshop;
const validation = bindValidation(builtin('tls-server-validated'), keep.validation);
const [account, stranger] = [newAccount(), newAccount()];
const now = clock.now();
const minuteMs = 60_000;

/** One statement of a heap: what is as it should be, and what is not. */
const statement = fc.record({
  who: fc.constantFrom(...everybody, 'primary'),
  attempt: fc.constantFrom('attempt-a-00000000000000', 'attempt-b-00000000000000'),
  flaw: fc.oneof(
    { weight: 6, arbitrary: fc.constant('none' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'forged',
        'failed',
        'stranger',
        'name',
        'old',
        'key',
        'site',
        'list',
        'method',
        'caa',
        'token',
        'wildcard',
      ),
    },
  ),
});
type Drawn = typeof statement extends fc.Arbitrary<infer T> ? T : never;

function make({ who, attempt, flaw }: Drawn): Buffer {
  const signatory = who === 'primary' ? primary : perspectives[who];
  assert.ok(signatory);
  const other = perspectives[who === 'dublin' ? 'ohio' : 'dublin'];
  assert.ok(other);
  const payload = statementPayload(signatory, {
    account: flaw === 'stranger' ? stranger : account,
    name: flaw === 'name' ? 'b.example' : flaw === 'wildcard' ? '*.a.example' : 'a.example',
    attempt,
    check: flaw === 'caa' ? 'caa' : 'dcv',
    method: flaw === 'method' ? 'tls-alpn-01' : 'http-01',
    perspectives: flaw === 'list' ? [...everybody, 'zurich'] : everybody,
    token: flaw === 'token' ? 'another-token-0000000000000' : 'the-token-0000000000000000',
    finished: new Date(now.getTime() - (flaw === 'old' ? 31 * 24 * 60 : 1) * minuteMs),
    changes: {
      ...(flaw === 'failed' ? { result: 'fail', problem: { type: 'dns', detail: 'no' } } : {}),
      ...(flaw === 'site' ? { site: 'elsewhere' } : {}),
    },
  });
  const by: Signatory = flaw === 'key' ? { ...signatory, keyId: other.keyId, key: other.key } : signatory;
  const signed = signStatement(by, payload);
  if (flaw !== 'forged') return signed;
  const [header, body, signature = ''] = signed.toString().split('.');
  return Buffer.from(`${header}.${body}.${Buffer.from(signature, 'base64url').fill(7, 3, 9).toString('base64url')}`);
}

/** What must come of it. A statement of each method or list is a set of its own, whose other members are missing. */
function isProven(drawn: readonly Drawn[]): boolean {
  const setOf = ({ attempt, flaw }: Drawn): string =>
    `${attempt} ${flaw === 'list' || flaw === 'method' || flaw === 'token' ? flaw : ''}`;
  const isTrue = ({ who, flaw }: Drawn) => who !== 'primary' && ['none', 'list', 'method', 'token'].includes(flaw);
  // Genuine statements of one set by one perspective that differ contradict each other.
  const contradicts = ({ flaw }: Drawn) => ['none', 'failed', 'list', 'method', 'token', 'old'].includes(flaw);
  return [...Map.groupBy(drawn, setOf)].some(([key, set]) => {
    const used = key.endsWith(' list') ? 5 : 4;
    const counted = everybody.filter((name) => {
      const own = set.filter(({ who }) => who === name);
      return own.some(isTrue) && new Set(own.filter(contradicts).map(({ flaw }) => flaw)).size === 1;
    });
    return counted.length >= used - 1;
  });
}

async function isCertified(statements: readonly Buffer[]): Promise<boolean> {
  const names = [{ kind: 'dns', value: 'a.example' } as const];
  const request = enrollmentOf({ names: ['a.example'], account, statements });
  const asked = {
    profile: 'tls-server-validated',
    validation,
    registrationAuthority: 'gate',
    request,
    names,
    requestedNames: names,
    now,
  };
  try {
    return (await verifyValidation(keep, asked)).verdict === 'pass';
  } catch (error) {
    if (error instanceof CoreError && error.code.startsWith('evidence-')) return false;
    throw error;
  }
}

describe('mpic.md §3: random heaps of statements', () => {
  it('prove a name exactly when one attempt has a quorum of true ones', async () => {
    let proven = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { maxLength: 14 }), async (heap) => {
        // The same statement twice is one; signatures differ, so it is made once.
        const drawn = [...new Map(heap.map((each) => [JSON.stringify(each), each])).values()];
        const expected = isProven(drawn);
        if (expected) proven += 1;
        assert.equal(await isCertified(drawn.map(make)), expected);
      }),
      { numRuns: 400 },
    );
    assert.ok(proven > 10, `${proven} heaps proved something`);
  });

  it('never prove a name without three perspectives that signed for it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(statement, { maxLength: 14 }),
        fc.subarray([...everybody], { maxLength: 2 }),
        async (heap, honest) => {
          const drawn = heap.map((each) =>
            honest.some((name) => name === each.who) ? each : { ...each, flaw: 'forged' as const },
          );
          assert.equal(await isCertified(drawn.map(make)), false);
        },
      ),
      { numRuns: 100 },
    );
  });
});
