// Orders, authorizations and challenges over the wire, in front of a real keep; the perspective inside of the gate says what
// each test wants to hear.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { AcmeClient, type HttpAnswer, newSigner, type Signer } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { createDouble, type Double } from './support/perspectives.ts';
import { pollUntil } from './support/poll.ts';

type Json = Readonly<Record<string, unknown>>;
type Challenge = { readonly type: string; readonly url: string; readonly status: string; readonly token?: string };

let core: TestCore;
let gate: TestGate;
let client: AcmeClient;
let primary: Double;
let account: Signer;

function seams() {
  primary = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
  return { createPrimary: () => ({ ...primary.perspective.client, problems: () => [] }) };
}

before(async () => {
  core = await startCore();
  gate = await startGate({
    core,
    acme: {
      profiles: {
        plain: { profile: 'tls-server', description: 'Servers', allowsInternalNames: true },
        reusing: {
          profile: 'tls-server',
          description: 'Servers that come back',
          allowsInternalNames: true,
          authorizationReuse: '10d',
        },
        web: { profile: 'tls-server', description: 'By the web alone', methods: ['http-01'] },
        all: {
          profile: 'tls-server',
          description: 'All challenges',
          methods: ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'],
          dnsPersist: 'draft-01',
        },
      },
    },
    seams: seams(),
  });
  client = new AcmeClient({ directory: gate.directory, trustAnchor: gate.trustAnchor });
});
after(async () => {
  client?.close();
  await gate?.stop();
  await core?.stop();
});
beforeEach(async () => {
  primary.behave('dcv', {});
  account = await client.account();
});

const dns = (...names: string[]) => names.map((value) => ({ type: 'dns', value }));

async function order(payload: object, signer = account): Promise<HttpAnswer> {
  return await client.post((await client.directory()).newOrder ?? '', payload, signer);
}

async function read(url: string, signer = account): Promise<Json> {
  const answer = await client.post(url, undefined, signer);
  assert.equal(answer.status, 200, answer.body);
  return answer.json();
}

async function authorizationsOf(made: HttpAnswer): Promise<readonly Json[]> {
  const urls = made.json().authorizations;
  assert.ok(Array.isArray(urls));
  return await Promise.all(urls.map((url) => read(String(url))));
}

function challengeOf(authorization: Json, type = 'http-01'): Challenge {
  const { challenges } = authorization;
  assert.ok(Array.isArray(challenges));
  const found = challenges.find((one) => one.type === type);
  assert.ok(found !== undefined, `there is no ${type}`);
  return found;
}

async function respond(authorization: Json, type?: string): Promise<HttpAnswer> {
  return await client.post(challengeOf(authorization, type).url, {}, account);
}

async function settled(url: string): Promise<Json> {
  return await pollUntil(async () => {
    const seen = await read(url);
    return seen.status === 'pending' || seen.status === 'processing' ? undefined : seen;
  });
}

