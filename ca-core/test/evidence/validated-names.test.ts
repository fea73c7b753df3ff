// mpic.md §3 and §4: what an honest gate gets, and what is recorded of it.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { EnrollmentAnswer, IssuedAnswer } from '../../src/enrollment/answer.ts';
import { approveEnrollment } from '../../src/enrollment/approval.ts';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { readRecordedEvidence } from '../../src/evidence/recorded-evidence.ts';
import { forgetEvidence } from '../../src/jobs/evidence-retention.ts';
import { validateProfile } from '../../src/profiles/validate-profile.ts';
import type { PersistDraft } from '../../src/profiles/vocabulary.ts';
import { callerUri } from '../../src/registry/caller.ts';
import { findRequest } from '../../src/store/requests.ts';
import { profileFile } from '../profiles/profile-file.ts';
import { certificationRequest, refused } from '../support/enrollment.ts';
import { contextOf } from '../support/keep.ts';
import {
  type Account,
  auditRecords,
  type Check,
  type EnrollmentParts,
  enrollmentOf,
  evidenceFor,
  issuer,
  keyChange,
  newAccount,
  openWorkshop,
  persistentRecord,
  perspectiveResults,
  signStatement,
  statementPayload,
  statementsOf,
} from './workshop.ts';

const approved = validateProfile(
  profileFile({
    name: 'approved',
    names: '{ allowed: [dns], atLeastOne: true, commonNameAmongNames: true }',
    approval: 'required',
    validation: '{ policy: private }',
  }),
  'approved.yaml',
);
assert.ok(approved.ok, 'the profile is good');
const watched = validateProfile(
  profileFile({
    name: 'watched',
    names: '{ allowed: [dns], atLeastOne: true, commonNameAmongNames: true }',
    validation: '{ policy: private, mode: monitor }',
  }),
  'watched.yaml',
);
assert.ok(watched.ok);

const workshop = await openWorkshop(['dublin', 'ohio', 'tokyo'], {
  profiles: [approved.profile, watched.profile],
  validation: {
    policies: {
      signed: { caa: 'where-signed', dnssec: 'where-signed' },
      proven: { caa: 'off', dnssec: 'on' },
      plant: {
        caa: 'off',
        remotes: 2,
        corroborations: 1,
        requiredSites: [{ zone: 'plant.example', sites: ['tokyo'] }],
      },
    },
    profiles: { 'tls-server-validated-short-lived': { mode: 'off' } },
  },
});
after(() => workshop.close());
const { keep, clock, perspectives, primary } = workshop;
const { dublin, ohio, tokyo } = perspectives;
assert.ok(dublin && ohio && tokyo);
const account = newAccount();
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const everybody = ['dublin', 'ohio', 'tokyo'];

const issue = async (request: Parameters<typeof enroll>[2]): Promise<IssuedAnswer> =>
  issued(await enroll(keep, contextOf(keep), request));
function issued(answer: EnrollmentAnswer): IssuedAnswer {
  if (answer.kind !== 'issued') assert.fail('it waits');
  return answer;
}
const asked = (names: readonly string[], statements: readonly Uint8Array[], parts: Partial<EnrollmentParts> = {}) =>
  enrollmentOf({ names, account, statements, ...parts });
/** Lines of the newest issuance. */
function lines(): readonly string[] {
  const event = auditRecords(workshop).find(({ action }) => action === 'certificate-issued');
  return JSON.parse(event?.body ?? '{}').evidence ?? [];
}
const ago = (ms: number): Date => new Date(clock.now().getTime() - ms);
const evidence = (name: string, changes: Partial<Check> = {}) => evidenceFor(workshop, { account, name, ...changes });
/** The keep with another policy for `tls-server-validated`. */
async function keepWith(policy: string, dnsPersist: PersistDraft = 'draft-02') {
  const issuing = keep.profiles.get('tls-server-validated');
  const bound = keep.validation.policies.get(policy);
  assert.ok(issuing?.validation && bound);
  const { methods, reuseMs } = issuing.validation;
  const validation = { methods, reuseMs, dnsPersist, mode: 'enforce', policy: bound } as const;
  return { ...keep, profiles: new Map([...keep.profiles, ['tls-server-validated', { ...issuing, validation }]]) };
}

