// Which profile and which names an RA gets: what is refused is told name by name, through the trailer of the call.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { formatName } from '@gatehouse/pkix/names';
import type { Profile } from '@gatehouse/proto/certificate-authority';
import type { GeneralName } from '@gatehouse/proto/types';
import { RequesterKind } from '@gatehouse/proto/types';
import {
  assertAuditHolds,
  assignment,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  lastAuditEvent,
  type RequestParts,
  refused,
  requester,
} from '../../support/enrollment.ts';
import { startTestCore, unary } from '../../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const gate = await core.joinRegistrationAuthority({
  name: 'gate',
  profiles: ['tls-server', 'tls-client', 'tls-server-client', 'gateway-tls', 'ocsp-signing'],
  dns: ['example.com', 'localhost'],
  ip: ['192.0.2.0/24', '2001:db8::/32'],
  uri: ['https://example.com/app'],
  email: ['example.com'],
  subject: ['O=Example*', 'tls-client:serialNumber=*'],
});

function request(parts: RequestParts, changes: Parameters<typeof enrollRequest>[1] = {}) {
  return enrollRequest(certificationRequest(parts), changes);
}

async function namesOf(parts: RequestParts, changes: Parameters<typeof enrollRequest>[1] = {}) {
  const certificate = readCertificate((await issue(gate, request(parts, changes))).certificate);
  return {
    subject: formatName(certificate.subject),
    names: subjectAlternativeNames(certificate).map(formatGeneralName),
  };
}

const textOf = ({ name }: GeneralName): string =>
  name === undefined || name.$case === 'der' ? String(name?.$case) : `${name.$case}:${name.value}`;

describe('which profile an RA may use', () => {
  it('one that does not exist is unknown', async () => {
    await refused(enroll(gate, request({}, { profile: 'nonsense' })), 'profile-unknown', /nonsense/);
  });

  it('one that exists and is not of this RA is out of scope', async () => {
    await refused(enroll(gate, request({}, { profile: 'device-identity' })), 'out-of-scope', /device-identity/);
    const event = await lastAuditEvent(core);
    assert.deepEqual(
      [event.action, event.outcome, event.profile],
      ['enrollment-refused', 'out-of-scope', 'device-identity'],
    );
  });

  it('one of the bridge’s own credentials cannot be enrolled, nor given to an RA', async () => {
    const parts = { names: ['URI:spiffe://gatehouse.internal/ra/other'] };
    await refused(enroll(gate, request(parts, { profile: 'ra-credential' })), 'out-of-scope', /ra-credential/);
    const other = core.addRegistrationAuthority({ name: 'other', profiles: ['ra-credential'], uri: ['*'] });
    await refused(other, 'malformed', /ra-credential/);
  });

  it('an RA cannot be registered for a profile that does not exist', async () => {
    await refused(
      core.addRegistrationAuthority({ name: 'other', profiles: ['nonsense'] }),
      'profile-unknown',
      /nonsense/,
    );
  });

  it('one that is not for this kind of requester refuses', async () => {
    const gateway = request({ names: ['DNS:gate.example.com'] }, { profile: 'gateway-tls' });
    await refused(enroll(gate, gateway), 'profile-refuses', /requesters of kind user/);
    const kind = RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY;
    await issue(gate, { ...gateway, requester: { ...requester, kind } });
  });

  it('the profiles of an RA are what it is shown', async () => {
    const { profiles } = await unary<{ profiles: Profile[] }>((callback) => gate.listProfiles({}, callback));
    assert.deepEqual(profiles.map(({ name }) => name).sort(), [
      'gateway-tls',
      'ocsp-signing',
      'tls-client',
      'tls-server',
      'tls-server-client',
    ]);
    const get = (name: string) => unary<Profile>((callback) => gate.getProfile({ name }, callback));
    assert.equal((await get('tls-server')).name, 'tls-server');
    await refused(get('device-identity'), 'profile-unknown', /device-identity/);
  });
});