describe('RFC 8555 §7.4: newOrder', () => {
  it('makes an order with an authorization for each name, and shows its profile', async () => {
    const made = await order({ identifiers: dns('A.example.com', '*.a.example.com') });
    assert.equal(made.status, 201);
    assert.match(String(made.headers.location), /\/acme\/order\/[A-Za-z0-9_-]{22,}$/);
    const { status, identifiers, profile, expires, authorizations, finalize, ...others } = made.json();
    assert.equal(status, 'pending');
    assert.deepEqual(identifiers, dns('a.example.com', '*.a.example.com'));
    assert.equal(profile, 'plain');
    assert.match(String(expires), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Array.isArray(authorizations) && authorizations.length === 2);
    assert.equal(finalize, `${made.headers.location}/finalize`);
    assert.deepEqual(others, {});
    assert.deepEqual(await read(String(made.headers.location)), made.json());
  });

  it('never uses an order again, nor shares a pending authorization', async () => {
    const [first, second] = await Promise.all([
      order({ identifiers: dns('a.test') }),
      order({ identifiers: dns('a.test') }),
    ]);
    assert.notEqual(first.headers.location, second.headers.location);
    assert.notDeepEqual(first.json().authorizations, second.json().authorizations);
  });

  it('tells of each bad name at once', async () => {
    const made = await order({
      identifiers: [...dns('good.test', 'bad..test', 'a_b.test'), { type: 'fax', value: '1' }],
    });
    assert.equal(made.status, 400);
    const { type, subproblems } = made.json();
    assert.equal(type, 'urn:ietf:params:acme:error:compound');
    assert.ok(Array.isArray(subproblems));
    assert.deepEqual(
      subproblems.map((one) => [one.type.split(':').at(-1), one.identifier.value]),
      [
        ['rejectedIdentifier', 'bad..test'],
        ['malformed', 'a_b.test'],
        ['unsupportedIdentifier', '1'],
      ],
    );
  });

  const malformed: readonly object[] = [
    {},
    { identifiers: [] },
    { identifiers: 'a.test' },
    { identifiers: dns(...Array.from({ length: 101 }, (_, i) => `n${i}.test`)) },
    { identifiers: dns('a.test'), notAfter: '2030-01-01T00:00:00' },
    { identifiers: dns('a.test'), notAfter: 17 },
    { identifiers: dns('a.test'), notBefore: '2001-01-01T00:00:00Z' },
    { identifiers: dns('a.test'), notAfter: '2001-01-01T00:00:00Z' },
    { identifiers: dns('a.test'), notAfter: '2090-02-31T00:00:00Z' },
    { identifiers: dns('a.test'), replaces: 5 },
    { identifiers: dns('a.test'), replaces: 'nodot' },
    { identifiers: dns('a.test'), profile: [] },
  ];
  for (const payload of malformed) {
    it(`refuses ${JSON.stringify(payload).slice(0, 70)} as malformed, and stores nothing`, async () => {
      const before = gate.countRows();
      const made = await order(payload);
      assert.equal(made.status, 400, made.body);
      assert.equal(made.json().type, 'urn:ietf:params:acme:error:malformed');
      const now = gate.countRows();
      assert.equal(now.orders, before.orders);
      assert.equal(now.authorizations, before.authorizations);
    });
  }

  it('refuses a profile that there is not, naming those that there are (draft-ietf-acme-profiles)', async () => {
    const made = await order({ identifiers: dns('a.test'), profile: 'gold' });
    assert.equal(made.json().type, 'urn:ietf:params:acme:error:invalidProfile');
    assert.match(String(made.json().detail), /plain/);
  });

  it('grants a notAfter exactly, and shows it', async () => {
    const notAfter = `${new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 19)}Z`;
    assert.equal((await order({ identifiers: dns('a.test'), notAfter })).json().notAfter, notAfter);
  });

  it('refuses a name that none of the profile’s challenges can show control of', async () => {
    const made = await order({ identifiers: dns('*.a.example.com'), profile: 'web' });
    assert.equal(made.json().type, 'urn:ietf:params:acme:error:rejectedIdentifier');
  });

  it('shows nobody the order of another account', async () => {
    const made = await order({ identifiers: dns('a.test') });
    const stranger = await client.account();
    const foreign = await client.post(String(made.headers.location), undefined, stranger);
    const missing = await client.post(`${gate.url}/acme/order/AAAAAAAAAAAAAAAAAAAAAA`, undefined, stranger);
    for (const answer of [foreign, missing]) {
      assert.equal(answer.status, 404);
      assert.equal(answer.json().type, 'urn:ietf:params:acme:error:malformed');
    }
    assert.equal(foreign.json().detail, missing.json().detail);
  });
});