describe('mpic.md §4: the audit line', () => {
  it('tells quorum, regions and attempt of each check of each name', async () => {
    const attempt = 'attempt-of-a-example-00';
    const failing = [
      ...[dublin, ohio].map((each) =>
        signStatement(
          each,
          statementPayload(each, { account, name: 'a.example', perspectives: everybody, attempt, finished: ago(1000) }),
        ),
      ),
      signStatement(
        tokyo,
        statementPayload(tokyo, {
          account,
          name: 'a.example',
          perspectives: everybody,
          attempt,
          finished: ago(1000),
          changes: { result: 'error', problem: { type: 'connection', detail: 'time-out' } },
        }),
      ),
    ];
    await issue(
      asked(
        ['a.example'],
        [
          ...failing,
          ...statementsOf(workshop, { account, name: 'a.example', check: 'caa', attempt: 'caa-attempt-of-a-example' }),
        ],
      ),
    );
    const [mode, finalize, ...checks] = lines();
    assert.equal(mode, 'validation mode=enforce policy=private');
    assert.match(
      finalize ?? '',
      new RegExp(`^acme-finalize account=${account.url} order=\\S+ key=${account.jwk.thumbprint} verdict=pass$`),
    );
    assert.deepEqual(checks, [
      'mpic name=a.example method=http-01 check=dcv quorum=2/3 rirs=ARIN,RIPE verdict=pass policy=private attempt=attempt-of-a-example-00 failed=tokyo',
      'mpic name=a.example method=http-01 check=caa quorum=3/3 rirs=APNIC,ARIN,RIPE verdict=pass policy=private attempt=caa-attempt-of-a-example',
    ]);
  });

  it('names who lied, although there are enough others', async () => {
    const [first, ...others] = evidence('a.example');
    assert.ok(first);
    const forged = Buffer.from(`${String(first).slice(0, -8)}AAAAAAAA`);
    const logged: unknown[] = [];
    const log = { ...keep.log, info: () => undefined, warn: (facts: unknown) => void logged.push(facts) };
    await enroll(
      keep,
      { ...contextOf(keep), log: Object.assign(Object.create(keep.log), log) },
      asked(['a.example'], [Buffer.from('junk'), forged, ...others]),
    );
    assert.match(lines().join('\n'), /check=dcv quorum=2\/3 .*failed=dublin/);
    assert.match(lines().join('\n'), /statement refused name=a\.example cause="dublin: its signature does not verify"/);
    assert.match(lines().join('\n'), /statement refused cause="the JWS does not have three parts"/);
    assert.match(JSON.stringify(logged), /its signature does not verify/);
  });

  it('stands beside each refusal too, BR §5.4.1', async () => {
    await refused(
      enroll(
        keep,
        contextOf(keep),
        asked(['a.example'], statementsOf(workshop, { account, name: 'a.example', perspectives: ['dublin'] })),
      ),
      'evidence-invalid',
    );
    const [event] = auditRecords(workshop);
    const body = JSON.parse(event?.body ?? '{}');
    assert.match(
      body.evidence.join('\n'),
      /mpic name=a\.example method=http-01 check=dcv quorum=1\/1 rirs=RIPE verdict=fail policy=private attempt=\S+ signatures=unverified/,
    );
    assert.match(
      body.evidence.join('\n'),
      /mpic name=a\.example verdict=fail policy=private cause="dcv: the attempt used 1 distinct/,
    );
  });

  it('says that nobody looks where validation is off', async () => {
    await issue(asked(['a.example'], [], { profile: 'tls-server-validated-short-lived', changes: { evidence: [] } }));
    assert.deepEqual(lines(), ['validation off']);
  });

  it('says by which key of an external account names were authorised beforehand, acme.md §2', async () => {
    const named = (payload: string) => ({
      evidence: [{ type: 'acme-external-account', payload: Buffer.from(payload), certificates: [], statements: [] }],
    });
    const changes = named('8573c0c30b8303e890be');
    await issue(asked(['a.example'], [], { profile: 'tls-server-validated-short-lived', changes }));
    assert.deepEqual(lines(), ['validation off', 'acme-external-account key=8573c0c30b8303e890be']);
    await issue(asked(['b.example'], [], { profile: 'tls-server', changes: named('a\nverdict=pass') }));
    assert.deepEqual(lines(), ['acme-external-account key=unreadable']);
  });

  it('says nothing where a profile leaves validation to the RA', async () => {
    await issue(asked(['a.example'], [], { profile: 'tls-server', changes: { evidence: [] } }));
    assert.deepEqual(lines(), []);
  });
});