describe('names within the scope of the RA', () => {
  it('are certified', async () => {
    const names = ['DNS:a.example.com', 'DNS:*.b.example.com', 'IP:192.0.2.9', 'IP:2001:db8::9'];
    assert.deepEqual(await namesOf({ names }), { subject: '', names });
  });

  it('every other one is refused by itself, and all of them at once', async () => {
    const names = ['DNS:a.example.com', 'DNS:evil.test', 'DNS:badexample.com', 'IP:198.51.100.1', 'DNS:*.test'];
    const error = await refused(enroll(gate, request({ names })), 'out-of-scope', /evil\.test.*3 more/);
    assert.deepEqual(
      error.names.map(({ name, type }) => [textOf(name), type]),
      ['dns:evil.test', 'dns:badexample.com', 'ip:198.51.100.1', 'dns:*.test'].map((name) => [name, 'out-of-scope']),
    );
    for (const { detail } of error.names) assert.match(detail, /outside/);
  });

  it('a refusal of a thousand names tells the first ones, and the connection and its other calls go on', async () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.elsewhere.test`;
    const names = assignment(Array.from({ length: 1000 }, (_, index) => `DNS:host-${index}.${long}`));
    const [error] = await Promise.all([
      refused(enroll(gate, request({}, { names })), 'out-of-scope', /999 more/),
      issue(gate, request({ names: ['DNS:a.example.com'] })),
    ]);
    assert.ok(error.names.length >= 50, `${error.names.length} names`);
    assert.equal(textOf(error.names[0]?.name ?? { name: undefined }), `dns:host-0.${long}`);
  });

  it('a refusal of one very long name arrives, too', async () => {
    const name = `URI:https://example.com/${'%C3%A4'.repeat(2500)}`;
    await refused(enroll(gate, request({ names: [name] })), 'rejected-name', /URI:https/);
    await refused(enroll(gate, request({ names: [name] }, { profile: 'tls-client' })), 'out-of-scope', /URI:https/);
    await issue(gate, request({ names: ['DNS:a.example.com'] }));
  });

  it('names that the RA assigns are judged like requested ones', async () => {
    await refused(enroll(gate, request({}, { names: assignment(['DNS:evil.test']) })), 'out-of-scope', /evil\.test/);
  });

  it('an RA without scope gets no name at all', async () => {
    const bare = await core.joinRegistrationAuthority({ name: 'bare', profiles: ['tls-server', 'tls-client'] });
    await refused(enroll(bare, request({ names: ['DNS:a.example.com'] })), 'out-of-scope', /a\.example\.com/);
    await refused(enroll(bare, request({ subject: 'CN=x' }, { profile: 'tls-client' })), 'out-of-scope', /CN/);
  });

  it('subject attributes are names too', async () => {
    const profile = 'tls-client';
    const of = (subject: string) => request({ subject, names: ['email:a@example.com'] }, { profile });
    await issue(gate, of('O=Example Corp'));
    await issue(gate, of('serialNumber=4711'));
    const error = await refused(enroll(gate, of('OU=Board,O=Other')), 'out-of-scope', /O=.*Other/);
    assert.equal(error.names.length, 2);
    assert.deepEqual([...new Set(error.names.map(({ name }) => name.name?.$case))], ['der']);
  });
});

