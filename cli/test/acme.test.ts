// Operators' commands for the ACME gate, as transcripts: what they print, what they leave in the database of the gate, and
// what they refuse. No core and no gate run.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { insertAccount } from '@gatehouse/gateway-acme/state/accounts';
import { insertAuthorization, readAuthorization } from '@gatehouse/gateway-acme/state/authorizations';
import { readExternalAccountKey } from '@gatehouse/gateway-acme/state/external-account-keys';
import { openAcmeState } from '@gatehouse/gateway-acme/state/open';
import { insertOrder, readOrder } from '@gatehouse/gateway-acme/state/orders';
import { countNameFailure } from '@gatehouse/gateway-acme/state/rate-limits';
import { systemClock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { startPostgres } from '@gatehouse/runtime/test-support/postgres';
import { runCommand } from './faults/support/command.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-cli-acme-'));
after(() => rmSync(directory, { recursive: true, force: true }));
writeFileSync(join(directory, 'gatehouse.yaml'), 'acme:\n  core: { credential: ra/acme/credential.pem }\n');

/** Runs `gatehouse acme …`. */
async function acme(...args: string[]) {
  const ended = await runCommand(['acme', ...args, '--data', directory]);
  return { ...ended, text: ended.output.trimEnd(), errors: ended.errors.trimEnd() };
}

async function json(...args: string[]): Promise<unknown> {
  const { exitCode, output, errors } = await acme(...args, '--json');
  assert.equal(exitCode, 0, errors);
  return JSON.parse(output);
}