describe('mpic.md §3, point 3: which validation covers which name', () => {
  const covered: Readonly<Record<string, () => readonly [names: readonly string[], statements: readonly Buffer[]]>> = {
    'http-01: the name itself': () => [['a.example'], evidence('a.example')],
    'tls-alpn-01: the name itself': () => [['a.example'], evidence('a.example', { method: 'tls-alpn-01' })],
    'http-01: an address, without CAA (RFC 8738)': () => [
      ['192.0.2.1'],
      statementsOf(workshop, { account, name: '192.0.2.1' }),
    ],
    'tls-alpn-01: an IPv6 address': () => [
      ['2001:db8::1'],
      statementsOf(workshop, { account, name: '2001:db8::1', method: 'tls-alpn-01' }),
    ],
    'dns-01: a wildcard and its domain': () => [
      ['a.example', '*.a.example'],
      [
        ...evidence('*.a.example', { method: 'dns-01' }),
        ...statementsOf(workshop, { account, name: 'a.example', check: 'caa', method: 'dns-01' }),
      ],
    ],
    'dns-account-01: a wildcard': () => [['*.a.example'], evidence('*.a.example', { method: 'dns-account-01' })],
    'dns-persist-01 with policy=wildcard: a wildcard': () => [
      ['*.a.example'],
      evidence('*.a.example', { method: 'dns-persist-01' }),
    ],
    'dns-persist-01 without it: the name itself': () => [
      ['a.example'],
      evidence('a.example', { method: 'dns-persist-01', changes: { coversSubdomains: false } }),
    ],
    'dns-01: a name below': () => [
      ['www.a.example'],
      [
        ...statementsOf(workshop, { account, name: 'a.example', method: 'dns-01' }),
        ...statementsOf(workshop, { account, name: 'www.a.example', check: 'caa', method: 'dns-01' }),
      ],
    ],
    'several names by several methods': () => [
      ['a.example', 'b.example', '192.0.2.1'],
      [
        ...evidence('a.example'),
        ...evidence('b.example', { method: 'dns-01' }),
        ...statementsOf(workshop, { account, name: '192.0.2.1' }),
      ],
    ],
  };
  for (const [what, parts] of Object.entries(covered)) {
    it(what, async () => void (await issue(asked(...parts()))));
  }

  it('dns-persist-01 for any name of the account (draft -02: `*`)', async () => {
    const changes = { expected: persistentRecord(account, '*') };
    await issue(asked(['a.example'], evidence('a.example', { method: 'dns-persist-01', changes })));
  });

  it('dns-persist-01 by a record without key, where the profile takes draft -01', async () => {
    const changes = { expected: `${issuer}; accounturi=${account.url}` };
    const request = asked(['a.example'], evidence('a.example', { method: 'dns-persist-01', changes }));
    const old = await keepWith('private', 'draft-01');
    assert.equal((await enroll(old, contextOf(old), request)).kind, 'issued');
  });

  it('takes the attempt that holds among several', async () => {
    const failed = statementsOf(workshop, {
      account,
      name: 'a.example',
      attempt: 'newer-00000000000000000',
      finished: ago(500),
      changes: { result: 'fail' },
    });
    await issue(asked(['a.example'], [...failed, ...evidence('a.example')]));
    assert.match(lines().join('\n'), /check=dcv quorum=3\/3/);
  });

  it('takes the method for which there is permission among several', async () => {
    const newer = statementsOf(workshop, {
      account,
      name: 'a.example',
      method: 'dns-01',
      attempt: 'newer-00000000000000000',
      finished: ago(500),
    });
    await issue(asked(['a.example'], [...newer, ...evidence('a.example')]));
    assert.match(lines().join('\n'), /method=http-01 check=dcv .*\n.*method=http-01 check=caa/);
  });

  it('takes validations of the account for a later order', async () => {
    const statements = statementsOf(workshop, {
      account,
      name: 'a.example',
      finished: ago(30 * dayMs - 1000),
      changes: { order: 'an-earlier-one' },
    });
    await issue(
      asked(['a.example'], [...statements, ...statementsOf(workshop, { account, name: 'a.example', check: 'caa' })]),
    );
  });

  it('counts a name in the common name as asked for', async () => {
    const csr = certificationRequest({ subject: 'CN=a.example' });
    await issue(asked(['a.example'], evidence('a.example'), { csr }));
  });
});

