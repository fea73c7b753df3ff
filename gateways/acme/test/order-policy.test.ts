// Who may order what, over the wire: keys of external accounts with their policies and pre-authorised names, rate limits,
// and strict mode.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { insertExternalAccountKey, revokeExternalAccountKey } from '../src/state/external-account-keys.ts';
import { migrations } from '../src/state/open.ts';
import { AcmeClient, type HttpAnswer, macJws, newSigner, type Signer } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { createDouble, type Double } from './support/perspectives.ts';
import { pollUntil } from './support/poll.ts';

const file = 'state-policy/acme.db';
const secret = randomBytes(32);

let core: TestCore;
let gate: TestGate;
let client: AcmeClient;
let store: StateStore;
let primary: Double;

before(async () => {
  core = await startCore({ builtin: ['tls-server', 'tls-server-validated', 'gateway-tls'] });
  primary = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
  gate = await startGate({
    core,
    acme: {
      database: { file },
      strict: true,
      rates: {
        enabled: true,
        help: 'https://ca.example/limits',
        accountsPerAddress: { count: 100, per: '1h' },
        ordersPerNames: { count: 2, per: '7d' },
        failuresPerName: { count: 2, per: '1h' },
      },
      profiles: {
        plain: { profile: 'tls-server', description: 'Servers', allowsInternalNames: true },
        other: { profile: 'tls-server', description: 'Other servers', allowsInternalNames: true },
        validated: { profile: 'tls-server-validated', description: 'Validated', allowsInternalNames: true },
      },
    },
    seams: { createPrimary: () => ({ ...primary.perspective.client, problems: () => [] }) },
  });
  client = new AcmeClient(gate);
  const log = createLog({ name: 'test', level: 'silent' });
  store = await openStateStore({ database: { file: join(core.directory, file) }, migrations, log, clock: systemClock });
});
after(async () => {
  await store?.close();
  client?.close();
  await gate?.stop();
  await core?.stop();
});

const dns = (...names: string[]) => names.map((value) => ({ type: 'dns', value }));

async function order(signer: Signer, payload: object): Promise<HttpAnswer> {
  return await client.post((await client.directory()).newOrder ?? '', payload, signer);
}

function typeOf(answer: HttpAnswer): string {
  return String(answer.json().type).replace('urn:ietf:params:acme:error:', '');
}

/** An account of an external one with this policy. */
async function bound(keyId: string, policy: object): Promise<Signer> {
  const key = { keyId, secret, description: '', policy: JSON.stringify(policy), isSingleUse: false };
  await store.commit([
    insertExternalAccountKey({ ...key, maximumAccounts: undefined, expiresAt: undefined, createdAt: new Date() }),
  ]);
  const signer = newSigner();
  const { newAccount = '' } = await client.directory();
  const header = { alg: 'HS256', kid: keyId, url: newAccount };
  const binding = macJws(header, JSON.stringify(signer.public.jwk), secret);
  return await client.account({ termsOfServiceAgreed: true, externalAccountBinding: binding }, signer);
}

describe('RFC 8555 §7.3.4: orders of external accounts', () => {
  it('are refused name by name where the policy does not allow them', async () => {
    const account = await bound('names', { names: { suffixes: ['corp.test'], wildcards: false } });
    assert.equal((await order(account, { identifiers: dns('a.corp.test', 'corp.test') })).status, 201);
    const refused = await order(account, { identifiers: dns('a.corp.test', 'a.elsewhere.test', '*.corp.test') });
    assert.equal(typeOf(refused), 'rejectedIdentifier');
    const { subproblems } = refused.json();
    assert.ok(Array.isArray(subproblems));
    assert.deepEqual(
      subproblems.map(({ identifier }) => identifier.value),
      ['a.elsewhere.test', '*.corp.test'],
    );
    const { newAuthz = '' } = await client.directory();
    const early = await client.post(newAuthz, { identifier: { type: 'dns', value: 'b.elsewhere.test' } }, account);
    assert.equal(typeOf(early), 'rejectedIdentifier');
  });

  it('are refused in profiles that the policy does not allow', async () => {
    const account = await bound('profiles', { profiles: ['other'] });
    assert.equal(typeOf(await order(account, { identifiers: dns('p.test') })), 'invalidProfile');
    assert.equal((await order(account, { identifiers: dns('p.test'), profile: 'other' })).status, 201);
  });

  it('are refused once the key was revoked', async () => {
    const account = await bound('revoked', {});
    await store.commit([revokeExternalAccountKey('revoked', new Date(), () => new Error('it is gone'))]);
    assert.equal(typeOf(await order(account, { identifiers: dns('r.test') })), 'unauthorized');
  });

  it('are born ready for pre-authorised names, whose authorizations need no challenge', async () => {
    const account = await bound('trusted', { preAuthorized: { suffixes: ['trusted.test'], wildcards: true } });
    const made = await order(account, { identifiers: dns('a.trusted.test', '*.trusted.test') });
    assert.equal(made.json().status, 'ready');
    const [url] = made.json().authorizations as string[];
    const authorization = (await client.post(String(url), undefined, account)).json();
    assert.equal(authorization.status, 'valid');
    assert.deepEqual(authorization.challenges, []);
    const mixed = await order(account, { identifiers: dns('b.trusted.test', 'b.test') });
    assert.equal(mixed.json().status, 'pending');
    assert.equal(
      (await order(await client.account(), { identifiers: dns('c.trusted.test') })).json().status,
      'pending',
    );
  });

  it('are never born ready in a profile that demands validation', async () => {
    const account = await bound('demanding', { preAuthorized: { suffixes: ['trusted.test'] } });
    const made = await order(account, { identifiers: dns('d.trusted.test'), profile: 'validated' });
    assert.equal(made.json().status, 'pending');
  });
});