async function withState<T>(use: (store: StateStore) => Promise<T>): Promise<T> {
  const store = await openAcmeState({
    database: { file: 'acme/acme.db' },
    directory,
    resolvePath: (path) => join(directory, path),
    log: createLog({ name: 'test', level: 'silent' }),
    clock: systemClock,
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const at = new Date('2030-01-02T03:04:05Z');
const accountId = 'account-account-account1';
const orderId = 'order-order-order-order1';
const authorizationId = 'authz-authz-authz-authz1';

before(() =>
  withState(async (store) => {
    await store.commit([
      ...insertAccount({
        id: accountId,
        url: `https://acme.test/acme/account/${accountId}`,
        jwk: '{}',
        thumbprint: createHash('sha256').update('1').digest('base64url'),
        contact: ['mailto:ops@example.com'],
        termsOfServiceAgreed: true,
        externalAccount: undefined,
        externalAccountBinding: undefined,
        createdAt: at,
        createdFrom: '192.0.2.1',
      }),
      insertOrder({
        id: orderId,
        accountId,
        status: 'pending',
        identifiers: [{ type: 'dns', value: '*.shop.example' }],
        identifiersDigest: '00',
        profile: 'tlsserver',
        notBefore: undefined,
        notAfter: undefined,
        authorizations: [authorizationId],
        pendingAuthorizations: 1,
        replaces: undefined,
        createdAt: at,
        expiresAt: new Date('2099-01-01T00:00:00Z'),
      }),
      insertAuthorization({
        id: authorizationId,
        accountId,
        orderId,
        status: 'pending',
        identifier: { type: 'dns', value: 'shop.example', isWildcard: true },
        profile: 'tlsserver',
        token: 'very-secret-token',
        methods: ['dns-01'],
        externalAccount: undefined,
        createdAt: at,
        expiresAt: new Date('2099-01-01T00:00:00Z'),
      }),
      countNameFailure(accountId, 'shop.example', 1, at),
    ]);
  }),
);

describe('gatehouse acme account and order', () => {
  it('list what there is', async () => {
    const accounts = await acme('account', 'list');
    assert.equal(
      accounts.text,
      [
        'ACCOUNT                   STATUS  MADE                  FROM       EXTERNAL ACCOUNT  CONTACT',
        `${accountId}  valid   2030-01-02 03:04:05Z  192.0.2.1  -                 mailto:ops@example.com`,
      ].join('\n'),
    );
    const orders = await acme('order', 'list', '--account', accountId);
    assert.match(
      orders.text,
      new RegExp(`${orderId}  pending  2030-01-02 03:04:05Z  tlsserver  ${accountId}  \\*\\.shop\\.example`),
    );
    assert.match((await acme('account', 'list', '--after', accountId)).errors, /there is no account/);
  });

  it('show one, by its id or its URL, and never a token', async () => {
    const shown = await acme('account', 'show', `https://acme.test/acme/account/${accountId}`);
    assert.match(shown.text, /orders: +pending 1/);
    assert.match(shown.text, /paused names: +shop\.example/);
    const order = await acme('order', 'show', orderId);
    assert.match(order.text, /status: +pending/);
    assert.match(order.text, new RegExp(`${authorizationId}  \\*\\.shop\\.example  pending`));
    const whole = await json('order', 'show', orderId);
    assert.equal(JSON.stringify(whole).includes('very-secret-token'), false);
    assert.deepEqual(Object(whole).identifiers, [{ type: 'dns', value: '*.shop.example' }]);
  });

  it('say what there is not', async () => {
    for (const kind of ['account', 'order']) {
      const { exitCode, errors } = await acme(kind, 'show', 'nobody');
      assert.equal(exitCode, 1);
      assert.match(errors, new RegExp(`there is no ${kind} 'nobody'\\n +'gatehouse acme ${kind} list'`));
    }
  });

  it('unpause names', async () => {
    assert.match((await acme('unpause')).text, new RegExp(`${accountId}  shop\\.example  1 `));
    assert.match((await acme('unpause', accountId)).errors, /say which names/);
    assert.match(
      (await acme('unpause', accountId, '--name', '*.Shop.example')).text,
      /may try \*\.Shop\.example again/,
    );
    assert.match((await acme('unpause')).errors, /no name is paused/);
  });

  it('deactivate an account with its orders and authorizations, once', async () => {
    assert.match((await acme('account', 'deactivate', accountId)).text, /is deactivated/);
    await withState(async (store) => {
      assert.equal((await readOrder(store, orderId))?.status, 'invalid');
      assert.equal((await readAuthorization(store, authorizationId))?.status, 'deactivated');
    });
    const again = await acme('account', 'deactivate', accountId);
    assert.equal(again.exitCode, 1);
    assert.match(again.errors, /is deactivated already/);
  });
});

describe('gatehouse acme eab', () => {
  it('mints a key, shows its secret once as unpadded base64url, and keeps its policy', async () => {
    const added = await acme(
      ...['eab', 'add', '--suffix', 'Team.example', '--name', 'www.example', '--ip', '10.0.0.0/8', '--wildcards'],
      ...[
        '--profiles',
        'tlsserver',
        '--pre-authorized',
        '--max-accounts',
        '3',
        '--expires',
        '30d',
        '--description',
        'team 7',
      ],
    );
    const [, keyId = '', secret = ''] = /^key id: (\S+)\nsecret: ([A-Za-z0-9_-]{43})$/.exec(added.text) ?? [];
    assert.notEqual(secret, '', added.errors);
    assert.doesNotMatch(secret, /^-/);
    const key = await withState((store) => readExternalAccountKey(store, keyId));
    assert.equal(Buffer.from(key?.secret ?? []).toString('base64url'), secret);
    const names = { exact: ['www.example'], suffixes: ['team.example'], wildcards: true, ipRanges: ['10.0.0.0/8'] };
    const shown = Object(await json('eab', 'show', keyId));
    assert.deepEqual(shown.policy, { names, profiles: ['tlsserver'], preAuthorized: names });
    assert.deepEqual([shown.state, shown.maximumAccounts, shown.secret], ['active', 3, undefined]);
    for (const args of [
      ['eab', 'list'],
      ['eab', 'show', keyId],
      ['eab', 'list', '--json'],
    ]) {
      assert.equal((await acme(...args)).output.includes(secret), false);
    }
    assert.match((await acme('eab', 'list')).text, new RegExp(`${keyId}  active  0/3`));
    assert.match((await acme('eab', 'revoke', keyId)).text, /is revoked/);
    assert.match((await acme('eab', 'revoke', keyId)).errors, /is revoked already/);
    assert.match((await acme('eab', 'list')).text, new RegExp(`${keyId}  revoked`));
  });

  it('refuses what makes no policy, naming the option', async () => {
    const wrong: readonly (readonly [RegExp, ...string[]])[] = [
      [/--name: 'a b' must be a name/, '--name', 'a b'],
      [/--suffix: '\*\.x' must be a name/, '--suffix', 'ok.example,*.x'],
      [/--ip: '10\.0\.0\.0\/99' must be a range/, '--ip', '10.0.0.0/99'],
      [/no profile 'tlsservr'; did you mean 'tlsserver'/, '--profiles', 'tlsservr'],
      [/--wildcards needs names/, '--wildcards'],
      [/--pre-authorized needs names/, '--pre-authorized'],
      [/exclude each other/, '--single-use', '--max-accounts', '2'],
      [/--expires: 'yesterday'/, '--expires', 'yesterday'],
      [/--expires: 2020-01-01T00:00:00Z is over/, '--expires', '2020-01-01'],
    ];
    for (const [message, ...args] of wrong) {
      const { exitCode, errors } = await acme('eab', 'add', ...args);
      assert.equal(exitCode, 1);
      assert.match(errors, message);
    }
  });
});

describe('gatehouse acme on PostgreSQL', () => {
  it('works on the database that the configuration names, whose address is a secret', async (context) => {
    const server = await startPostgres(context);
    const elsewhere = mkdtempSync(join(tmpdir(), 'gatehouse-cli-acme-'));
    context.after(() => rmSync(elsewhere, { recursive: true, force: true }));
    writeFileSync(
      join(elsewhere, 'gatehouse.yaml'),
      'acme:\n  core: { credential: x }\n  database: { postgres: { environment: ACME_DATABASE } }\n',
    );
    const environment = { ACME_DATABASE: await server.createDatabase() };
    const run = (...args: string[]) => runCommand(['acme', ...args, '--data', elsewhere], { environment });
    const added = await run('eab', 'add', '--name', 'www.example', '--json');
    assert.equal(added.exitCode, 0, added.errors);
    const { keyId } = JSON.parse(added.output);
    assert.match((await run('eab', 'list')).output, new RegExp(`${keyId}  active  0/`));
    assert.match((await run('incident', 'list')).errors, /there is no incident/);
    const without = await runCommand(['acme', 'eab', 'list', '--data', elsewhere]);
    assert.match(without.errors, /ACME_DATABASE should hold a secret but is not set/);
  });
});

describe('gatehouse acme incident', () => {
  it('adds, lists and ends', async () => {
    const added = Object(
      await json('incident', 'add', '--serial', '00:AB:CD', '--explanation', 'https://ca.example/i1'),
    );
    assert.deepEqual(added.selector, { serialNumbers: ['abcd'] });
    assert.ok(Date.parse(added.windowEnd) < Date.now());
    assert.match(
      (await acme('incident', 'list')).text,
      new RegExp(`${added.id}  active .* 1 by serial number +https://ca\\.example/i1`),
    );
    assert.match((await acme('incident', 'end', added.id)).text, /has ended/);
    const again = await acme('incident', 'end', added.id);
    assert.match(again.errors, /no active incident/);
  });

  it('takes serial numbers from a file, an account, and times', async () => {
    const file = join(directory, 'serials.txt');
    writeFileSync(file, '0a\n0B c\n');
    const options = ['--serials-file', file, '--account', accountId, '--issued-from', '2029-01-01', '--until', '5d'];
    const { selector, windowStart, windowEnd } = Object(await json('incident', 'add', ...options));
    assert.deepEqual(selector, {
      serialNumbers: ['0a', '0b', '0c'],
      accounts: [accountId],
      issuedFrom: Date.parse('2029-01-01T00:00:00Z'),
    });
    assert.ok(Date.parse(windowEnd) - Date.parse(windowStart) > 4 * 86_400_000);
  });

  it('refuses one that is about nothing, and pages that are none', async () => {
    assert.match((await acme('incident', 'add')).errors, /say which certificates/);
    const { errors } = await acme('incident', 'add', '--serial', 'ab', '--explanation', 'javascript:alert(1)');
    assert.match(errors, /--explanation: .* is not an http or https URL/);
    assert.match(
      (await acme('incident', 'add', '--serial', 'ab', '--until', '2020-01-01')).errors,
      /--until: .* is over/,
    );
  });
});
