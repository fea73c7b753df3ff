import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { distanceKilometres, type Place } from '@gatehouse/proto/distance';
import fc from 'fast-check';
import { allowedFailures, type PolicyRow, rowAt } from '../../src/evidence/policies/policy.ts';
import { createPrivatePolicy, privatePolicySchema } from '../../src/evidence/policies/private.ts';
import { publicBr } from '../../src/evidence/policies/public-br.ts';
import { type Attempt, areDistinct, judgeQuorum, type Vantage } from '../../src/evidence/quorum.ts';
import { frankfurt, places } from './workshop.ts';

const vantage = (name: keyof typeof places): Vantage => {
  const { rir, latitude, longitude } = places[name];
  return { name, site: name, rir, place: { latitude, longitude } };
};
const all = (['dublin', 'ohio', 'saopaulo', 'stockholm', 'sydney', 'tokyo'] as const).map(vantage);

/** An attempt in which all of `used` were asked and those of `agreeing` corroborate. */
function attempt(used: readonly Vantage[], agreeing: readonly Vantage[], changes: Partial<Attempt> = {}): Attempt {
  const corroborations = agreeing.map((each) => ({ vantage: each, foreignResolvers: new Set<string>() }));
  return {
    used: used.length,
    vantages: used,
    corroborations,
    requiredSites: new Set(),
    primaryPlace: frankfurt,
    ...changes,
  };
}
const pick = (...names: readonly string[]) => all.filter(({ name }) => names.includes(name));
const on = (date: string) => rowAt(publicBr, new Date(date));

describe('BR §3.2.2.9: the table', () => {
  const rows: readonly (readonly [date: string, remotes: number, regions: number, version: string])[] = [
    ['2024-01-01T00:00:00Z', 2, 0, 'public-br@2025-03-15'],
    ['2025-03-15T00:00:00Z', 2, 0, 'public-br@2025-03-15'],
    ['2025-09-15T00:00:00Z', 2, 0, 'public-br@2025-09-15'],
    ['2026-03-14T23:59:59.999Z', 2, 0, 'public-br@2025-09-15'],
    ['2026-03-15T00:00:00Z', 3, 2, 'public-br@2026-03-15'],
    ['2026-06-15T00:00:00Z', 4, 2, 'public-br@2026-06-15'],
    ['2026-12-14T23:59:59.999Z', 4, 2, 'public-br@2026-06-15'],
    ['2026-12-15T00:00:00Z', 5, 2, 'public-br@2026-12-15'],
    ['2040-01-01T00:00:00Z', 5, 2, 'public-br@2029-03-15'],
  ];
  for (const [date, remotes, regions, version] of rows) {
    it(`${date}: ${remotes} remote perspectives, ${regions} regions`, () => {
      const row = on(date);
      assert.deepEqual([row.remotes, row.registries, row.version], [remotes, regions, version]);
    });
  }

  it('of two to five one may fail, of six or more two', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 16].map((used) => allowedFailures(on('2026-06-15'), used)),
      [0, 0, 1, 1, 1, 1, 2, 2, 2],
    );
  });

  it('BR §4.2.1: a validation is good for 398, 200, 100, then 10 days; a persistent record always for 10', () => {
    const days = (date: string) => (on(date).maximumReuseMs ?? 0) / 86_400_000;
    assert.deepEqual(['2026-03-14', '2026-03-15', '2027-03-15', '2029-03-15'].map(days), [398, 200, 100, 10]);
    assert.ok(publicBr.rows.every((row) => row.maximumPersistReuseMs === 10 * 86_400_000));
  });
});