describe('RFC 8659 §2.2: CAA within eight hours or its TTL', () => {
  const caa = (ttl: number, finished: Date) =>
    statementsOf(workshop, {
      account,
      name: 'a.example',
      check: 'caa',
      finished,
      changes: {
        dns: [
          { name: 'a.example', type: 'CAA', rcode: 'NOERROR', isAuthenticated: false, ttl, resolver: '127.0.0.1:53' },
        ],
      },
    });
  const dcv = () => statementsOf(workshop, { account, name: 'a.example' });

  it('takes eight hours', async () =>
    void (await issue(asked(['a.example'], [...dcv(), ...caa(60, ago(8 * hourMs))]))));
  it('takes a day where the zone says so', async () =>
    void (await issue(asked(['a.example'], [...dcv(), ...caa(86_400, ago(dayMs - 1000))]))));
  it('never takes more than the validation may be used for', async () => {
    await refused(
      enroll(keep, contextOf(keep), asked(['a.example'], [...dcv(), ...caa(2_000_000_000, ago(30 * dayMs + 1000))])),
      'evidence-invalid',
      /too old/,
    );
  });
});

describe('mpic.md §3, point 4: a key that was changed', () => {
  const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const withKey = (key: ReturnType<typeof newKey>): Account => ({ url: account.url, key, jwk: jwkOfKey(key) });
  const [second, third] = [withKey(newKey()), withKey(generateKeyPairSync('ed25519').privateKey)];
  const first = keyChange(account, second.key);
  const next = keyChange(second, third.key);
  const change = (holder: Account, keyChanges: readonly ReturnType<typeof keyChange>[]) =>
    enrollmentOf({
      names: ['a.example'],
      account: holder,
      statements: evidence('a.example'),
      finalize: { keyChanges },
    });

  it('is joined by its change', async () => void (await issue(change(second, [first]))));
  it('is joined to the key that a persistent record names', async () => {
    const statements = evidence('a.example', { method: 'dns-persist-01' });
    const parts = { names: ['a.example'], account: second, statements };
    await issue(enrollmentOf({ ...parts, finalize: { keyChanges: [first] } }));
    await refused(enroll(keep, contextOf(keep), enrollmentOf(parts)), 'evidence-invalid', /another key/);
  });
  it('is joined by several', async () => void (await issue(change(third, [first, next]))));

  const stranger = newAccount();
  const wrong: Readonly<Record<string, readonly [Account, readonly ReturnType<typeof keyChange>[], RegExp]>> = {
    'without the change': [second, [], /for another key/],
    'with one of them missing': [third, [next], /for another key/],
    'with the changes in the wrong order': [third, [next, first], /does not lead to the key/],
    "with another account's change": [
      second,
      [keyChange({ ...account, url: stranger.url }, second.key)],
      /of another account/,
    ],
    'with a change that names another account inside': [
      second,
      [keyChange(account, second.key, { account: stranger.url })],
      /names another account/,
    ],
    'with a change that the old key did not sign': [
      second,
      [keyChange(account, second.key, { outerSigner: second.key })],
      /signatures does not verify/,
    ],
    'with a change that the new key did not sign': [
      second,
      [keyChange(account, second.key, { innerSigner: account.key })],
      /signatures does not verify/,
    ],
    'with a change at another directory': [
      second,
      [keyChange(account, second.key, { url: 'https://other-ca.example/acme/key-change' })],
      /not the keyChange URL of ours/,
    ],
    'with a change whose two URLs differ': [
      second,
      [keyChange(account, second.key, { innerUrl: 'https://acme.example/acme/other' })],
      /inner JWS is another one/,
    ],
    'with more changes than anybody makes': [second, Array.from({ length: 33 }, () => first), /more than 32/],
  };
  for (const [what, [holder, changes, cause]] of Object.entries(wrong)) {
    it(`is refused ${what}`, async () =>
      void (await refused(enroll(keep, contextOf(keep), change(holder, changes)), 'evidence-invalid', cause)));
  }
});