describe('RFC 8555 §7.1.4: authorizations', () => {
  it('have their identifier before their challenges, and no member called value elsewhere', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('a.test') }));
    assert.ok(authorization !== undefined);
    assert.deepEqual(Object.keys(authorization), ['identifier', 'status', 'expires', 'challenges']);
    assert.equal(JSON.stringify(authorization).match(/"value"/g)?.length, 1);
    const { challenges } = authorization;
    assert.ok(Array.isArray(challenges));
    assert.deepEqual(
      challenges.map(({ type }) => type),
      ['http-01', 'dns-01', 'tls-alpn-01'],
    );
    assert.ok(challenges.every(({ status, token }) => status === 'pending' && token.length === 43));
  });

  it('of wildcards have the name without *., say so, and offer the DNS alone', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('*.a.test') }));
    assert.deepEqual(authorization?.identifier, { type: 'dns', value: 'a.test' });
    assert.equal(authorization?.wildcard, true);
    assert.ok(Array.isArray(authorization?.challenges));
    assert.deepEqual(
      authorization.challenges.map(({ type }: Challenge) => type),
      ['dns-01'],
    );
  });

  it('of addresses never offer the DNS (RFC 8738 §7)', async () => {
    const [authorization] = await authorizationsOf(
      await order({ identifiers: [{ type: 'ip', value: '2001:DB8::0:1' }] }),
    );
    assert.deepEqual(authorization?.identifier, { type: 'ip', value: '2001:db8::1' });
    assert.ok(Array.isArray(authorization?.challenges));
    assert.deepEqual(
      authorization.challenges.map(({ type }: Challenge) => type),
      ['http-01', 'tls-alpn-01'],
    );
  });

  it('offer dns-persist-01 only where the CA has a name for its records', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('a.example.com'), profile: 'all' }));
    assert.ok(authorization !== undefined);
    assert.equal(challengeOf(authorization, 'dns-account-01').token?.length, 43);
    assert.ok(!JSON.stringify(authorization).includes('dns-persist-01'));
  });

  it('can be deactivated, which makes their order invalid (§7.5.2)', async () => {
    const made = await order({ identifiers: dns('a.test', 'b.test') });
    const [url] = made.json().authorizations as string[];
    const answer = await client.post(String(url), { status: 'deactivated' }, account);
    assert.equal(answer.status, 200);
    assert.equal(answer.json().status, 'deactivated');
    assert.equal((await read(String(made.headers.location))).status, 'invalid');
    assert.equal((await client.post(String(url), { status: 'deactivated' }, account)).status, 200);
    assert.equal((await client.post(String(url), { status: 'valid' }, account)).status, 400);
    assert.equal((await client.post(String(url), {}, account)).json().type, 'urn:ietf:params:acme:error:malformed');
  });

  it('can be made before an order, but not for wildcards (§7.4.1)', async () => {
    const { newAuthz } = await client.directory();
    const made = await client.post(newAuthz ?? '', { identifier: { type: 'dns', value: 'Pre.test' } }, account);
    assert.equal(made.status, 201);
    assert.deepEqual(made.json().identifier, { type: 'dns', value: 'pre.test' });
    assert.deepEqual(await read(String(made.headers.location)), made.json());
    const wildcard = await client.post(newAuthz ?? '', { identifier: { type: 'dns', value: '*.pre.test' } }, account);
    assert.equal(wildcard.json().type, 'urn:ietf:params:acme:error:malformed');
    assert.equal((await client.post(newAuthz ?? '', {}, account)).status, 400);
  });

  it('that were made before an order serve later orders, whatever the profile says of using them again (§7.4.1)', async () => {
    const { newAuthz } = await client.directory();
    const made = await client.post(newAuthz ?? '', { identifier: { type: 'dns', value: 'early.test' } }, account);
    const url = String(made.headers.location);
    const pending = await order({ identifiers: dns('early.test') });
    assert.notDeepEqual(pending.json().authorizations, [url]);
    await respond(await read(url));
    assert.equal((await settled(url)).status, 'valid');
    for (const names of [['early.test'], ['early.test', 'late.test']]) {
      const later = await order({ identifiers: dns(...names) });
      assert.equal((later.json().authorizations as string[])[0], url);
      assert.equal(later.json().status, names.length === 1 ? 'ready' : 'pending');
    }
    const wildcard = await order({ identifiers: dns('*.early.test') });
    assert.notDeepEqual(wildcard.json().authorizations, [url]);
    const stranger = await order({ identifiers: dns('early.test') }, await client.account());
    assert.equal(stranger.json().status, 'pending');
    await client.post(url, { status: 'deactivated' }, account);
    assert.equal((await order({ identifiers: dns('early.test') })).json().status, 'pending');
  });
});

