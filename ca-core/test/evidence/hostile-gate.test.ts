// mpic.md §3 and §6: a gate that an attacker owns has the gate's credential and whatever it ever saw, and still gets no
// certificate for a name whose control nobody proved. Each attempt is refused and leaves one event that names the cause.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import type { CoreErrorType } from '@gatehouse/proto/core-error';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { callerUri } from '../../src/registry/caller.ts';
import { revokeSigningKey } from '../../src/store/signing-keys.ts';
import { certificationRequest, refused } from '../support/enrollment.ts';
import { contextOf } from '../support/keep.ts';
import {
  auditRecords,
  type Check,
  type EnrollmentParts,
  enrollmentOf,
  evidenceFor,
  finalizeEvidence,
  issuer,
  newAccount,
  newSignatory,
  openWorkshop,
  persistentRecord,
  perspectiveResults,
  signStatement,
  statementPayload,
  statementsOf,
} from './workshop.ts';

const workshop = await openWorkshop(['dublin', 'ohio', 'tokyo']);
after(() => workshop.close());
const { keep, clock, perspectives, primary } = workshop;
const { dublin, ohio, tokyo } = perspectives;
assert.ok(dublin && ohio && tokyo);

const account = newAccount();
const stranger = newAccount();
const name = 'a.example';
const names = [name];
const everybody = ['dublin', 'ohio', 'tokyo'];
const dayMs = 86_400_000;
const now = clock.now();
const recently = new Date(now.getTime() - 60_000);
const about = (changes: Partial<Check> = {}): Check => ({
  account,
  name,
  perspectives: everybody,
  finished: recently,
  ...changes,
});
const good = () => evidenceFor(workshop, { account, name });
const dcv = (changes: Partial<Check> = {}) => statementsOf(workshop, about({ check: 'dcv', ...changes }));
const caa = (changes: Partial<Check> = {}) => statementsOf(workshop, about({ check: 'caa', ...changes }));
const asked = (statements: readonly Uint8Array[], parts: Partial<EnrollmentParts> = {}) =>
  enrollmentOf({ names, account, statements, ...parts });

/** An altered signature, which is still base64url of 64 octets. */
function forged(statement: Buffer): Buffer {
  const [header, payload, signature = ''] = statement.toString().split('.');
  const octets = Buffer.from(signature, 'base64url');
  octets[40] = (octets[40] ?? 0) ^ 1;
  return Buffer.from(`${header}.${payload}.${octets.toString('base64url')}`);
}

const liar = await newSignatory(workshop, callerUri('perspective', 'liar'), {
  name: 'liar',
  site: 'liar',
  rir: 'RIPE',
});
const revoked = await Promise.all(
  [dublin, ohio].map(async ({ uri, ...labels }) => {
    const signatory = await newSignatory(workshop, uri, labels);
    await keep.store.commit({ operations: [revokeSigningKey(signatory.keyId, now, 'lost')], events: [] });
    return signatory;
  }),
);
keep.registry.reload();
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const by = (signatories: readonly (typeof liar)[], changes: Partial<Check> = {}) =>
  signatories.map((each) => signStatement(each, statementPayload(each, about(changes))));

type Attack = {
  readonly request: () => EnrollRequest;
  readonly code?: CoreErrorType;
  readonly cause: RegExp;
};

