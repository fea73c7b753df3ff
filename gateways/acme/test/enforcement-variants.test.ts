// With enforcement on: methods that are offered by choice, keys that change between validation and finalization, and
// validations that serve further orders. What the gate carries, the keep has to believe.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { preferredAlgorithms } from '@gatehouse/pkix/jose/signature';
import { AcmeClient, newSigner, type Signer, signJws } from './support/client.ts';
import {
  type Applicant,
  authorizationsOf,
  challengeOf,
  dns,
  issue,
  order,
  read,
  settled,
  validate,
} from './support/issuing.ts';
import { type NameServer, startNameServer, startWebServer, type WebServer } from './support/responders.ts';
import { type RunningUp, startUp } from './support/running-up.ts';

let names: NameServer;
let web: WebServer;
let up: RunningUp;
let client: AcmeClient;

before(async () => {
  names = await startNameServer();
  web = await startWebServer();
  const common = { profile: 'tls-server-validated', description: 'Servers', allowsInternalNames: true };
  const methods = ['dns-account-01', 'dns-persist-01'];
  const profiles = {
    tlsserver: { ...common, authorizationReuse: '10d' },
    chosen: { ...common, methods },
    older: { ...common, profile: 'tls-server-validated-short-lived', methods, dnsPersist: 'draft-01' },
  };
  up = await startUp([
    `acme.profiles=${JSON.stringify(profiles)}`,
    `acme.validation.httpPort=${web.port}`,
    `acme.validation.resolver=${names.address}`,
    'core.validation.issuerDomainNames=["ca.example"]',
    'core.validation.profiles={"tls-server-validated-short-lived":{"policy":"private","mode":"monitor"}}',
  ]);
  client = new AcmeClient({ directory: up.acme, trustAnchor: up.trustAnchor });
});
after(async () => {
  client?.close();
  await up?.stop();
  await web?.close();
  names?.close();
});

async function applicant(): Promise<Applicant> {
  return { client, account: await client.account(), names, web };
}

async function changeKey({ account }: Applicant): Promise<Signer> {
  const next = newSigner();
  const { keyChange: url = '' } = await client.directory();
  const header = { alg: preferredAlgorithms[next.public.kind], jwk: next.public.jwk, url };
  const payload = JSON.stringify({ account: account.kid, oldKey: account.public.jwk });
  assert.equal((await client.post(url, signJws(header, payload, next.key), account)).status, 200);
  return { ...next, ...(account.kid === undefined ? {} : { kid: account.kid }) };
}

/** draft-ietf-acme-dns-persist-02 §3.1. */
function persistentRecord(domain: string, thumbprint: string, account: string, further = ''): string {
  const hash = createHash('sha256').update(Uint8Array.of(domain.length)).update(domain);
  const digest = hash.update(thumbprint).update(account).digest('base64url');
  return `ca.example; accounturi=https://ca.example/acme/sha-256/${digest}${further}`;
}

describe('draft-ietf-acme-dns-account-label: dns-account-01', () => {
  it('goes through for a wildcard, at the account’s own label', async () => {
    const one = await applicant();
    const made = await validate(one, dns('*.labelled.test'), 'dns-account-01', { profile: 'chosen' });
    const [leaf] = await issue(one, made, ['DNS:*.labelled.test']);
    assert.match(leaf?.subjectAltName ?? '', /\*\.labelled\.test/);
  });
});