describe('BR §3.2.2.9: a quorum', () => {
  const row = on('2026-06-15');
  const five = pick('dublin', 'ohio', 'saopaulo', 'stockholm', 'tokyo');
  const cases: readonly (readonly [string, Attempt, PolicyRow, RegExp | undefined])[] = [
    ['five of five', attempt(five, five), row, undefined],
    ['four of five', attempt(five, five.slice(1)), row, undefined],
    ['not three of five', attempt(five, five.slice(2)), row, /3 of 5 .* 4 are needed/],
    ['four of six', attempt(all, pick('dublin', 'ohio', 'tokyo', 'saopaulo')), row, undefined],
    ['not three of six', attempt(all, pick('dublin', 'ohio', 'tokyo')), row, /3 of 6 .* 4 are needed/],
    [
      'not three that were used where four are demanded',
      attempt(five.slice(2), five.slice(2)),
      row,
      /used 3 distinct .* demands 4/,
    ],
    [
      'not of silent ones: who was to be asked counts',
      attempt(five, five.slice(1), { used: 6 }),
      row,
      /4 of 6 .* 5 are needed/,
    ],
    [
      'not from one region',
      attempt(pick('dublin', 'stockholm'), pick('dublin', 'stockholm')),
      { ...on('2026-03-15'), remotes: 2 },
      /from 1 RIR regions where 2 are needed/,
    ],
    [
      'not without knowing where the primary stands',
      attempt(five, five, { primaryPlace: undefined }),
      row,
      /used 0 distinct/,
    ],
    [
      'not of one near the primary',
      attempt([...five.slice(1), { ...vantage('dublin'), place: { latitude: 50.9, longitude: 6.9 } }], five),
      { ...row, remotes: 5 },
      /used 4 distinct .* demands 5/,
    ],
    [
      'not of one whose place nobody knows',
      attempt([...five.slice(1), { ...vantage('dublin'), place: undefined }], five),
      { ...row, remotes: 5 },
      /used 4 distinct/,
    ],
  ];
  for (const [what, asked, rules, shortfall] of cases) {
    it(what, () => {
      const quorum = judgeQuorum(rules, asked);
      if (shortfall === undefined) assert.equal(quorum.shortfall, undefined);
      else assert.match(quorum.shortfall ?? '', shortfall);
    });
  }

  it('of two that stand close to each other one counts', () => {
    const near = { ...vantage('dublin'), name: 'belfast', place: { latitude: 54.6, longitude: -5.93 } };
    const used = [...five, near];
    const quorum = judgeQuorum(row, attempt(used, used));
    assert.equal(quorum.counted.length, 5);
    assert.equal(quorum.shortfall, undefined);
    assert.match(judgeQuorum(row, attempt(used, [near, ...pick('dublin', 'ohio', 'tokyo')])).shortfall ?? '', /3 of 6/);
  });

  it('of two that ask one resolver elsewhere one counts', () => {
    const corroborations = five.map((each, i) => ({
      vantage: each,
      foreignResolvers: new Set(i < 3 ? ['192.0.2.53:53'] : []),
    }));
    assert.match(judgeQuorum(row, attempt(five, five, { corroborations })).shortfall ?? '', /3 of 5/);
  });
});

describe('mpic.md §4: private policies', () => {
  const policy = (text: object) => createPrivatePolicy('own', privatePolicySchema.parse(text)).rows[0];

  it('demand all but one, from six on all but two, and the one that there is', () => {
    const needed = (remotes: number) => remotes - allowedFailures(policy({ remotes }), remotes);
    assert.deepEqual([1, 2, 3, 5, 6, 16].map(needed), [1, 1, 2, 4, 4, 14]);
  });

  it('are not satisfied by using more until some agree', () => {
    const row = policy({ remotes: 3, corroborations: 2 });
    assert.equal(judgeQuorum(row, attempt(all, all.slice(1))).shortfall, undefined);
    assert.match(judgeQuorum(row, attempt(all, all.slice(2))).shortfall ?? '', /4 of 6 .* 5 are needed/);
  });

  it('count a site once', () => {
    const row = policy({ remotes: 2, corroborations: 2 });
    const twins = pick('dublin', 'ohio').map((each) => ({ ...each, site: 'plant-a' }));
    assert.match(judgeQuorum(row, attempt(twins, twins)).shortfall ?? '', /used 1 distinct/);
  });

  for (const [what, text] of Object.entries({
    'no remote perspective': { remotes: 0 },
    'no corroboration': { corroborations: 0 },
    'more corroborations than perspectives': { remotes: 2, corroborations: 3 },
    'a demand that is none': { caa: 'sometimes' },
    'a zone with a wildcard': { requiredSites: [{ zone: '*.example', sites: ['a'] }] },
    'more required sites than perspectives': { remotes: 1, requiredSites: [{ zone: 'example', sites: ['a', 'b'] }] },
    'a key that is not known': { quorum: 2 },
  })) {
    it(`refuse ${what}`, () => assert.equal(privatePolicySchema.safeParse(text).success, false));
  }
});

