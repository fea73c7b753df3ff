// Two processes of the gate on one PostgreSQL, in front of one keep: whatever goes to whichever copy, and however often, it
// is one gate.

import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startPostgres, type TestPostgres } from '@gatehouse/runtime/test-support/postgres';
import { newSigner, type Signer } from './support/client.ts';
import { type Copy, makeReady, startCopies, WanderingClient } from './support/copies.ts';
import { startCore, type TestCore } from './support/core.ts';
import { newKey } from './support/issuer.ts';
import { chainOf, createSteps, csrOf, refused } from './support/orders.ts';
import { pollUntil } from './support/poll.ts';
import { startWebServer, type WebServer } from './support/responders.ts';

const orderCount = 200;
const inFlight = 12;

let core: TestCore;
let web: WebServer;
let postgres: TestPostgres;
let database: string;
let copies: readonly Copy[];
let client: WanderingClient;
let accounts: readonly Signer[];

const endings: (() => Promise<void>)[] = [];
before(async () => {
  [core, web, postgres] = await Promise.all([
    startCore(),
    startWebServer(),
    startPostgres({ after: (end) => void endings.push(end) }),
  ]);
  endings.push(web.close, core.stop);
  database = await postgres.createDatabase();
  copies = await startCopies(2, {
    core,
    database,
    acme: {
      profiles: {
        plain: { profile: 'tls-server', description: 'Servers', methods: ['http-01'], allowsInternalNames: true },
      },
      validation: { httpPort: web.port, allow: ['127.0.0.0/8'] },
    },
  });
  client = new WanderingClient(
    copies.map(({ url }) => url),
    core.trustAnchor,
  );
  accounts = await Promise.all(Array.from({ length: 4 }, () => client.account()));
  endings.unshift(...copies.map(({ stop }) => stop), async () => client.close());
});
after(async () => {
  for (const end of endings) await end();
});

describe('two copies of the gate', () => {
  it(`obtain one certificate for each of ${orderCount} orders, though every request goes to either and finalize to both`, async () => {
    const waiting = Array.from({ length: orderCount }, (_, i) => i);
    const obtainNext = async (): Promise<void> => {
      for (let i = waiting.shift(); i !== undefined; i = waiting.shift()) await obtain(i);
    };
    await Promise.all(Array.from({ length: inFlight }, obtainNext));

    const [rows] = await postgres.administer(
      `select count(*)::int as certificates, count(distinct order_id)::int as orders from certificates`,
      database,
    );
    assert.deepEqual(rows, { certificates: orderCount, orders: orderCount });
    const [unfinished] = await postgres.administer(
      `select count(*)::int as orders from orders where status <> 'valid' or lease_owner is not null and lease_until is null`,
      database,
    );
    assert.deepEqual(unfinished, { orders: 0 });
    const issued = await Promise.all(Array.from({ length: orderCount }, (_, i) => countIssued(nameOf(i))));
    assert.deepEqual(new Set(issued), new Set([1]));
    for (const copy of copies) assert.ok(!copy.log().includes('"level":"error"'), copy.log());
  });

  it('redeem a nonce once between them', async () => {
    const account = accountOf(0);
    const url = account.kid ?? assert.fail();
    for (let i = 0; i < 20; i++) {
      const nonce = await client.nonce();
      const answers = await Promise.all([0, 1].map((copy) => client.postAt(copy, url, undefined, account, { nonce })));
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [200, 400], answers.map(({ body }) => body).join());
      const loser = answers.find(({ status }) => status === 400);
      if (loser !== undefined) refused(loser, 400, 'badNonce');
    }
  });

  it('make one account of one key', async () => {
    const signer = newSigner();
    const payload = { termsOfServiceAgreed: true };
    const { newAccount } = await client.directory();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) => client.postAt(i, String(newAccount), payload, signer)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 201]);
    assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1);
  });

  it('go on when one of them is killed: the other takes over what it was doing', async () => {
    const account = accountOf(0);
    const made = await Promise.all(Array.from({ length: 8 }, (_, i) => ready(account, `late${i}.localhost`)));
    const finalizing = made.map(({ json }, i) =>
      client.postAt(1, json.finalize, { csr: csrOf([`late${i}.localhost`]) }, account).catch(() => undefined),
    );
    await Promise.any(finalizing);
    await copies[1]?.kill();
    await Promise.all(finalizing);
    const survivor = new WanderingClient([copies[0]?.url ?? ''], core.trustAnchor);
    for (const [i, { url, json }] of made.entries()) {
      const name = `late${i}.localhost`;
      // What the dead copy had leased is free when the lease ends.
      const status = await pollUntil(async () => {
        const order = (await survivor.post(url, undefined, account)).json();
        if (order.status === 'ready') await survivor.post(json.finalize, { csr: csrOf([name]) }, account);
        return order.status === 'ready' || order.status === 'processing' ? undefined : order.status;
      }, 60_000);
      assert.equal(status, 'valid');
      assert.equal(await countIssued(name), 1);
    }
    survivor.close();
  });
});

const accountOf = (i: number): Signer => accounts[i % accounts.length] ?? assert.fail('there is no account');
const nameOf = (i: number): string => `o${i}.localhost`;
const ready = (account: Signer, name: string) => makeReady({ client, web }, account, name);

async function countIssued(name: string): Promise<number> {
  return (await Array.fromAsync(core.operator.findCertificates({ name }))).length;
}

/** One order with its finalize raced in one of four ways. */
async function obtain(i: number): Promise<void> {
  const name = nameOf(i);
  const account = accountOf(i);
  const { url, json } = await ready(account, name);
  const keys = [newKey(), newKey()] as const;
  const races: readonly (readonly KeyObject[])[] = [
    [keys[0]],
    [keys[0], keys[0]],
    [keys[0], keys[1]],
    [keys[0], keys[0], keys[1], keys[1]],
  ];
  const requests = races[i % races.length] ?? [];
  const csrs = new Map(requests.map((key) => [key, csrOf([name], key)]));
  const answers = await Promise.all(
    requests.map((key, copy) => client.postAt(copy, json.finalize, { csr: csrs.get(key) }, account)),
  );
  for (const answer of answers) if (answer.status !== 200) refused(answer, 403, 'orderNotReady');
  assert.ok(answers.some(({ status }) => status === 200));

  const order = await createSteps(client).finished(account, url);
  assert.equal(order.status, 'valid', JSON.stringify(order));
  const downloads = await Promise.all(
    [0, 1].map((copy) => client.postAt(copy, String(order.certificate), undefined, account)),
  );
  const [[leaf], [same]] = downloads.map(chainOf) as [ReturnType<typeof chainOf>, ReturnType<typeof chainOf>];
  assert.deepEqual(leaf?.der, same?.der);
  // Who was told that its request was taken has the certificate.
  const winners = requests.filter((_, copy) => answers[copy]?.status === 200);
  const spkis = new Set(
    winners.map((key) => createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('hex')),
  );
  assert.deepEqual(spkis, new Set([Buffer.from(leaf?.subjectPublicKeyInfo ?? []).toString('hex')]));
}