const attacks: Readonly<Record<string, Attack>> = {
  'without any evidence': {
    request: () => asked([], { changes: { evidence: [] } }),
    code: 'evidence-missing',
    cause: /demands evidence of type acme-finalize/,
  },
  'without statements': {
    request: () => asked([]),
    code: 'evidence-missing',
    cause: /a\.example: no statement is about it/,
  },
  'without what the account holder signed': {
    request: () => asked([], { changes: { evidence: [perspectiveResults(good())] } }),
    code: 'evidence-missing',
    cause: /acme-finalize/,
  },
  'with forged signatures': {
    request: () => asked([...dcv().map(forged), ...caa()]),
    cause: /0 of 3 .*dublin: its signature does not verify/,
  },
  'with signatures of a key of its own in the name of others': {
    request: () =>
      asked([
        ...everybody.map((each) => {
          const signatory = perspectives[each];
          assert.ok(signatory);
          return signStatement({ ...signatory, key: otherKey }, statementPayload(signatory, about()));
        }),
        ...caa(),
      ]),
    cause: /its signature does not verify/,
  },
  'with keys that are not registered': {
    request: () =>
      asked([
        ...by([dublin, ohio, tokyo].map((each) => ({ ...each, key: otherKey, keyId: 'A'.repeat(43) }))),
        ...caa(),
      ]),
    cause: /its key is not registered/,
  },
  'with the id of another perspective': {
    request: () =>
      asked([
        ...by([dublin, ohio, tokyo].map((each) => ({ ...each, key: dublin.key, keyId: dublin.keyId }))),
        ...caa(),
      ]),
    cause: /1 of 3 .*ohio: its key is of spiffe:\/\/gatehouse.internal\/perspective\/dublin/,
  },
  'with a perspective that is not registered': {
    request: () => asked([...by([liar], { perspectives: ['liar'] }), ...caa()]),
    cause: /0 distinct remote perspectives where private demands 2/,
  },
  'with perspectives that were not to be asked': {
    request: () => asked([...by([dublin, ohio, tokyo], { perspectives: ['dublin', 'liar', 'nobody'] }), ...caa()]),
    cause: /distinct remote perspectives/,
  },
  'with keys that were revoked': {
    request: () => asked([...by(revoked), ...caa()]),
    cause: /0 of 3 .*dublin: its key was revoked/,
  },
  'with labels that are not as registered': {
    request: () => asked([...by([dublin, ohio].map((each) => ({ ...each, site: 'plant-a' }))), ...caa()]),
    cause: /its labels are plant-a\/RIPE and not dublin\/RIPE as registered/,
  },
  'with another region': {
    request: () => asked([...by([dublin, ohio].map((each) => ({ ...each, rir: 'AFRINIC' }))), ...caa()]),
    cause: /its labels are dublin\/AFRINIC/,
  },
  'with validations that are too old': {
    request: () => asked([...dcv({ finished: new Date(now.getTime() - 30 * dayMs - 1000) }), ...caa()]),
    cause: /dcv: 0 of 3 .*dublin: it is too old/,
  },
  'with statements from the future': {
    request: () => asked([...dcv({ finished: new Date(now.getTime() + 61_000) }), ...caa()]),
    cause: /it is from the future/,
  },
  'with statements that ended before they began': {
    request: () => asked([...dcv({ changes: { started: now.toISOString() } }), ...caa()]),
    cause: /ended before it began/,
  },
  'with validations of another name': {
    request: () => asked(evidenceFor(workshop, { account, name: 'b.example' })),
    code: 'evidence-missing',
    cause: /a\.example: no statement is about it/,
  },
  'with validations of a name below': {
    request: () => asked(evidenceFor(workshop, { account, name: 'www.a.example', method: 'dns-01' })),
    code: 'evidence-missing',
    cause: /no statement is about it/,
  },
  "with another account's validations, by its own key": {
    request: () => asked(evidenceFor(workshop, { account: stranger, name })),
    cause: /for another account than asks/,
  },
  "with another account's validations, in that account's name": {
    request: () =>
      asked(evidenceFor(workshop, { account: stranger, name }), { account: { ...account, url: stranger.url } }),
    cause: /for another key than the account holder signs with/,
  },
  "with validations for the asker's account and another key": {
    request: () => asked([...dcv({ changes: { thumbprint: stranger.jwk.thumbprint } }), ...caa()]),
    cause: /for another key/,
  },
  "with a stranger's finalize request and its own certification request": {
    request: () => {
      const own = certificationRequest({ names: ['DNS:a.example'] });
      const theirs = certificationRequest({ names: ['DNS:a.example'] });
      const evidence = [
        perspectiveResults(evidenceFor(workshop, { account: stranger, name })),
        finalizeEvidence(stranger, 'order', theirs),
      ];
      return asked([], { csr: own, orderId: 'order', changes: { evidence } });
    },
    cause: /it is about another certification request/,
  },
  "with a stranger's validations and account key, signed by itself": {
    request: () =>
      asked(evidenceFor(workshop, { account: stranger, name }), { account: { ...stranger, key: account.key } }),
    cause: /signature does not verify with the account's key/,
  },
  'with a finalize request of another directory': {
    request: () => asked(good(), { finalize: { url: 'https://other-ca.example/acme/order/order/finalize' } }),
    cause: /'url' is not a finalize URL of ours/,
  },
  'with a finalize request of another order': {
    request: () =>
      asked(good(), { orderId: 'one', finalize: { url: 'https://acme.example/acme/order/other/finalize' } }),
    cause: /the idempotency key is not of its order/,
  },
  'with a request for something else than to finalize': {
    request: () => asked(good(), { orderId: 'one', finalize: { url: 'https://acme.example/acme/order/one' } }),
    cause: /not a finalize URL/,
  },
  'with the account of another directory': {
    request: () => asked(good(), { finalize: { kid: 'https://other-ca.example/acme/account/1' } }),
    cause: /'kid' is not an account of ours/,
  },
  'with a key beside the account': {
    request: () => asked(good(), { finalize: { header: { jwk: { ...account.jwk.jwk } } } }),
    cause: /'jwk' beside 'kid'/,
  },
  'with an idempotency key of its own choice': {
    request: () => asked(good(), { changes: { idempotencyKey: 'a-second-certificate' } }),
    cause: /the idempotency key is not of its order/,
  },
  'with two finalize requests': {
    request: () => {
      const request = asked(good());
      return { ...request, evidence: [...request.evidence, ...request.evidence.slice(1)] };
    },
    cause: /acme-finalize: there are several/,
  },
  'with statements in two pieces of evidence': {
    request: () => {
      const request = asked(good());
      return { ...request, evidence: [perspectiveResults([]), ...request.evidence] };
    },
    cause: /perspective-results: there are several/,
  },
  'with a quorum from two attempts': {
    request: () =>
      asked([
        ...dcv({ attempt: 'first-attempt-000000000' }).slice(0, 1),
        ...dcv({ attempt: 'second-attempt-00000000' }).slice(1, 2),
        ...caa(),
      ]),
    cause: /dcv: 1 of 3 remote perspectives corroborated where 2 are needed/,
  },
  'with a quorum from two opinions about who was to be asked': {
    request: () => asked([...by([dublin]), ...by([ohio], { perspectives: ['dublin', 'ohio', 'sydney'] }), ...caa()]),
    cause: /1 of 3 remote perspectives corroborated/,
  },
  'with a quorum from two tokens': {
    request: () =>
      asked([
        ...by([dublin], { token: 'token-1-0000000000000000' }),
        ...by([ohio], { token: 'token-2-0000000000000000' }),
        ...caa(),
      ]),
    cause: /1 of 3 remote perspectives corroborated/,
  },
  'with a quorum that came together in an hour': {
    request: () =>
      asked([
        ...by([dublin], { finished: new Date(now.getTime() - 3_600_000) }),
        ...by([ohio], { finished: new Date(now.getTime() - 1_800_000) }),
        ...by([tokyo]),
        ...caa(),
      ]),
    cause: /1 of 3 .*dublin: it is older than the rest of its attempt/,
  },
  'with a token that could be guessed': {
    request: () => asked([...dcv({ token: 'short' }), ...caa()]),
    cause: /its token is shorter than 128 bits/,
  },
  'with a quorum from domain control and CAA together': {
    request: () => asked([...dcv().slice(0, 1), ...caa({ attempt: 'attempt-0000000000000000' }).slice(1, 2)]),
    cause: /dcv: 1 of 3/,
  },
  'with one perspective several times': {
    request: () =>
      asked([
        ...by([dublin]),
        ...by([dublin], { changes: { build: 'again' } }),
        ...by([dublin], { changes: { build: 'more' } }),
        ...caa(),
      ]),
    cause: /1 of 3|several statements in one attempt/,
  },
  'with perspectives that contradict themselves': {
    request: () => {
      const failures = by([dublin, ohio, tokyo], {
        changes: { result: 'fail', problem: { type: 'dns', detail: 'no' } },
      });
      return asked([...dcv(), ...failures, ...caa()]);
    },
    cause: /it made several statements in one attempt/,
  },
  'with its own perspective alone': {
    request: () => asked([...by([primary]), ...by([primary], { check: 'caa' })]),
    cause: /0 of 3/,
  },
  'with its own perspective beside one': {
    request: () => asked([...by([primary, dublin]), ...caa()]),
    cause: /1 of 3/,
  },
  'with its own perspective twice, once as another': {
    request: () =>
      asked([...by([primary, dublin]), ...by([{ ...ohio, key: primary.key, keyId: primary.keyId }]), ...caa()]),
    cause: /1 of 3 .*ohio: its key is of spiffe:\/\/gatehouse.internal\/ra\/gate/,
  },
  'with its own perspective named among the remote ones': {
    request: () => asked([...by([primary, dublin], { perspectives: ['dublin', 'gate'] }), ...caa()]),
    cause: /1 distinct remote perspectives/,
  },
  'with an attempt that used fewer perspectives than the policy demands': {
    request: () => asked([...by([dublin], { perspectives: ['dublin'] }), ...caa()]),
    cause: /used 1 distinct remote perspectives where private demands 2/,
  },
  'with failures': {
    request: () =>
      asked([...dcv({ changes: { result: 'fail', problem: { type: 'connection', detail: 'time-out' } } }), ...caa()]),
    cause: /0 of 3 .*dublin: connection: time-out/,
  },
  'with what was looked for given by somebody else': {
    request: () => asked([...dcv({ changes: { expected: 'A'.repeat(43) } }), ...caa()]),
    cause: /it looked for another key authorization/,
  },
  'with validations without token': {
    request: () => {
      const withoutToken = [dublin, ohio, tokyo].map((each) => {
        const { token: _token, ...payload } = statementPayload(each, about());
        return signStatement(each, payload);
      });
      return asked([...withoutToken, ...caa()]);
    },
    cause: /it names no token/,
  },
  'with http-01 for a wildcard': {
    request: () => asked(evidenceFor(workshop, { account, name }), { names: ['*.a.example'] }),
    cause: /\*\.a\.example: dcv: http-01 does not validate wildcards/,
  },
  'with http-01 that calls itself one for a wildcard': {
    request: () => asked(evidenceFor(workshop, { account, name: '*.a.example' }), { names: ['*.a.example'] }),
    cause: /http-01 does not validate wildcards/,
  },
  'with tls-alpn-01 for a name below': {
    request: () => asked(evidenceFor(workshop, { account, name, method: 'tls-alpn-01' }), { names: ['www.a.example'] }),
    cause: /tls-alpn-01 does not validate names below a\.example/,
  },
  'with dns-01 for an address': {
    request: () =>
      asked(evidenceFor(workshop, { account, name: '192.0.2.1', method: 'dns-01' }), { names: ['192.0.2.1'] }),
    cause: /dns-01 is not for addresses/,
  },
  'with a persistent record without policy=wildcard for a name below': {
    request: () =>
      asked(evidenceFor(workshop, { account, name, method: 'dns-persist-01', changes: { coversSubdomains: false } }), {
        names: ['www.a.example'],
      }),
    cause: /does not say policy=wildcard/,
  },
  'with a persistent record whose time is over': {
    request: () =>
      asked(
        evidenceFor(workshop, {
          account,
          name,
          method: 'dns-persist-01',
          changes: { persistUntil: recently.toISOString() },
        }),
      ),
    cause: /the record counted until/,
  },
  'with a persistent record for another issuer': {
    request: () =>
      asked([
        ...dcv({ method: 'dns-persist-01', changes: { expected: `other-ca.example; accounturi=${account.url}` } }),
        ...caa({ method: 'dns-persist-01' }),
      ]),
    cause: /the record is for the issuer 'other-ca\.example'/,
  },
  'with a persistent record of a stranger whose key was asked about together with its own (draft -02)': {
    request: () => {
      const expected = persistentRecord(stranger, name);
      const own = { ...account, url: stranger.url };
      return asked(evidenceFor(workshop, { account: own, name, method: 'dns-persist-01', changes: { expected } }), {
        account: own,
      });
    },
    cause: /the record is for another account or another key than asks/,
  },
  'with a persistent record of a stranger that names no key (draft -01)': {
    request: () => {
      const expected = `${issuer}; accounturi=${stranger.url}; policy=wildcard`;
      const own = { ...account, url: stranger.url };
      return asked(evidenceFor(workshop, { account: own, name, method: 'dns-persist-01', changes: { expected } }), {
        account: own,
      });
    },
    cause: /the record is for another account or another key than asks/,
  },
  'with persistent records for several accounts': {
    request: () => {
      const records = [dublin, ohio, tokyo].map((each, i) =>
        signStatement(
          each,
          statementPayload(
            each,
            about({
              method: 'dns-persist-01',
              changes: { expected: persistentRecord(account, name).replace('x.example', `${i}.example`) },
            }),
          ),
        ),
      );
      return asked([...records, ...caa({ method: 'dns-persist-01' })]);
    },
    cause: /1 of 3 .*the record names another account than others saw/,
  },
  'with CAA that forbids': {
    request: () =>
      asked([
        ...dcv(),
        ...caa({
          changes: {
            result: 'fail',
            problem: { type: 'caa', detail: 'forbidden' },
            caa: { decision: 'forbidden', issuerDomainNames: [issuer], lookup: 'found' },
          },
        }),
      ]),
    cause: /caa: 0 of 3 .*caa: forbidden/,
  },
  'with CAA that forbids and calls itself passed': {
    request: () =>
      asked([
        ...dcv(),
        ...caa({ changes: { caa: { decision: 'forbidden', issuerDomainNames: [issuer], lookup: 'found' } } }),
      ]),
    cause: /CAA records do not permit it/,
  },
  'with CAA whose look-up failed': {
    request: () =>
      asked([
        ...dcv(),
        ...caa({ changes: { caa: { decision: 'permitted', issuerDomainNames: [issuer], lookup: 'failed' } } }),
      ]),
    cause: /which is no permission/,
  },
  'with CAA of a name that is not above': {
    request: () =>
      asked([
        ...dcv(),
        ...caa({
          changes: {
            caa: { decision: 'permitted', foundAt: 'b.example', issuerDomainNames: [issuer], lookup: 'found' },
          },
        }),
      ]),
    cause: /not above the name/,
  },
  'with CAA for the names of another issuer': {
    request: () =>
      asked([
        ...dcv(),
        ...caa({
          changes: { caa: { decision: 'permitted', issuerDomainNames: [issuer, 'other-ca.example'], lookup: 'found' } },
        }),
      ]),
    cause: /looked for the issuer 'other-ca\.example', which this CA is not/,
  },
  'without CAA': { request: () => asked(dcv()), code: 'evidence-missing', cause: /nobody looked for CAA records/ },
  'with CAA for another method': {
    request: () => asked([...dcv(), ...caa({ method: 'dns-01' })]),
    code: 'evidence-missing',
    cause: /nobody looked for CAA records/,
  },
  'with CAA for another account': {
    request: () => asked([...dcv(), ...caa({ account: stranger })]),
    code: 'evidence-missing',
    cause: /nobody looked for CAA records/,
  },
  'with CAA for the name instead of its wildcard': {
    request: () =>
      asked([...dcv({ name: '*.a.example', method: 'dns-01' }), ...caa({ method: 'dns-01' })], {
        names: ['*.a.example'],
      }),
    code: 'evidence-missing',
    cause: /nobody looked for CAA records/,
  },
  'with CAA of the domain above': {
    request: () => asked([...dcv({ method: 'dns-01' }), ...caa({ method: 'dns-01' })], { names: ['www.a.example'] }),
    code: 'evidence-missing',
    cause: /nobody looked for CAA records/,
  },
  'with CAA that is older than eight hours': {
    request: () => asked([...dcv(), ...caa({ finished: new Date(now.getTime() - 8 * 3_600_000 - 1000) })]),
    cause: /caa: 0 of 3 .*it is too old/,
  },
  'with one name proven of two': {
    request: () => asked(good(), { names: [name, 'b.example'] }),
    code: 'evidence-missing',
    cause: /b\.example: no statement is about it/,
  },
  'with a name that the account holder did not ask for': {
    request: () =>
      asked([...good(), ...evidenceFor(workshop, { account, name: 'b.example' })], {
        changes: {
          names: {
            subject: undefined,
            subjectAlternativeNames: [{ name: { $case: 'dns', value: 'b.example' } }],
            replacesRequested: false,
          },
        },
      }),
    cause: /b\.example: it is not in the request that the account holder signed/,
  },
  'with a bare key instead of a request': {
    request: () => {
      const request = asked(good());
      const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
        type: 'spki',
        format: 'der',
      });
      return {
        ...request,
        subjectKey: { $case: 'publicKey', value: { subjectPublicKeyInfo: publicKey, proofOfPossession: 'seen' } },
      };
    },
    code: 'profile-refuses',
    cause: /./,
  },
};