describe('mpic.md §3, point 5: one certificate, and its evidence', () => {
  it('the same finalize request gets the first answer, whatever perspectives say meanwhile', async () => {
    const csr = certificationRequest({ names: ['DNS:a.example'] });
    const request = (statements: readonly Buffer[]) => asked(['a.example'], statements, { csr, orderId: 'repeated' });
    const firstRequest = request(evidence('a.example'));
    const first = await issue(firstRequest);
    const again = await issue({
      ...firstRequest,
      evidence: [perspectiveResults(evidence('a.example')), ...firstRequest.evidence.slice(1)],
    });
    assert.deepEqual([again.serialNumber, again.isRepeated], [first.serialNumber, true]);
    const without = await issue({ ...firstRequest, evidence: firstRequest.evidence.slice(1) });
    assert.equal(without.serialNumber, first.serialNumber);
  });

  it('keeps statements that decided, the finalize request and the verdict, with the keys as they are', async () => {
    const statements = evidence('a.example');
    const others = evidence('b.example');
    const request = asked(['a.example'], [...others, ...statements]);
    const { serialNumber, notAfter } = await issue(request);
    const recorded = readRecordedEvidence(keep, serialNumber.toUpperCase());
    assert.deepEqual(recorded.verdicts, lines());
    assert.equal(recorded.keptUntil?.getTime(), notAfter.getTime() + 2 * 365 * dayMs);
    const [finalize, results, ...more] = recorded.evidence;
    assert.deepEqual(more, []);
    assert.deepEqual(finalize?.payload, request.evidence[1]?.payload);
    assert.deepEqual(results?.statements.map(String).sort(), statements.map(String).sort());
    assert.deepEqual(
      recorded.keys.map(({ holder }) => holder).sort(),
      [...everybody.map((each) => callerUri('perspective', each)), primary.uri].sort(),
    );
  });

  it('keeps no evidence where nothing was verified', async () => {
    const { serialNumber } = await issue(
      asked(['a.example'], [], { profile: 'tls-server', changes: { evidence: [] } }),
    );
    assert.throws(() => readRecordedEvidence(keep, serialNumber), { code: 'not-found' });
    assert.throws(() => readRecordedEvidence(keep, 'xyz'), { code: 'malformed' });
  });

  it('deletes evidence when its time is over and not before, with an event', async () => {
    const separate = await openWorkshop(['dublin', 'ohio', 'tokyo'], {
      validation: { evidence: { keepAfterExpiry: '1d' } },
    });
    try {
      const answer = issued(
        await enroll(
          separate.keep,
          contextOf(separate.keep),
          enrollmentOf({
            names: ['a.example'],
            account,
            statements: evidenceFor(separate, { account, name: 'a.example' }),
          }),
        ),
      );
      separate.clock.advance(answer.notAfter.getTime() + dayMs - separate.clock.now().getTime());
      await forgetEvidence(separate.keep);
      readRecordedEvidence(separate.keep, answer.serialNumber);
      separate.clock.advance(1000);
      await forgetEvidence(separate.keep);
      assert.throws(() => readRecordedEvidence(separate.keep, answer.serialNumber), { code: 'not-found' });
      const [event] = auditRecords(separate);
      assert.equal(event?.action, 'evidence-deleted');
      assert.match(event.body, new RegExp(answer.serialNumber));
    } finally {
      await separate.close();
    }
  });
});