describe('RFC 8555 §7.5.1: challenges', () => {
  it('are answered at once, while the validation goes on', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    primary.behave('dcv', { waits: promise });
    const made = await order({ identifiers: dns('a.test') });
    const [authorization] = await authorizationsOf(made);
    assert.ok(authorization !== undefined);
    const answer = await respond(authorization);
    assert.equal(answer.status, 200);
    assert.equal(answer.json().status, 'processing');
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
    const [url] = made.json().authorizations as string[];
    assert.ok(
      answer.lines.some(([name, value]) => name === 'link' && value === `<${url}>;rel="up"`),
      String(answer.lines),
    );
    const waiting = await client.post(String(url), undefined, account);
    assert.equal(waiting.json().status, 'pending');
    assert.match(String(waiting.headers['retry-after']), /^\d+$/);
    resolve();
    const decided = await settled(String(url));
    assert.equal(decided.status, 'valid');
    assert.ok(Array.isArray(decided.challenges) && decided.challenges.length === 1);
    assert.match(String(challengeOf(decided).status), /^valid$/);
    assert.equal((await read(String(made.headers.location))).status, 'ready');
  });

  it('start nothing by a second request, of whichever type', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    primary.behave('dcv', { waits: promise });
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('twice.test') }));
    assert.ok(authorization !== undefined);
    const answers = await Promise.all([
      respond(authorization),
      respond(authorization),
      respond(authorization, 'dns-01'),
    ]);
    for (const answer of answers) assert.equal(answer.status, 200, answer.body);
    assert.equal(answers.filter((answer) => answer.json().status === 'processing').length >= 1, true);
    resolve();
    await pollUntil(async () =>
      (await read(challengeOf(authorization).url.replace(/challenge\/([^/]+)\/.*/, 'authz/$1'))).status === 'valid'
        ? true
        : undefined,
    );
    const asked = primary.asked.filter(({ request }) => request.identifier?.value === 'twice.test');
    assert.equal(asked.length, 1);
    assert.equal((await respond(authorization)).status, 200);
  });

  it('make their authorization and its order invalid when they fail, with what was seen', async () => {
    primary.behave('dcv', {
      result: 'fail',
      problem: { type: 'incorrectResponse', detail: 'at http://192.0.2.1/x was "y"' },
    });
    const made = await order({ identifiers: dns('fails.test', 'other.test') });
    const [authorization] = await authorizationsOf(made);
    assert.ok(authorization !== undefined);
    await respond(authorization);
    const [url] = made.json().authorizations as string[];
    const decided = await settled(String(url));
    assert.equal(decided.status, 'invalid');
    assert.ok(Array.isArray(decided.challenges));
    assert.equal(decided.challenges.length, 1);
    const [{ status, error }] = decided.challenges;
    assert.equal(status, 'invalid');
    assert.equal(error.type, 'urn:ietf:params:acme:error:incorrectResponse');
    assert.match(error.detail, /192\.0\.2\.1/);
    const over = await read(String(made.headers.location));
    assert.equal(over.status, 'invalid');
    assert.match(JSON.stringify(over.error), /fails\.test/);
  });

  it('make an order ready with the last of its authorizations, and not before', async () => {
    const made = await order({ identifiers: dns('one.test', 'two.test', 'three.test') });
    const location = String(made.headers.location);
    const found = await authorizationsOf(made);
    const urls = made.json().authorizations as string[];
    for (const [i, authorization] of found.entries()) {
      assert.equal((await read(location)).status, 'pending');
      await respond(authorization);
      await settled(String(urls[i]));
    }
    assert.equal((await read(location)).status, 'ready');
  });

  it('take the key authorization that old clients send along, if it is right', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('old.test') }));
    assert.ok(authorization !== undefined);
    const { url, token } = challengeOf(authorization);
    const wrong = await client.post(url, { keyAuthorization: `${token}.x` }, account);
    assert.equal(wrong.json().type, 'urn:ietf:params:acme:error:malformed');
    const right = { resource: 'challenge', keyAuthorization: `${token}.${account.public.thumbprint}` };
    assert.equal((await client.post(url, right, account)).status, 200);
  });

  it('are read by POST-as-GET, which starts nothing', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('read.test') }));
    assert.ok(authorization !== undefined);
    assert.equal((await read(challengeOf(authorization).url)).status, 'pending');
    assert.equal((await read(challengeOf(authorization).url)).status, 'pending');
    assert.ok(primary.asked.every(({ request }) => request.identifier?.value !== 'read.test'));
  });

  it('of another account, or of a type that is not offered, are not there', async () => {
    const [authorization] = await authorizationsOf(await order({ identifiers: dns('a.test') }));
    assert.ok(authorization !== undefined);
    const { url } = challengeOf(authorization);
    assert.equal((await client.post(url, {}, await client.account())).status, 404);
    assert.equal((await client.post(url.replace('http-01', 'dns-persist-01'), {}, account)).status, 404);
  });
});

