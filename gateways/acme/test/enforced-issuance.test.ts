// What only shows with the whole set-up and enforcement on: evidence after a change of the account's key, evidence of a former
// order, and orders that are under way when the gate or the keep is killed.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { preferredAlgorithms } from '@gatehouse/pkix/jose/signature';
import { connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { createLog } from '@gatehouse/runtime/log';
import { AcmeClient, newSigner, type Signer, signJws } from './support/client.ts';
import { csrOf, type OrderJson } from './support/orders.ts';
import { pollUntil } from './support/poll.ts';
import { startWebServer, type WebServer } from './support/responders.ts';
import { type RunningUp, startUp } from './support/running-up.ts';

let web: WebServer;
let up: RunningUp;
let client: AcmeClient;
let count = 0;

before(async () => {
  web = await startWebServer();
  up = await startUp([`acme.validation.httpPort=${web.port}`]);
  client = new AcmeClient({ directory: up.acme, trustAnchor: up.trustAnchor });
});
after(async () => {
  client?.close();
  await up?.stop();
  await web?.close();
});

const newName = () => `n${++count}.localhost`;

/** Asks again while nobody answers: the gate may be between two lives. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return await pollUntil(async () => {
    try {
      return await ask();
    } catch {
      return undefined;
    }
  });
}

async function read(url: string, signer: Signer): Promise<OrderJson> {
  const answer = await client.post(url, undefined, signer);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body);
}

async function finished(url: string, signer: Signer): Promise<OrderJson> {
  return await pollUntil(async () => {
    const order = await patiently(() => read(url, signer));
    return order.status === 'processing' || order.status === 'pending' ? undefined : order;
  });
}

/** An order whose names were shown to be this account's. @returns its URL */
async function ready(
  signer: Signer,
  names: readonly string[],
): Promise<{ readonly url: string; readonly json: OrderJson }> {
  const identifiers = names.map((value) => ({ type: 'dns', value }));
  const made = await client.post(String((await client.directory()).newOrder), { identifiers }, signer);
  assert.equal(made.status, 201, made.body);
  const order: OrderJson = JSON.parse(made.body);
  for (const url of order.authorizations) {
    const { challenges } = (await client.post(url, undefined, signer)).json();
    assert.ok(Array.isArray(challenges));
    const challenge = challenges.find(({ type }) => type === 'http-01');
    web.set(challenge.token, `${challenge.token}.${signer.public.thumbprint}`);
    await client.post(challenge.url, {}, signer);
  }
  const url = String(made.headers.location);
  const json = await finished(url, signer);
  assert.equal(json.status, 'ready', JSON.stringify(json));
  return { url, json };
}

async function changeKey(account: Signer): Promise<Signer> {
  const next = newSigner();
  const url = String((await client.directory()).keyChange);
  const header = { alg: preferredAlgorithms[next.public.kind], jwk: next.public.jwk, url };
  const inner = signJws(header, JSON.stringify({ account: account.kid, oldKey: account.public.jwk }), next.key);
  const answer = await client.post(url, inner, account);
  assert.equal(answer.status, 200, answer.body);
  return { ...next, ...(account.kid === undefined ? {} : { kid: account.kid }) };
}

async function issuedFor(name: string): Promise<number> {
  const endpoints = JSON.parse(readFileSync(join(up.directory, 'endpoints.json'), 'utf8'));
  const operator = connectCore({
    addresses: [String(endpoints.core.address)],
    credential: holdCredential(loadCredential(join(up.directory, 'operators/admin.pem'))),
    log: createLog({ name: 'test', level: 'silent' }),
  });
  try {
    return (await Array.fromAsync(operator.findCertificates({ name }))).length;
  } finally {
    await operator.close();
  }
}

function kill(process_: 'acme' | 'core'): void {
  const { pid } = JSON.parse(readFileSync(join(up.directory, 'run', `${process_}.json`), 'utf8'));
  process.kill(Number(pid), 'SIGKILL');
}

describe('mpic.md §3: evidence', () => {
  it('counts after changes of the account key, which are its links', async () => {
    const first = await client.account();
    const name = newName();
    const { url, json } = await ready(first, [name]);
    const last = await changeKey(await changeKey(first));
    await client.post(json.finalize, { csr: csrOf([name]) }, last);
    const order = await finished(url, last);
    assert.equal(order.status, 'valid', JSON.stringify(order));
  });

  it('counts when the key is changed between two challenges of an order', async () => {
    const account = await client.account();
    const [one, two] = [newName(), newName()];
    const identifiers = [one, two].map((value) => ({ type: 'dns', value }));
    const made = await client.post(String((await client.directory()).newOrder), { identifiers }, account);
    const order: OrderJson = JSON.parse(made.body);
    let signer = account;
    for (const authorization of order.authorizations) {
      const { challenges } = (await client.post(authorization, undefined, signer)).json();
      assert.ok(Array.isArray(challenges));
      const challenge = challenges.find(({ type }) => type === 'http-01');
      web.set(challenge.token, `${challenge.token}.${signer.public.thumbprint}`);
      await client.post(challenge.url, {}, signer);
      await pollUntil(async () => ((await read(authorization, signer)).status === 'valid' ? true : undefined));
      signer = await changeKey(signer);
    }
    await client.post(order.finalize, { csr: csrOf([one, two]) }, signer);
    const done = await finished(String(made.headers.location), signer);
    assert.equal(done.status, 'valid', JSON.stringify(done));
  });
});

describe('acme.md §6: limits', () => {
  it('an order of 100 names goes through with the statements of all of them', async () => {
    const account = await client.account();
    const names = Array.from({ length: 100 }, newName);
    const { url, json } = await ready(account, names);
    const answer = await client.post(json.finalize, { csr: csrOf(names) }, account);
    assert.equal(answer.status, 200, answer.body);
    const order = await finished(url, account);
    assert.equal(order.status, 'valid', JSON.stringify(order));
  });
});

describe('acme.md §3, rule 7: kill -9', () => {
  it('of the gate while orders are processing: each becomes valid with one certificate', async () => {
    const account = await client.account();
    const names = Array.from({ length: 12 }, newName);
    const orders = await Promise.all(names.map(async (name) => ({ name, ...(await ready(account, [name])) })));
    const requests = orders.map(({ json, name }) =>
      client.post(json.finalize, { csr: csrOf([name]) }, account).catch(() => undefined),
    );
    // The first answer is out, the others are anywhere.
    await Promise.race(requests);
    kill('acme');
    await Promise.all(requests);
    for (const { url, json, name } of orders) {
      let order = await finished(url, account);
      if (order.status === 'ready') {
        await client.post(json.finalize, { csr: csrOf([name]) }, account);
        order = await finished(url, account);
      }
      assert.equal(order.status, 'valid', JSON.stringify(order));
      assert.equal(await issuedFor(name), 1, name);
    }
  });

  it('of the keep while orders are processing: each becomes valid with one certificate', async () => {
    const account = await client.account();
    const names = Array.from({ length: 6 }, newName);
    const orders = await Promise.all(names.map(async (name) => ({ name, ...(await ready(account, [name])) })));
    const requests = orders.map(({ json, name }) => client.post(json.finalize, { csr: csrOf([name]) }, account));
    await Promise.race(requests);
    kill('core');
    for (const answer of await Promise.all(requests)) assert.equal(answer.status, 200, answer.body);
    for (const { url, name } of orders) {
      const order = await finished(url, account);
      assert.equal(order.status, 'valid', JSON.stringify(order));
      assert.equal(await issuedFor(name), 1, name);
    }
  });
});
