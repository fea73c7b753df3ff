// BR §3.2.2.9 in the pipeline: the row of the day counts, and the primary has to have found the same without counting.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { refused } from '../support/enrollment.ts';
import { contextOf } from '../support/keep.ts';
import {
  auditRecords,
  type Check,
  enrollmentOf,
  evidenceFor,
  frankfurt,
  newAccount,
  openWorkshop,
  type places,
  signStatement,
  statementPayload,
  statementsOf,
} from './workshop.ts';

const everybody = ['dublin', 'stockholm', 'ohio', 'saopaulo', 'tokyo', 'sydney'] as const;
const publicly = { profiles: { 'tls-server-validated': { policy: 'public-br' } } };
const account = newAccount();
const name = 'a.example';

/** A workshop at a date. The clock of its hierarchy begins on 1 June 2026. */
async function openAt(date: string, used: readonly (keyof typeof places)[], validation = {}) {
  const workshop = await openWorkshop(used, { validation: { ...publicly, ...validation } });
  workshop.clock.advance(new Date(date).getTime() - workshop.clock.now().getTime());
  return workshop;
}

async function ask(workshop: Awaited<ReturnType<typeof openAt>>, statements: readonly Uint8Array[]) {
  const { keep } = workshop;
  return await enroll(keep, contextOf(keep), enrollmentOf({ names: [name], account, statements }));
}

describe('BR §3.2.2.9: by date', () => {
  const cases: readonly (readonly [date: string, used: number, isEnough: boolean])[] = [
    ['2026-06-14T12:00:00Z', 3, true],
    ['2026-06-15T00:00:00Z', 3, false],
    ['2026-06-15T00:00:00Z', 4, true],
    ['2026-12-15T00:00:00Z', 4, false],
    ['2026-12-15T00:00:00Z', 5, true],
  ];
  for (const [date, used, isEnough] of cases) {
    it(`${date}: ${used} remote perspectives are ${isEnough ? 'enough' : 'too few'}`, async () => {
      const workshop = await openAt(
        date,
        (['dublin', 'ohio', 'tokyo', 'saopaulo', 'stockholm'] as const).slice(0, used),
      );
      try {
        const asked = ask(workshop, evidenceFor(workshop, { account, name }));
        if (!isEnough)
          return void (await refused(asked, 'evidence-invalid', /distinct remote perspectives where public-br@20/));
        assert.equal((await asked).kind, 'issued');
        const event = auditRecords(workshop).find(({ action }) => action === 'certificate-issued');
        assert.match(event?.body ?? '', /validation mode=enforce policy=public-br@20\d\d-\d\d-\d\d rules=BR-2\.2\.6/);
      } finally {
        await workshop.close();
      }
    });
  }
});

const workshop = await openAt('2026-12-20T12:00:00Z', everybody);
after(() => workshop.close());
const { clock, perspectives, primary } = workshop;
const finished = new Date(clock.now().getTime() - 60_000);
const five = ['dublin', 'ohio', 'saopaulo', 'stockholm', 'tokyo'];
const remotes = (about: Partial<Check> = {}) => statementsOf(workshop, { account, name, perspectives: five, ...about });
const own = (about: Partial<Check> = {}) =>
  signStatement(primary, statementPayload(primary, { account, name, perspectives: five, finished, ...about }));
const caa = () => [
  ...remotes({ check: 'caa', attempt: 'caa-00000000000000000' }),
  own({ check: 'caa', attempt: 'caa-00000000000000000' }),
];

