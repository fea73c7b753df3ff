// A join token buys the first credential of its RA: once, in time, for a key of its holder.
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import type {
  JoinToken,
  ListRegistrationAuthoritiesResponse,
  RegistrationAuthority,
} from '@gatehouse/proto/administration';
import type { Credential } from '@gatehouse/proto/certificate-authority';
import { createManualClock } from '@gatehouse/runtime/clock';
import { requestOf, verifyStrictly } from '../openssl.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  newKey,
  refused,
} from '../support/enrollment.ts';
import { addRequest, credentialOfToken, joinWith, startTestCore, unary } from '../support/running-core.ts';

const clock = createManualClock(new Date());
const core = await startTestCore([], { clock });
after(() => core.stop());
const hourMs = 3_600_000;
let count = 0;

/** Registers a new RA; its name and its token. */
async function register(life?: { readonly seconds: number; readonly nanos: number }) {
  count += 1;
  const name = `gate-${count}`;
  const request = addRequest({ name, profiles: ['tls-server'], dns: ['example.com'] });
  const made = await unary<JoinToken>((callback) =>
    core.operator.administration.addRegistrationAuthority({ ...request, tokenLife: life }, callback),
  );
  return { name, ...made };
}

function buy(token: string, csr = certificationRequest()): Promise<Credential> {
  const { authority } = core.connect(credentialOfToken(token));
  return unary((callback) => authority.join({ certificationRequest: csr }, callback));
}

const tokenFor = (name: string, tokenLife?: { seconds: number; nanos: number }) =>
  unary<JoinToken>((callback) => core.operator.administration.createJoinToken({ name, tokenLife }, callback));