describe('RFC 8555 §7.1.3: authorizations that are used again', () => {
  it('make an order be born ready, for the same account and profile alone', async () => {
    const wish = { identifiers: dns('again.test'), profile: 'reusing' };
    const made = await order(wish);
    const [authorization] = await authorizationsOf(made);
    assert.ok(authorization !== undefined);
    await respond(authorization);
    const urls = made.json().authorizations as string[];
    await settled(String(urls[0]));
    const second = await order(wish);
    assert.equal(second.json().status, 'ready');
    assert.deepEqual(second.json().authorizations, urls);
    assert.equal((await order({ ...wish, profile: 'plain' })).json().status, 'pending');
    assert.equal((await order({ ...wish, identifiers: dns('*.again.test') })).json().status, 'pending');
    const mixed = await order({ ...wish, identifiers: dns('again.test', 'more.test') });
    assert.equal(mixed.json().status, 'pending');
    assert.equal((mixed.json().authorizations as string[])[0], urls[0]);
    assert.equal((await order(wish, await client.account())).json().status, 'pending');
    // What stands on it falls with it.
    await client.post(String(urls[0]), { status: 'deactivated' }, account);
    assert.equal((await read(String(second.headers.location))).status, 'invalid');
    assert.equal((await order(wish)).json().status, 'pending');
  });

  it('are not used by profiles without authorizationReuse', async () => {
    const made = await order({ identifiers: dns('fresh.test') });
    const [authorization] = await authorizationsOf(made);
    assert.ok(authorization !== undefined);
    await respond(authorization);
    await settled(String((made.json().authorizations as string[])[0]));
    assert.equal((await order({ identifiers: dns('fresh.test') })).json().status, 'pending');
  });
});

describe('acme.md §6: requests that are signed by nobody in particular', () => {
  it('are refused before anything is looked at', async () => {
    const { newOrder } = await client.directory();
    const unknown = await client.post(newOrder ?? '', { identifiers: dns('a.test') }, newSigner());
    assert.equal(unknown.json().type, 'urn:ietf:params:acme:error:malformed');
  });
});