describe('mpic.md §4: mode monitor', () => {
  it('issues what is not validated, and records and counts that', async () => {
    const { serialNumber } = await issue(
      asked(['a.example'], statementsOf(workshop, { account, name: 'a.example', perspectives: ['dublin'] }), {
        profile: 'watched',
      }),
    );
    const { verdicts } = readRecordedEvidence(keep, serialNumber);
    assert.deepEqual(verdicts, lines());
    assert.equal(verdicts[0], 'validation mode=monitor policy=private');
    assert.match(verdicts.join('\n'), /name=a\.example .*verdict=fail/);
  });

  it('counts verdicts by profile', async () => {
    const { values } = await keep.metrics.validations.get();
    const count = values.find(
      ({ labels }) => JSON.stringify(labels) === '{"profile":"watched","verdict":"fail"}',
    )?.value;
    assert.ok((count ?? 0) > 0);
  });

  it('issues without any evidence, too', async () => {
    await issue(asked(['a.example'], [], { profile: 'watched', changes: { evidence: [] } }));
    assert.match(lines().join('\n'), /acme-finalize verdict=fail cause=/);
    assert.match(
      lines().join('\n'),
      /mpic name=a\.example verdict=fail policy=private cause="no statement is about it"/,
    );
  });

  it('records what is validated as such', async () => {
    await issue(asked(['a.example'], evidence('a.example'), { profile: 'watched' }));
    assert.doesNotMatch(lines().join('\n'), /verdict=fail/);
  });
});

describe('a profile whose enrollments a person approves', () => {
  it('keeps the statements that decided, and judges them again', async () => {
    const pending = await enroll(
      keep,
      contextOf(keep),
      asked(['a.example'], [...evidence('b.example'), ...evidence('a.example')], { profile: 'approved' }),
    );
    assert.equal(pending.kind, 'pending');
    assert.ok((findRequest(keep.store, pending.requestId)?.payload?.length ?? 0) > 0);
    const operator = {
      kind: 'operator',
      name: 'admin',
      uri: callerUri('operator', 'admin'),
      serialNumber: '02',
    } as const;
    const answer = issued(
      await approveEnrollment(
        keep,
        { caller: operator, requestId: 'test', log: keep.log },
        { requestId: pending.requestId, reason: 'ok' },
      ),
    );
    const [, results] = readRecordedEvidence(keep, answer.serialNumber).evidence;
    assert.equal(results?.statements.length, 8);
  });
});

describe('RFC 8659 §2.2: a person who takes longer than CAA is good for', () => {
  const operator = {
    kind: 'operator',
    name: 'admin',
    uri: callerUri('operator', 'admin'),
    serialNumber: '02',
  } as const;
  const approve = (requestId: string) =>
    approveEnrollment(keep, { caller: operator, requestId: 'test', log: keep.log }, { requestId, reason: 'ok' });
  const csr = certificationRequest({ names: ['DNS:a.example'] });
  /** Asks again and again with one finalize request, and with whatever statements. */
  const asking = (orderId: string) => {
    const first = enrollmentOf({ names: ['a.example'], account, statements: [], profile: 'approved', csr, orderId });
    return (statements: readonly Buffer[]) =>
      enroll(keep, contextOf(keep), {
        ...first,
        evidence: [perspectiveResults(statements), ...first.evidence.slice(1)],
      });
  };

  it('approves by what perspectives have said since, if the gate has brought it', async () => {
    const first = evidence('a.example');
    const ask = asking('slow');
    const { requestId } = await ask(first);
    clock.advance(9 * hourMs);
    await refused(approve(requestId), 'evidence-invalid', /caa: .*too old/);
    const fresh = [
      ...first,
      ...statementsOf(workshop, { account, name: 'a.example', check: 'caa', attempt: 'caa-of-the-day-0000000' }),
    ];
    const again = await ask(fresh);
    assert.deepEqual([again.kind, again.requestId, again.isRepeated], ['pending', requestId, true]);
    const { serialNumber } = issued(await approve(requestId));
    assert.match(
      readRecordedEvidence(keep, serialNumber).verdicts.join('\n'),
      /check=caa .*attempt=caa-of-the-day-0000000/,
    );
  });

  it('is not moved by what does not hold, nor by the same once more', async () => {
    const first = evidence('a.example');
    const ask = asking('steady');
    const { requestId } = await ask(first);
    const before = keep.store.auditHead().sequence;
    const worse = statementsOf(workshop, {
      account,
      name: 'a.example',
      attempt: 'worse-00000000000000000',
      changes: { result: 'fail' },
    });
    for (const statements of [first, [], [Buffer.from('junk')], worse, [...first, ...worse]]) {
      const again = await ask(statements);
      assert.deepEqual([again.kind, again.requestId], ['pending', requestId]);
    }
    assert.equal(keep.store.auditHead().sequence, before);
    issued(await approve(requestId));
  });
});