describe('mpic.md §3: a core that knows no ACME gate', () => {
  it('certifies no name, and says what is missing', async () => {
    const unset = { ...keep, validation: { ...keep.validation, acmeBaseUrls: [] } };
    await refused(enroll(unset, contextOf(keep), asked(good())), 'evidence-invalid', /core\.validation\.acmeBaseUrls/);
  });
});

describe('mpic.md §3: a hostile gate', () => {
  it('is the only thing that is wrong here: an honest one gets its certificate', async () => {
    const answer = await enroll(keep, contextOf(keep), asked(good()));
    assert.equal(answer.kind, 'issued');
  });

  for (const [what, { request, code = 'evidence-invalid', cause }] of Object.entries(attacks)) {
    it(`is refused ${what}`, async () => {
      const before = auditRecords(workshop).length;
      const count = keep.store.auditHead().sequence;
      await refused(enroll(keep, contextOf(keep), request()), code, cause);
      assert.ok(before > 0);
      assert.equal(keep.store.auditHead().sequence, count + 1, 'one event');
      const [event] = auditRecords(workshop);
      assert.equal(event?.outcome, code);
      if (code.startsWith('evidence-')) assert.equal(event?.action, 'evidence-refused');
      assert.match(JSON.parse(event?.body ?? '{}').detail, cause);
    });
  }
});
