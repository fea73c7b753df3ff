// ARCHITECTURE §8: the verification of names over the real wire: registration of keys, a large enrollment, what operators read.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { RecordedEvidence } from '@gatehouse/proto/administration';
import type { Profile } from '@gatehouse/proto/certificate-authority';
import { systemClock } from '@gatehouse/runtime/clock';
import { callerUri } from '../../src/registry/caller.ts';
import { auditEvents, enroll, issue, refused } from '../support/enrollment.ts';
import { joinPerspective, registerSigningKey, signingKeyProof } from '../support/perspectives.ts';
import { type Connection, startTestCore, unary } from '../support/running-core.ts';
import { baseUrl, enrollmentOf, evidenceFor, issuer, newAccount, type Signatory } from './workshop.ts';

const configuration = `core:
  validation:
    issuerDomainNames: [${issuer}]
    acmeBaseUrls: ['${baseUrl}/']
    policies: { trial: { remotes: 2, corroborations: 2, dnssec: off } }
    profiles: { tls-server-validated: { policy: trial } }
`;
const core = await startTestCore([], { files: { 'gatehouse.yaml': configuration } });
after(() => core.stop());
const profiles = ['tls-server-validated', 'tls-server-validated-short-lived'];
const credential = await core.addRegistrationAuthority({ name: 'gate', profiles, dns: ['example'] });
const gate = core.connect(credential);

async function signatory(connection: Connection, uri: string, name: string, site: string): Promise<Signatory> {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await registerSigningKey(connection, {
    proof: signingKeyProof(key, uri, new Date()),
    address: name === 'gate' ? '' : '127.0.0.1:7443',
  });
  return { uri, name, site, rir: '', key, keyId: jwkOfKey(key).thumbprint };
}
const perspectives = {
  'here-a': await signatory(
    await joinPerspective(core, 'here-a'),
    callerUri('perspective', 'here-a'),
    'here-a',
    'here-a',
  ),
  'here-b': await signatory(
    await joinPerspective(core, 'here-b'),
    callerUri('perspective', 'here-b'),
    'here-b',
    'here-b',
  ),
};
const primary = await signatory(gate, callerUri('gate', 'gate'), 'gate', '');
const here = { perspectives, primary, clock: systemClock };
const account = newAccount();
const proofOf = (names: readonly string[]) =>
  names.flatMap((name) => evidenceFor(here, { account, name, finished: new Date() }));
const evidenceOf = (serialNumber: string): Promise<RecordedEvidence> =>
  unary((callback) => core.operator.administration.getEvidence({ serialNumber }, callback));

describe('the verification of names over the wire', () => {
  it('tells gates what a profile demands', async () => {
    const profile = await unary<Profile>((callback) =>
      gate.authority.getProfile({ name: 'tls-server-validated' }, callback),
    );
    assert.equal(profile.allowsWildcards, true);
    assert.deepEqual(profile.evidence, ['perspective-results', 'acme-finalize']);
    assert.deepEqual(
      [profile.validation?.mode, profile.validation?.policy, profile.validation?.remotes],
      ['enforce', 'trial', 2],
    );
    assert.deepEqual(profile.validation?.issuerDomainNames, [issuer]);
  });

  it('certifies what perspectives and the account holder have signed for, and shows the proof to operators', async () => {
    const { serialNumber } = await issue(
      gate.authority,
      enrollmentOf({ names: ['a.example'], account, statements: proofOf(['a.example']) }),
    );
    const [event] = await auditEvents(core, { serialNumber });
    assert.match(
      event?.body ?? '',
      /mpic name=a\.example method=http-01 check=dcv quorum=2\/2 verdict=pass policy=trial/,
    );
    const evidence = await evidenceOf(serialNumber);
    assert.equal(evidence.keys.length, 3);
    assert.deepEqual(
      evidence.evidence.map(({ type }) => type),
      ['acme-finalize', 'perspective-results'],
    );
  });

  it('refuses what they have not, name by name', async () => {
    const request = enrollmentOf({
      names: ['a.example', 'b.example', 'c.example'],
      account,
      statements: proofOf(['a.example']),
    });
    const error = await refused(enroll(gate.authority, request), 'evidence-missing', /b\.example: .* \(and 1 more\)/);
    assert.deepEqual(
      error.names.map(({ name, type }) => [name.name?.value, type]),
      [
        ['b.example', 'evidence-missing'],
        ['c.example', 'evidence-missing'],
      ],
    );
  });

  it('takes a hundred names, and shows their proof after a restart', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `n${i}.example`);
    const { serialNumber } = await issue(gate.authority, enrollmentOf({ names, account, statements: proofOf(names) }));
    await core.restart();
    const { verdicts, evidence } = await evidenceOf(serialNumber);
    assert.equal(verdicts.length, 2 + 200);
    assert.equal(evidence[1]?.statements.length, 600);
  });

  it('takes as many statements as the contract allows, and refuses one more', async () => {
    const again = core.connect(credential).authority;
    const junk = Array.from({ length: 2048 }, () => Buffer.alloc(7_000, 'A'));
    await refused(enroll(again, enrollmentOf({ names: ['a.example'], account, statements: junk })), 'evidence-missing');
    await refused(
      enroll(again, enrollmentOf({ names: ['a.example'], account, statements: [...junk, Buffer.from('A')] })),
      'malformed',
      /2048/,
    );
  });
});