const place: fc.Arbitrary<Place> = fc.record({
  latitude: fc.double({ min: -90, max: 90, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe('distance', () => {
  const known: readonly (readonly [Place, Place, number])[] = [
    [{ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 0 }, 0],
    [{ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 123 }, 20_015.1],
    [{ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 }, 111.2],
    [{ latitude: 48.8566, longitude: 2.3522 }, { latitude: 51.5074, longitude: -0.1278 }, 343.6],
    [{ latitude: 40.6413, longitude: -73.7781 }, { latitude: 51.47, longitude: -0.4543 }, 5540],
  ];
  for (const [a, b, kilometres] of known) {
    it(`${JSON.stringify(a)} to ${JSON.stringify(b)}: ${kilometres} km`, () => {
      assert.ok(Math.abs(distanceKilometres(a, b) - kilometres) < 1, String(distanceKilometres(a, b)));
    });
  }

  it('is the same both ways, never more than half around, and never shorter by a detour', () => {
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        const direct = distanceKilometres(a, b);
        assert.equal(direct, distanceKilometres(b, a));
        assert.ok(direct >= 0 && direct <= 20_016);
        assert.ok(direct <= distanceKilometres(a, c) + distanceKilometres(c, b) + 1e-3);
      }),
    );
  });
});

describe('quorum: random sets', () => {
  const vantages = fc
    .array(
      fc.record({
        rir: fc.constantFrom('', 'RIPE', 'ARIN'),
        site: fc.constantFrom('a', 'b', 'c', 'd'),
        place: fc.option(place, { nil: undefined }),
      }),
      { maxLength: 9 },
    )
    .map((list) => list.map((each, i): Vantage => ({ name: `p${i}`, ...each })));
  const rows = fc.constantFrom(
    ...publicBr.rows,
    ...[{}, { remotes: 1 }, { remotes: 3 }, { remotes: 6 }, { remotes: 4, corroborations: 1 }].map(
      (text) => createPrivatePolicy('own', privatePolicySchema.parse(text)).rows[0],
    ),
  );
  const required = fc.subarray(['a', 'b']);

  /** By trying all subsets: whether distinct corroborating perspectives exist that are enough. */
  function isEnough(row: PolicyRow, asked: Attempt, agreeing: readonly Vantage[]): boolean {
    const isFar = ({ place: at }: Vantage): boolean =>
      row.distinctBy.kind === 'site' ||
      (at !== undefined &&
        asked.primaryPlace !== undefined &&
        distanceKilometres(at, asked.primaryPlace) >= row.distinctBy.kilometres);
    const distinct = (chosen: readonly Vantage[]) =>
      chosen.every(isFar) && chosen.every((a, i) => chosen.every((b, j) => i >= j || areDistinct(row, a, b)));
    const subsets = (list: readonly Vantage[]) =>
      Array.from({ length: 2 ** list.length }, (_, bits) => list.filter((__, i) => (bits >> i) & 1)).filter(distinct);
    const distinctUsed = Math.max(...subsets(asked.vantages).map(({ length }) => length));
    if (distinctUsed < row.remotes) return false;
    const needed = Math.max(1, asked.used - allowedFailures(row, distinctUsed));
    return subsets(agreeing).some(
      (chosen) =>
        chosen.length >= needed &&
        new Set(chosen.map(({ rir }) => rir).filter((rir) => rir !== '')).size >= row.registries &&
        [...asked.requiredSites].every((site) => chosen.some((each) => each.site === site)),
    );
  }

  it('is met exactly when a choice of distinct perspectives meets it', () => {
    fc.assert(
      fc.property(
        vantages,
        rows,
        required,
        fc.integer({ min: 0, max: 511 }),
        fc.nat({ max: 2 }),
        (used, row, sites, bits, silent) => {
          const agreeing = used.filter((_, i) => (bits >> i) & 1);
          const asked = attempt(used, agreeing, { used: used.length + silent, requiredSites: new Set(sites) });
          const quorum = judgeQuorum(row, asked);
          assert.equal(quorum.shortfall === undefined, isEnough(row, asked, agreeing));
          assert.ok(quorum.counted.every((name) => agreeing.some((each) => each.name === name)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is never met by nobody, and never lost by another that agrees', () => {
    fc.assert(
      fc.property(vantages, rows, fc.integer({ min: 0, max: 511 }), (used, row, bits) => {
        assert.notEqual(judgeQuorum(row, attempt(used, [])).shortfall, undefined);
        const agreeing = used.filter((_, i) => (bits >> i) & 1);
        if (judgeQuorum(row, attempt(used, agreeing)).shortfall !== undefined) return;
        assert.equal(judgeQuorum(row, attempt(used, used)).shortfall, undefined);
      }),
      { numRuns: 500 },
    );
  });
});