describe('draft-ietf-acme-dns-persist: dns-persist-01', () => {
  async function respond(one: Applicant, profile: string, name: string): Promise<ReturnType<typeof order>> {
    const made = await order(one, dns(name), { profile });
    const [url = ''] = authorizationsOf(made);
    const challenge = await challengeOf(one, url, 'dns-persist-01');
    assert.equal(challenge.token, undefined);
    assert.equal((await client.post(challenge.url, {}, one.account)).status, 200);
    return await made;
  }

  it('goes through by the record of this account (-02), and shows the CA’s names', async () => {
    const one = await applicant();
    const { thumbprint } = one.account.public;
    names.setText('_validation-persist.lasting.test', [
      persistentRecord('lasting.test', thumbprint, String(one.account.kid)),
    ]);
    const made = await respond(one, 'chosen', 'lasting.test');
    const [url = ''] = authorizationsOf(made);
    assert.deepEqual(Reflect.get(await challengeOf(one, url, 'dns-persist-01'), 'issuerDomainNames'), ['ca.example']);
    assert.equal((await issue(one, made, ['DNS:lasting.test'])).length > 1, true);
  });

  it('takes wildcards only where the record says policy=wildcard', async () => {
    const one = await applicant();
    const record = (further: string) =>
      persistentRecord('*', one.account.public.thumbprint, String(one.account.kid), further);
    names.setText('_validation-persist.narrow.test', [record('')]);
    const narrow = await respond(one, 'chosen', '*.narrow.test');
    assert.equal((await settled(one, narrow.headers.location)).status, 'invalid');
    names.setText('_validation-persist.wide.test', [record('; policy=Wildcard')]);
    const wide = await respond(one, 'chosen', '*.wide.test');
    assert.equal((await issue(one, wide, ['DNS:*.wide.test'])).length > 1, true);
  });

  it('goes on by the record of a former key of the account', async () => {
    const one = await applicant();
    const { thumbprint } = one.account.public;
    names.setText('_validation-persist.former.test', [
      persistentRecord('former.test', thumbprint, String(one.account.kid)),
    ]);
    const changed = { ...one, account: await changeKey(one) };
    const made = await respond(changed, 'chosen', 'former.test');
    assert.equal((await issue(changed, made, ['DNS:former.test'])).length > 1, true);
  });

  it('holds no longer than persistUntil', async () => {
    const one = await applicant();
    const until = Math.floor(Date.now() / 1000) + 7_200;
    const record = persistentRecord(
      'ending.test',
      one.account.public.thumbprint,
      String(one.account.kid),
      `; persistUntil=${until}`,
    );
    names.setText('_validation-persist.ending.test', [record]);
    const made = await respond(one, 'chosen', 'ending.test');
    const [url = ''] = authorizationsOf(made);
    const { expires } = await settled(one, url);
    assert.equal(Date.parse(String(expires)), until * 1000);
  });

  it('goes through by the account’s URL where the profile speaks -01', async () => {
    const one = await applicant();
    names.setText('_validation-persist.older.test', [`ca.example; accounturi=${one.account.kid}`]);
    const made = await respond(one, 'older', 'older.test');
    const [url = ''] = authorizationsOf(made);
    const challenge = await challengeOf(one, url, 'dns-persist-01');
    assert.equal(Reflect.get(challenge, 'accounturi'), one.account.kid);
    assert.deepEqual(Reflect.get(challenge, 'issuer-domain-names'), ['ca.example']);
    // Whether it is issued is said by the keep's profile, which speaks one of the drafts too, or enforces nothing.
    assert.equal((await settled(one, made.headers.location)).status, 'ready');
  });

  it('is refused by the record of another account', async () => {
    const [one, other] = [await applicant(), await applicant()];
    names.setText('_validation-persist.foreign.test', [
      persistentRecord('foreign.test', other.account.public.thumbprint, String(other.account.kid)),
    ]);
    const made = await respond(one, 'chosen', 'foreign.test');
    assert.equal((await settled(one, made.headers.location)).status, 'invalid');
  });
});

describe('mpic.md §3, point 4: the account holder’s keys', () => {
  it('may change between validation and finalization: the key change is carried as a link', async () => {
    const one = await applicant();
    const made = await validate(one, dns('rolled.test'), 'http-01');
    assert.equal((await settled(one, made.headers.location)).status, 'ready');
    const once = { ...one, account: await changeKey(one) };
    const twice = { ...one, account: await changeKey(once) };
    assert.equal((await issue(twice, made, ['DNS:rolled.test'])).length > 1, true);
  });
});

describe('BR §4.2.1: validations that are used again', () => {
  it('serve further orders of the same account, and the keep believes their statements', async () => {
    const one = await applicant();
    const first = await validate(one, dns('again.test'), 'http-01');
    await issue(one, first, ['DNS:again.test']);
    const second = await order(one, dns('again.test'));
    assert.equal(second.json().status, 'ready');
    assert.deepEqual(authorizationsOf(second), authorizationsOf(first));
    await issue(one, second, ['DNS:again.test']);
    // One that is valid and one that is not, in one order.
    const mixed = await validate(one, dns('more.again.test'), 'http-01');
    await settled(one, mixed.headers.location);
    const both = await order(one, dns('again.test', 'more.again.test'));
    assert.equal(both.json().status, 'ready');
    assert.equal((await issue(one, both, ['DNS:again.test', 'DNS:more.again.test'])).length > 1, true);
    assert.equal((await read(one, both.headers.location)).status, 'valid');
  });
});