describe('mpic.md §4: private policies', () => {
  it('names below a zone must be seen from its sites', async () => {
    const plant = await keepWith('plant');
    const ask = (name: string, names: readonly string[]) =>
      enroll(plant, contextOf(keep), asked([name], statementsOf(workshop, { account, name, perspectives: names })));
    await ask('other.example', ['dublin', 'ohio']);
    await ask('line.plant.example', ['dublin', 'tokyo']);
    await refused(ask('line.plant.example', ['dublin', 'ohio']), 'evidence-invalid', /not corroborated from tokyo/);
    await refused(ask('plant.example', ['dublin', 'ohio']), 'evidence-invalid', /not corroborated from tokyo/);
    // A validation of the domain above does not get around it.
    const above = statementsOf(workshop, {
      account,
      name: 'example',
      method: 'dns-01',
      perspectives: ['dublin', 'ohio'],
    });
    await refused(enroll(plant, contextOf(keep), asked(['line.plant.example'], above)), 'evidence-invalid', /tokyo/);
  });

  const answer = (isAuthenticated: boolean) => [
    { name: 'a.example.', type: 'A', rcode: 'NOERROR', isAuthenticated, ttl: 60, resolver: '127.0.0.1:53' },
  ];
  const seenBy = (proven: readonly string[]) =>
    [dublin, ohio, tokyo].map((each) =>
      signStatement(
        each,
        statementPayload(each, {
          account,
          name: 'a.example',
          perspectives: everybody,
          finished: ago(1000),
          changes: { dns: answer(proven.includes(each.name)) },
        }),
      ),
    );

  it('CAA where the zone is signed', async () => {
    const signed = await keepWith('signed');
    await enroll(signed, contextOf(keep), asked(['a.example'], seenBy([])));
    await refused(
      enroll(signed, contextOf(keep), asked(['a.example'], seenBy(everybody))),
      'evidence-missing',
      /nobody looked for CAA/,
    );
    const caa = statementsOf(workshop, { account, name: 'a.example', check: 'caa' });
    await enroll(signed, contextOf(keep), asked(['a.example'], [...seenBy(everybody), ...caa]));
  });

  it('RFC 4035: who does not see a proof that others see has not corroborated', async () => {
    const signed = await keepWith('signed');
    const caa = statementsOf(workshop, { account, name: 'a.example', check: 'caa' });
    await enroll(signed, contextOf(keep), asked(['a.example'], [...seenBy(['dublin', 'ohio']), ...caa]));
    await refused(
      enroll(signed, contextOf(keep), asked(['a.example'], [...seenBy(['dublin']), ...caa])),
      'evidence-invalid',
      /ohio: it did not validate the answer for a\.example\. A, as dublin says that it did/,
    );
  });

  it('DNSSEC on: only what is proven counts', async () => {
    const proven = await keepWith('proven');
    await enroll(proven, contextOf(keep), asked(['a.example'], seenBy(['dublin', 'ohio'])));
    await refused(
      enroll(proven, contextOf(keep), asked(['a.example'], seenBy([]))),
      'evidence-invalid',
      /did not validate/,
    );
  });

  it('CAA names of this CA: a statement that looked for fewer of them is fine', async () => {
    const statements = statementsOf(workshop, {
      account,
      name: 'a.example',
      check: 'caa',
      changes: {
        caa: {
          decision: 'permitted',
          foundAt: 'example',
          records: [`0 issue "${issuer}"`],
          issuerDomainNames: [issuer],
          lookup: 'found',
        },
      },
    });
    await issue(asked(['a.example'], [...statementsOf(workshop, { account, name: 'a.example' }), ...statements]));
  });
});