describe('names that the profile does not let through', () => {
  it('a kind that it does not know, one refusal a name', async () => {
    const names = ['DNS:a.example.com', 'email:a@example.com', 'URI:https://example.com/app'];
    const error = await refused(enroll(gate, request({ names })), 'rejected-name', /a@example\.com/);
    assert.deepEqual(
      error.names.map(({ name, type }) => [textOf(name), type]),
      [
        ['email:a@example.com', 'rejected-name'],
        ['uri:https://example.com/app', 'rejected-name'],
      ],
    );
  });

  it('a wildcard where it takes none', async () => {
    const wildcard = request({ names: ['DNS:*.example.com'] }, { profile: 'tls-server-client' });
    await refused(enroll(gate, wildcard), 'rejected-name', /wildcard/);
  });

  it('nothing, where it demands a name', async () => {
    await refused(enroll(gate, request({})), 'rejected-name', /demands a name/);
  });

  it('an assigned name that is none', async () => {
    const names = assignment([], { subjectAlternativeNames: [{ name: { $case: 'dns', value: 'a b' } }] });
    const error = await refused(enroll(gate, request({}, { names })), 'rejected-name');
    assert.equal(error.names.length, 1);
    const empty = assignment([], { subjectAlternativeNames: [{ name: undefined }] });
    await refused(enroll(gate, request({}, { names: empty })), 'malformed', /empty/);
  });
});

describe('BR §7.1.4.3: the common name', () => {
  it('alone stands for the DNS name', async () => {
    const expected = { subject: 'CN=a.example.com', names: ['DNS:a.example.com'] };
    assert.deepEqual(await namesOf({ subject: 'CN=A.example.com' }), expected);
  });

  it('alone stands for the address', async () => {
    const expected = { subject: 'CN=192.0.2.1', names: ['IP:192.0.2.1'] };
    assert.deepEqual(await namesOf({ subject: 'CN=192.0.2.1' }), expected);
  });

  it('beside names must be one of them', async () => {
    const parts = { subject: 'CN=b.example.com', names: ['DNS:a.example.com'] };
    await refused(enroll(gate, request(parts)), 'rejected-name', /b\.example\.com/);
  });

  it('that is no host is refused for a server', async () => {
    await refused(enroll(gate, request({ subject: 'CN=My Server' })), 'rejected-name');
    const parts = { subject: 'CN=My Server', names: ['DNS:a.example.com'] };
    await refused(enroll(gate, request(parts)), 'rejected-name', /My Server/);
  });

  it('that is a host outside of the scope is refused', async () => {
    await refused(enroll(gate, request({ subject: 'CN=evil.test' })), 'out-of-scope', /evil\.test/);
  });

  it('places and organisations of a request for a server are dropped', async () => {
    const parts = { subject: 'CN=a.example.com,O=Internet Widgits,ST=Some-State,C=AU', names: ['DNS:a.example.com'] };
    assert.deepEqual(await namesOf(parts), { subject: 'CN=a.example.com', names: ['DNS:a.example.com'] });
  });
});

describe('names that the RA assigns', () => {
  it('come beside the requested ones, each once', async () => {
    const names = assignment(['DNS:b.example.com', 'DNS:A.example.com']);
    const expected = ['DNS:a.example.com', 'DNS:b.example.com'];
    assert.deepEqual((await namesOf({ names: ['DNS:a.example.com'] }, { names })).names, expected);
  });

  it('take their place where the RA says so', async () => {
    const names = assignment(['DNS:b.example.com'], { replacesRequested: true });
    assert.deepEqual((await namesOf({ names: ['DNS:evil.test'] }, { names })).names, ['DNS:b.example.com']);
  });

  it('a subject takes the place of the requested one', async () => {
    const names = assignment([], { subject: 'O=Example Corp' });
    const { subject } = await namesOf(
      { subject: 'O=Other', names: ['DNS:a.example.com'] },
      { names, profile: 'tls-client' },
    );
    assert.equal(subject, 'O=Example Corp');
  });

  it('an empty subject takes the requested one away', async () => {
    const names = assignment([], { subject: '' });
    assert.equal(
      (await namesOf({ subject: 'O=Other', names: ['DNS:a.example.com'] }, { names, profile: 'tls-client' })).subject,
      '',
    );
  });

  it('a subject that is none is the RA’s mistake', async () => {
    const names = assignment([], { subject: 'no such thing' });
    await refused(enroll(gate, request({ names: ['DNS:a.example.com'] }, { names })), 'malformed', /subject/);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
