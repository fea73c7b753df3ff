// The same with enforcement on: the statements that one copy gathered are evidence for what the other finalizes, and a
// client may come by any of the base URLs.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startPostgres, type TestPostgres } from '@gatehouse/runtime/test-support/postgres';
import type { Signer } from './support/client.ts';
import { type Copy, freePort, makeReady, startCopy, WanderingClient } from './support/copies.ts';
import { chainOf, createSteps, csrOf } from './support/orders.ts';
import { startWebServer, type WebServer } from './support/responders.ts';
import { type RunningUp, startUp } from './support/running-up.ts';

let web: WebServer;
let postgres: TestPostgres;
let database: string;
let up: RunningUp;
let second: Copy;
let client: WanderingClient;
let account: Signer;

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-acme-secret-'));
const endings: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
before(async () => {
  [web, postgres] = await Promise.all([startWebServer(), startPostgres({ after: (end) => void endings.push(end) })]);
  database = await postgres.createDatabase();
  const secret = join(folder, 'database');
  writeFileSync(secret, database, { mode: 0o600 });
  const port = await freePort();
  up = await startUp([
    `acme.validation.httpPort=${web.port}`,
    `acme.aliases=["https://127.0.0.1:${port}"]`,
    `acme.database={"postgres":{"file":"${secret}"}}`,
  ]);
  endings.unshift(up.stop, web.close);
  const baseUrl = new URL(up.acme).origin;
  const { core } = JSON.parse(readFileSync(join(up.directory, 'endpoints.json'), 'utf8'));
  second = await startCopy({
    core: { directory: up.directory, address: String(core.address), trustAnchor: up.trustAnchor },
    database,
    acme: {
      baseUrl,
      aliases: [`https://127.0.0.1:${port}`],
      profiles: { tlsserver: { profile: 'tls-server-validated', description: 'Servers', allowsInternalNames: true } },
      validation: { httpPort: web.port, allow: ['127.0.0.0/8'] },
    },
    port,
  });
  client = new WanderingClient([baseUrl, second.url], up.trustAnchor);
  endings.unshift(second.stop, async () => client.close());
  account = await client.account();
});
after(async () => {
  for (const end of endings) await end();
});

describe('two copies of the gate, with enforcement', () => {
  it('validate at one and finalize at the other, and the keep believes the evidence', async () => {
    const made = await Promise.all(
      Array.from({ length: 16 }, (_, i) => makeReady({ client, web }, account, nameOf(i))),
    );
    const finalized = await Promise.all(
      made.map(({ json }, i) => client.postAt(i, json.finalize, { csr: csrOf([nameOf(i)]) }, account)),
    );
    for (const answer of finalized) assert.equal(answer.status, 200, answer.body);
    const serials = await Promise.all(
      made.map(async ({ url }) => {
        const order = await createSteps(client).finished(account, url);
        assert.equal(order.status, 'valid', JSON.stringify(order));
        const [leaf] = chainOf(await client.post(String(order.certificate), undefined, account));
        return leaf?.serialNumber ?? assert.fail('there is no certificate');
      }),
    );
    assert.equal(new Set(serials).size, serials.length);
    // Both gates looked at names themselves, each with a key of its own, and the keep knows both.
    const keys = new Set<string>();
    for (const { statements } of await postgres.administer('select statements from statements', database)) {
      for (const jws of JSON.parse(String(statements))) {
        const [header = '', payload = ''] = String(jws)
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString());
        if (JSON.parse(payload).perspective.endsWith('/ra/acme')) keys.add(JSON.parse(header).kid);
      }
    }
    assert.equal(keys.size, 2);
    const shown = await up.run('evidence', 'show', serials[0] ?? '');
    for (const who of ['here-a', 'here-b', 'acme']) assert.match(shown, new RegExp(who));
  });
});

const nameOf = (i: number): string => `e${i}.localhost`;