describe('RFC 8555 §6.6: limits of orders', () => {
  it('refuse the same names too often, saying which limit, until when, and where help is', async () => {
    const account = await client.account();
    for (const names of [dns('often.test', 'x.test'), dns('X.test', 'often.test')]) {
      assert.equal((await order(account, { identifiers: names })).status, 201);
    }
    const refused = await order(account, { identifiers: dns('often.test', 'x.test') });
    assert.equal(refused.status, 429);
    assert.equal(typeOf(refused), 'rateLimited');
    assert.match(String(refused.headers['retry-after']), /^\d+$/);
    assert.match(String(refused.headers.link), /<https:\/\/ca\.example\/limits>;rel="help"/);
    assert.match(String(refused.json().detail), /exactly these names/);
  });

  it('refuse names whose validation failed too often', async () => {
    const account = await client.account();
    primary.behave('dcv', { result: 'fail' });
    for (const extra of ['1', '2']) {
      const made = await order(account, { identifiers: dns('failing.test', `${extra}.failing.test`) });
      const [url] = made.json().authorizations as string[];
      const { challenges } = (await client.post(String(url), undefined, account)).json();
      assert.ok(Array.isArray(challenges));
      await client.post(challenges[0].url, {}, account);
      await pollUntil(async () => {
        const { status } = (await client.post(String(url), undefined, account)).json();
        return status === 'invalid' ? true : undefined;
      });
    }
    primary.behave('dcv', {});
    const refused = await order(account, { identifiers: dns('failing.test') });
    assert.equal(typeOf(refused), 'rateLimited');
    assert.match(String(refused.json().detail), /failing\.test/);
    assert.equal((await order(await client.account(), { identifiers: dns('failing.test') })).status, 201);
  });
});

describe('acme.md §3, rule 6: expiry', () => {
  const expire = (table: 'orders' | 'authorizations', url: string) =>
    store.commit([
      {
        sql: `update "${table}" set "expires_at" = ? where "id" = ?`,
        parameters: [Date.now() - 1_000, url.split('/').at(-1) ?? ''],
        expects: { rows: 1, otherwise: () => new Error('there is none') },
      },
    ]);

  it('is judged when an order is read: it is invalid, says why, and takes no CSR', async () => {
    const account = await client.account();
    const made = await order(account, { identifiers: dns('late.test') });
    const location = String(made.headers.location);
    await expire('orders', location);
    const { status, error } = (await client.post(location, undefined, account)).json();
    assert.equal(status, 'invalid');
    assert.match(JSON.stringify(error), /expired/);
    const finalized = await client.post(String(made.json().finalize), { csr: 'AAAA' }, account);
    assert.equal(typeOf(finalized), 'orderNotReady');
  });

  it('is judged when an authorization is read: its challenges are not attempted any more', async () => {
    const account = await client.account();
    const made = await order(account, { identifiers: dns('later.test') });
    const [url = ''] = made.json().authorizations as string[];
    const { challenges } = (await client.post(url, undefined, account)).json();
    assert.ok(Array.isArray(challenges));
    await expire('authorizations', url);
    assert.equal((await client.post(url, undefined, account)).json().status, 'expired');
    assert.equal(typeOf(await client.post(challenges[0].url, {}, account)), 'malformed');
    assert.equal(typeOf(await client.post(url, { status: 'deactivated' }, account)), 'malformed');
  });
});

describe('acme.md §9: strict mode', () => {
  it('takes no challenge request but {}', async () => {
    const account = await client.account();
    const made = await order(account, { identifiers: dns('strict.test') });
    const [url] = made.json().authorizations as string[];
    const { challenges } = (await client.post(String(url), undefined, account)).json();
    assert.ok(Array.isArray(challenges));
    const [{ url: challenge, token }] = challenges;
    for (const payload of [{ resource: 'challenge' }, { keyAuthorization: `${token}.${account.public.thumbprint}` }]) {
      assert.equal(typeOf(await client.post(challenge, payload, account)), 'malformed');
    }
    assert.equal((await client.post(challenge, {}, account)).status, 200);
  });
});