describe('a join token', () => {
  it('buys a credential that says who its RA is and lives for a day', async () => {
    const { name, token } = await register();
    const credential = await buy(
      token,
      certificationRequest({ subject: 'CN=somebody else', names: ['DNS:evil.test'] }),
    );
    assert.equal(credential.name, name);
    const certificate = readCertificate(credential.certificate);
    assert.deepEqual(subjectAlternativeNames(certificate), [
      { kind: 'uri', value: `spiffe://gatehouse.internal/ra/${name}` },
    ]);
    assert.deepEqual(certificate.subject, []);
    assert.deepEqual(certificate.notAfter, credential.notAfter);
    assert.ok(Math.abs((credential.notAfter?.getTime() ?? 0) - clock.now().getTime() - 24 * hourMs) < 2000);
    const [anchor] = credential.trustAnchors;
    assert.ok(anchor);
    verifyStrictly({ anchor, certificate: credential.certificate, purpose: 'sslclient' });
    const [event] = await auditEvents(core, { action: 'ra-joined', registrationAuthority: name });
    assert.equal(event?.serialNumber, certificate.serialNumber);
  });

  it('works once', async () => {
    const { name, token } = await register();
    await buy(token);
    await refused(buy(token), 'unauthorized', /used or has expired/);
    const [event] = await auditEvents(core, { action: 'join-token-refused', limit: 1 });
    assert.deepEqual([event?.registrationAuthority, event?.outcome], [name, 'unauthorized']);
  });

  it('works once when ten ask at the same time', async () => {
    const { token } = await register();
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => buy(token)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('lives for an hour unless told, and not longer than told', async () => {
    const { expiresAt } = await register();
    assert.equal(expiresAt?.getTime(), clock.now().getTime() + hourMs);
    const brief = await register({ seconds: 60, nanos: 0 });
    assert.equal(brief.expiresAt?.getTime(), clock.now().getTime() + 60_000);
  });

  it('is refused late', async () => {
    const { token } = await register();
    clock.advance(hourMs + 1000);
    await refused(buy(token), 'unauthorized');
    clock.advance(-hourMs - 1000);
  });

  for (const life of [
    { seconds: 0, nanos: 0 },
    { seconds: -60, nanos: 0 },
    { seconds: 8 * 86_400, nanos: 0 },
  ]) {
    it(`cannot be made for a life of ${life.seconds} seconds`, async () => {
      await refused(register(life), 'malformed', /7 days/);
    });
  }

  it('can do nothing but join', async () => {
    const { token } = await register();
    const { authority, administration } = core.connect(credentialOfToken(token));
    const csr = certificationRequest({ names: ['DNS:a.example.com'] });
    await refused(enroll(authority, enrollRequest(csr)), 'unauthorized');
    const renewal = { certificationRequest: certificationRequest() };
    await refused(
      unary((callback) => authority.renewCredential(renewal, callback)),
      'unauthorized',
    );
    await refused(
      unary((callback) => administration.listRegistrationAuthorities({}, callback)),
      'unauthorized',
    );
    await buy(token);
  });

  it('is of no use once its RA is disabled', async () => {
    const { name, token } = await register();
    await unary<RegistrationAuthority>((callback) =>
      core.operator.administration.disableRegistrationAuthority({ name }, callback),
    );
    await refused(buy(token), 'unauthorized', /disabled/);
  });

  it('survives a restart', async () => {
    const { token } = await register();
    await core.restart();
    await buy(token);
    await core.restart();
    await refused(buy(token), 'unauthorized');
  });
});

describe('the key of a credential', () => {
  it('must be proved; a token whose request was refused still works', async () => {
    const { token } = await register();
    const unproved = certificationRequest();
    unproved[unproved.length - 1] = (unproved.at(-1) ?? 0) ^ 1;
    await refused(buy(token, unproved), 'bad-csr', /possession/);
    await refused(buy(token, Buffer.from('nothing')), 'malformed');
    await buy(token);
  });

  it('must be of a kind that credentials have', async () => {
    const { token } = await register();
    const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await refused(buy(token, certificationRequest({ key: rsa })), 'bad-key', /RSA/);
    const pem = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    await refused(buy(token, requestOf(pem.toString(), '/CN=a')), 'bad-key', /curve/);
  });

  it('must be nobody else’s', async () => {
    const { token } = await register();
    const operator = readFileSync(join(core.directory, 'operators/admin.pem'), 'utf8');
    await refused(buy(token, certificationRequest({ key: createPrivateKey(operator) })), 'bad-key', /operator/);
    const key = newKey();
    await buy((await register()).token, certificationRequest({ key }));
    await refused(buy(token, certificationRequest({ key })), 'bad-key', /registration authority/);
  });
});

describe('a further token', () => {
  it('is for an RA that lost its credential; the old one goes on until it ends', async () => {
    const { name, token } = await register();
    const first = core.connect(await joinWith(core.running.address, token)).authority;
    const second = core.connect(await joinWith(core.running.address, (await tokenFor(name)).token)).authority;
    for (const authority of [first, second]) await unary((callback) => authority.getTrustBundle({}, callback));
    const made = await auditEvents(core, { action: 'join-token-created', registrationAuthority: name });
    assert.equal(made.length, 2);
    for (const { body } of made) assert.doesNotMatch(body, /gh-join|PRIVATE/);
  });

  it('is not made for an RA that does not exist or is disabled', async () => {
    await refused(tokenFor('nobody'), 'not-found', /nobody/);
    const { name } = await register();
    await unary<RegistrationAuthority>((callback) =>
      core.operator.administration.disableRegistrationAuthority({ name }, callback),
    );
    await refused(tokenFor(name), 'conflict', /disabled/);
  });
});

describe('registering an RA', () => {
  const add = (options: Parameters<typeof addRequest>[0]) =>
    unary<JoinToken>((callback) =>
      core.operator.administration.addRegistrationAuthority(addRequest(options), callback),
    );

  it('with a name that is taken is a conflict', async () => {
    const { name } = await register();
    await refused(add({ name, profiles: [] }), 'conflict', new RegExp(name));
  });

  for (const name of ['', 'UPPER', 'with space', '-a', 'a-', 'ä', 'a/b', 'a'.repeat(64)]) {
    it(`with the name ${JSON.stringify(name)} is malformed`, async () => {
      await refused(add({ name, profiles: [] }), 'malformed', /name/);
    });
  }

  it('with a scope that could never match is malformed, and names the entry', async () => {
    await refused(add({ name: 'scoped', profiles: [], dns: ['*.example.com'] }), 'malformed', /\*\.example\.com/);
    await refused(add({ name: 'scoped', profiles: [], ip: ['10.0.0.1/8'] }), 'malformed', /10\.0\.0\.1/);
    await refused(add({ name: 'scoped', profiles: [], subject: ['nonsense'] }), 'malformed', /nonsense/);
    await refused(add({ name: 'scoped', profiles: [], ratePerSecond: -1 }), 'malformed', /rate/);
    await refused(add({ name: 'scoped', profiles: [], maximumValiditySeconds: 0 }), 'malformed', /validity/);
  });

  it('is listed as it was registered, with the end of its credential', async () => {
    const options = {
      name: 'listed',
      profiles: ['tls-server'],
      dns: ['example.com'],
      subject: ['O=*'],
      ratePerSecond: 5,
    };
    const { token } = await add(options);
    const list = async () =>
      (
        await unary<ListRegistrationAuthoritiesResponse>((callback) =>
          core.operator.administration.listRegistrationAuthorities({}, callback),
        )
      ).registrationAuthorities.find(({ name }) => name === 'listed');
    const before = await list();
    assert.deepEqual(before?.scope, addRequest(options).registrationAuthority?.scope);
    assert.deepEqual([before?.profiles, before?.ratePerSecond, before?.isDisabled], [['tls-server'], 5, false]);
    assert.equal(before?.credentialExpiresAt, undefined);
    const { notAfter } = await buy(token);
    assert.deepEqual((await list())?.credentialExpiresAt, notAfter);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
