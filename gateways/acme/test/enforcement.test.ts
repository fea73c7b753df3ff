// The whole way with enforcement on: client, gate, its own perspective and two more processes, and the keep, which issues on
// the word of signed statements alone. What is looked at are real servers on loopback.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { decodePem } from '@gatehouse/pkix/pem';
import { AcmeClient, type HttpAnswer, type Signer } from './support/client.ts';
import { newRequest } from './support/issuer.ts';
import { pollUntil } from './support/poll.ts';
import { type NameServer, startNameServer, startWebServer, type WebServer } from './support/responders.ts';
import { type RunningUp, startUp } from './support/running-up.ts';

type Json = Readonly<Record<string, unknown>>;
type Challenge = { readonly type: string; readonly url: string; readonly token: string };

let names: NameServer;
let web: WebServer;
let up: RunningUp;
let client: AcmeClient;
let account: Signer;

before(async () => {
  names = await startNameServer();
  web = await startWebServer();
  up = await startUp([
    `acme.validation.httpPort=${web.port}`,
    `acme.validation.resolver=${names.address}`,
    'core.validation.issuerDomainNames=["ca.example"]',
  ]);
  client = new AcmeClient({ directory: up.acme, trustAnchor: up.trustAnchor });
  account = await client.account();
});
after(async () => {
  client?.close();
  await up?.stop();
  await web?.close();
  names?.close();
});

async function read(url: unknown): Promise<Json> {
  return (await client.post(String(url), undefined, account)).json();
}

/** Makes an order and has its authorizations validated, by http-01 or dns-01. */
async function validate(identifiers: readonly object[], type: 'http-01' | 'dns-01'): Promise<HttpAnswer> {
  const { newOrder = '' } = await client.directory();
  const made = await client.post(newOrder, { identifiers }, account);
  assert.equal(made.status, 201, made.body);
  const { authorizations } = made.json();
  assert.ok(Array.isArray(authorizations));
  for (const url of authorizations) {
    const { identifier, challenges } = (await read(url)) as {
      identifier: { value: string };
      challenges: readonly Challenge[];
    };
    const challenge = challenges.find((one) => one.type === type);
    assert.ok(challenge !== undefined);
    const keyAuthorization = `${challenge.token}.${account.public.thumbprint}`;
    if (type === 'http-01') web.set(challenge.token, keyAuthorization);
    else {
      const digest = createHash('sha256').update(keyAuthorization).digest('base64url');
      names.setText(`_acme-challenge.${identifier.value}`, [digest]);
    }
    assert.equal((await client.post(challenge.url, {}, account)).status, 200);
  }
  return made;
}

async function settled(url: unknown): Promise<Json> {
  return await pollUntil(async () => {
    const seen = await read(url);
    return seen.status === 'pending' || seen.status === 'processing' ? undefined : seen;
  });
}

/** Has an order issued. @returns the chain */
async function issue(made: HttpAnswer, wanted: readonly string[]): Promise<readonly X509Certificate[]> {
  const { location } = made.headers;
  const ready = await settled(location);
  assert.equal(ready.status, 'ready', JSON.stringify(ready));
  const csr = Buffer.from(newRequest({ names: wanted })).toString('base64url');
  const finalized = await client.post(String(ready.finalize), { csr }, account);
  assert.equal(finalized.status, 200, finalized.body);
  const valid = await settled(location);
  assert.equal(valid.status, 'valid', JSON.stringify(valid));
  const certificate = await client.post(String(valid.certificate), undefined, account);
  return decodePem(certificate.body, ['CERTIFICATE']).map(({ der }) => new X509Certificate(der));
}

const dns = (...values: string[]) => values.map((value) => ({ type: 'dns', value }));