describe('BR §3.2.2.9: the primary', () => {
  it('and four of five remotes are enough', async () => {
    const answer = await ask(workshop, [own(), ...remotes().slice(1), ...caa()]);
    assert.equal(answer.kind, 'issued');
  });

  it('does not count towards the quorum', async () => {
    await refused(
      ask(workshop, [own(), ...remotes().slice(2), ...caa()]),
      'evidence-invalid',
      /3 of 5 .* 4 are needed/,
    );
  });

  it('has to have validated control itself', async () => {
    await refused(
      ask(workshop, [...remotes(), ...caa()]),
      'evidence-invalid',
      /the primary has not found the same: it made no statement/,
    );
    const failed = own({ changes: { result: 'fail', problem: { type: 'dns', detail: 'NXDOMAIN' } } });
    await refused(
      ask(workshop, [failed, ...remotes(), ...caa()]),
      'evidence-invalid',
      /the primary has not found the same: dns: NXDOMAIN/,
    );
  });

  it('BR §3.2.2.8: has to have looked for CAA records itself', async () => {
    await refused(
      ask(workshop, [own(), ...remotes(), ...caa().slice(0, -1)]),
      'evidence-invalid',
      /caa: the primary has not found the same/,
    );
  });

  it('BR §3.2.2.4: validates DNSSEC where somebody sees a proof, which remotes need not', async () => {
    const dns = (isAuthenticated: boolean) => [
      { name, type: 'A', rcode: 'NOERROR', isAuthenticated, ttl: 60, resolver: '127.0.0.1:53' },
    ];
    const proven = remotes({ changes: { dns: dns(true) } });
    await refused(
      ask(workshop, [own({ changes: { dns: dns(false) } }), ...proven, ...caa()]),
      'evidence-invalid',
      /the primary has not found the same: it did not validate/,
    );
    const answer = await ask(workshop, [own({ changes: { dns: dns(true) } }), ...remotes(), ...caa()]);
    assert.equal(answer.kind, 'issued');
  });

  it('of another gate says nothing', async () => {
    const other = own({ changes: { perspective: 'spiffe://gatehouse.internal/ra/other' } });
    await refused(
      ask(workshop, [other, ...remotes(), ...caa()]),
      'evidence-invalid',
      /the primary has not found the same/,
    );
  });
});

describe('BR §3.2.2.9: distinct perspectives', () => {
  it('are 500 km from the gate, so one must say where that is', async () => {
    const elsewhere = await openAt('2026-12-20T12:00:00Z', everybody, { primaries: { other: frankfurt } });
    try {
      await refused(ask(elsewhere, evidenceFor(elsewhere, { account, name })), 'evidence-invalid', /used 0 distinct/);
    } finally {
      await elsewhere.close();
    }
  });

  it('do not ask the same resolver', async () => {
    const dns = [{ name, type: 'A', rcode: 'NOERROR', isAuthenticated: false, ttl: 60, resolver: '192.0.2.53:53' }];
    const shared = remotes({ changes: { dns } });
    await refused(
      ask(workshop, [own(), ...shared, ...caa()]),
      'evidence-invalid',
      /1 of 5 .*not distinct from the others/,
    );
  });

  it('stand in two RIR regions', async () => {
    const dublin = perspectives.dublin;
    assert.ok(dublin);
    const narrow = await openAt('2026-06-10T12:00:00Z', ['tokyo', 'sydney', 'dublin']);
    try {
      const used = { account, name, perspectives: ['dublin', 'sydney', 'tokyo'] };
      const without = (statements: readonly Buffer[]) =>
        statements.filter(
          (each) => !Buffer.from(String(each).split('.')[1] ?? '', 'base64url').includes('perspective/dublin'),
        );
      await refused(
        ask(narrow, without(evidenceFor(narrow, used))),
        'evidence-invalid',
        /from 1 RIR regions where 2 are needed/,
      );
      assert.equal((await ask(narrow, evidenceFor(narrow, used))).kind, 'issued');
    } finally {
      await narrow.close();
    }
  });
});

describe('BR §4.2.1, §3.2.2.4.22: reuse', () => {
  it('a persistent record is looked at again after ten days', async () => {
    const persist = (ageDays: number) => {
      const at = {
        method: 'dns-persist-01',
        finished: new Date(clock.now().getTime() - ageDays * 86_400_000),
      } as const;
      const check = { check: 'caa', method: 'dns-persist-01', attempt: 'caa-00000000000000000' } as const;
      return [own(at), ...remotes(at), ...remotes(check), own(check)];
    };
    assert.equal((await ask(workshop, persist(9))).kind, 'issued');
    await refused(ask(workshop, persist(11)), 'evidence-invalid', /too old/);
  });
});