describe('mpic.md §3: issuance with enforcement', () => {
  it('goes through by http-01, and the operator can verify what each perspective signed', async () => {
    const made = await validate(dns('www.demo.test', 'mail.demo.test'), 'http-01');
    const [leaf, issuer] = await issue(made, ['DNS:www.demo.test', 'DNS:mail.demo.test']);
    assert.ok(leaf !== undefined && issuer !== undefined);
    assert.ok(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey));
    assert.match(leaf.subjectAltName ?? '', /www\.demo\.test/);
    const quorums = up.log('acme').filter(({ msg, verdict }) => msg === 'mpic' && verdict === 'pass');
    assert.ok(
      quorums.some(
        ({ identifier, check, quorum }) => identifier === 'www.demo.test' && check === 'caa' && quorum === '2/2',
      ),
    );
    const evidence = await up.run('evidence', 'show', leaf.serialNumber);
    for (const who of ['here-a', 'here-b', 'acme']) assert.match(evidence, new RegExp(who));
  });

  it('goes through for a wildcard and its name by dns-01', async () => {
    // One record for both: they have one name.
    const { newOrder = '' } = await client.directory();
    assert.ok(newOrder !== '');
    const first = await validate(dns('*.wild.demo.test'), 'dns-01');
    const [leaf] = await issue(first, ['DNS:*.wild.demo.test']);
    assert.match(leaf?.subjectAltName ?? '', /\*\.wild\.demo\.test/);
  });

  it('goes through for an address by http-01 (RFC 8738)', async () => {
    const made = await validate([{ type: 'ip', value: '127.0.0.1' }], 'http-01');
    const [leaf] = await issue(made, ['IP:127.0.0.1']);
    assert.match(leaf?.subjectAltName ?? '', /127\.0\.0\.1/);
  });

  it('goes through where CAA names this CA, the account and the method (RFC 8657)', async () => {
    names.setCaa('ours.test', [[0, 'issue', `ca.example; accounturi=${account.kid}; validationmethods=http-01`]]);
    const made = await validate(dns('a.ours.test'), 'http-01');
    assert.equal((await issue(made, ['DNS:a.ours.test'])).length > 1, true);
  });

  it('is refused where CAA names another CA, with where that was found (RFC 8659 §3)', async () => {
    names.setCaa('theirs.test', [[0, 'issue', 'other.example']]);
    const made = await validate(dns('www.theirs.test'), 'http-01');
    const over = await settled(made.headers.location);
    assert.equal(over.status, 'invalid');
    const [url] = made.json().authorizations as string[];
    const { challenges } = (await read(url)) as { challenges: readonly { readonly error: Json }[] };
    assert.equal(challenges[0]?.error.type, 'urn:ietf:params:acme:error:caa');
    assert.match(String(challenges[0]?.error.detail), /theirs\.test/);
  });

  it('is refused where CAA cannot be looked for: SERVFAIL is never permission', async () => {
    names.break('broken.test');
    const made = await validate(dns('www.broken.test'), 'http-01');
    assert.equal((await settled(made.headers.location)).status, 'invalid');
  });

  it('is refused when what is found is not the key authorization, with what was found and where', async () => {
    const { newOrder = '' } = await client.directory();
    const made = await client.post(newOrder, { identifiers: dns('wrong.demo.test') }, account);
    const [url] = made.json().authorizations as string[];
    const { challenges } = (await read(url)) as { challenges: readonly Challenge[] };
    const challenge = challenges.find((one) => one.type === 'http-01');
    assert.ok(challenge !== undefined);
    web.set(challenge.token, 'somebody else');
    await client.post(challenge.url, {}, account);
    const decided = (await settled(url)) as { challenges: readonly { readonly error: Json }[] };
    const error = decided.challenges[0]?.error;
    assert.equal(error?.type, 'urn:ietf:params:acme:error:incorrectResponse');
    assert.match(String(error?.detail), /somebody else/);
    assert.match(String(error?.detail), /127\.0\.0\.1/);
  });
});

describe('acme.md §3, rule 7: crashes', () => {
  it('of one perspective in the middle of an attempt leave the other one, which is enough', async () => {
    up.crash('perspective-here-b');
    const made = await validate(dns('crash.demo.test'), 'http-01');
    assert.equal((await issue(made, ['DNS:crash.demo.test'])).length > 1, true);
    // It comes back at another address, which the gate finds out from the keep.
    await pollUntil(async () => {
      const name = `back${Date.now()}.demo.test`;
      await settled((await validate(dns(name), 'http-01')).headers.location);
      return up.log('acme').some(({ identifier, quorum }) => identifier === name && quorum === '2/2')
        ? true
        : undefined;
    });
  });

  it('of the gate in the middle of a validation lose nothing: it is taken up when the lease ends', async () => {
    const { newOrder = '' } = await client.directory();
    const made = await client.post(newOrder, { identifiers: dns('killed.demo.test') }, account);
    const [url] = made.json().authorizations as string[];
    const { challenges } = (await read(url)) as { challenges: readonly Challenge[] };
    const challenge = challenges.find((one) => one.type === 'http-01');
    assert.ok(challenge !== undefined);
    web.set(challenge.token, `${challenge.token}.${account.public.thumbprint}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen = web.hold(challenge.token, promise);
    await client.post(challenge.url, {}, account);
    await seen;
    up.crash('acme');
    resolve();
    const decided = await pollUntil(async () => {
      const order = await read(made.headers.location).catch(() => undefined);
      return order === undefined || order.status === 'pending' ? undefined : order;
    }, 45_000);
    assert.equal(decided.status, 'ready');
  });
});

describe('mpic.md §4: perspectives that an operator takes away', () => {
  it('leave orders failing as our fault, with an alarm, when the rest is too few', async () => {
    await up.run('perspective', 'disable', 'here-b');
    // The list of perspectives is looked at again after a few seconds.
    const failing = await pollUntil(async () => {
      const made = await validate(dns(`n${Date.now()}.demo.test`), 'http-01');
      const decided = await settled(made.headers.location);
      return decided.status === 'invalid' ? decided : undefined;
    });
    assert.match(JSON.stringify(failing.error), /serverInternal/);
    assert.ok(
      up.log('acme').some(({ level, msg }) => level === 'error' && /too few distinct perspectives/.test(String(msg))),
    );
  });
});
