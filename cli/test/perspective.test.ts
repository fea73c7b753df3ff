// Perspectives on the command line: registered, joined, seen, judged and shut out; and the evidence that they make.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { signingKeyProofType } from '@gatehouse/proto/perspective-statement';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { createLog } from '@gatehouse/runtime/log';
import { type Ended, runCommand } from './faults/support/command.ts';
import { emptyDirectory, type Stack, startStack } from './support/stack.ts';
import {
  finalizeEvidence,
  idempotencyKeyOf,
  newKey,
  newRequestFor,
  type Signer,
  statementsOf,
  type TestOrder,
} from './support/validation.ts';

const hooks: (() => void | Promise<void>)[] = [];
const base = 'https://acme.test:8555';
const issuerDomainName = 'ca.example';
let stack: Stack;

before(async () => {
  stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }), [
    '--only',
    'est',
    '--set',
    `core.validation.acmeBaseUrls=["${base}"]`,
    '--set',
    `core.validation.issuerDomainNames=["${issuerDomainName}"]`,
  ]);
});

after(async () => {
  await stack.interrupt();
  for (const hook of hooks) await hook();
});

/** Runs a command on the directory of the stack. */
function run(...args: readonly string[]): Promise<Ended> {
  return runCommand([...args, '--data', stack.directory]);
}

/** The same, where it must work. */
async function answer(...args: readonly string[]): Promise<string> {
  const { exitCode, output, errors } = await run(...args);
  assert.equal(exitCode, 0, `gatehouse ${args.join(' ')}\n${output}${errors}`);
  return output;
}

/** The same with --json. */
async function json<Value>(...args: readonly string[]): Promise<Value> {
  return JSON.parse(await answer(...args, '--json'));
}

/** Writes a token to a file of its own; its path. */
function tokenFile(token: string): string {
  const file = join(stack.directory, `token-${crypto.randomUUID()}`);
  writeFileSync(file, token, { mode: 0o600 });
  return file;
}

type Listed = {
  readonly name: string;
  readonly state: string;
  readonly site: string;
  readonly rir: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly keys: readonly { readonly keyId: string; readonly state: string }[];
};

const find = async (name: string) =>
  (await json<readonly Listed[]>('perspective', 'list')).find((one) => one.name === name);

/** Connects with a credential file. */
function connect(file: string): CoreClient {
  const core = connectCore({
    addresses: [stack.endpoints.core.address],
    credential: holdCredential(loadCredential(file)),
    log: createLog({ name: 'test', level: 'silent' }),
  });
  hooks.push(() => core.close());
  return core;
}

/** Registers and joins a perspective and a key of it. */
async function joinPerspective(name: string): Promise<Signer> {
  const token = await answer('perspective', 'add', name);
  const { file } = await json<{ file: string }>('perspective', 'join', '--token-file', tokenFile(token));
  const uri = `spiffe://gatehouse.internal/perspective/${name}`;
  const key = newKey();
  const proof = signCompactJws({
    header: { typ: signingKeyProofType, jwk: jwkOfKey(key).jwk },
    payload: Buffer.from(JSON.stringify({ holder: uri, issuedAt: new Date().toISOString() })),
    key,
  });
  await connect(file).validation.registerSigningKey({ proof, address: '127.0.0.1:5290', build: '0.1.0' });
  return { uri, key };
}

describe('gatehouse perspective', () => {
  test('add prints a token that works once, for the labels that were given', async () => {
    const token = await answer('perspective', 'add', 'sydney', '--rir', 'apnic', '--place', '-33.87,151.21');
    assert.match(token, /^gh-join\.[\w-]+\n$/);
    const added = await find('sydney');
    assert.deepEqual(
      [added?.state, added?.site, added?.rir, added?.latitude, added?.longitude],
      ['not joined', 'sydney', 'APNIC', -33.87, 151.21],
    );
    const file = tokenFile(token);
    assert.match(await answer('perspective', 'join', '--token-file', file), /joined as perspective sydney: /);
    const credential = join(stack.directory, 'perspective/sydney/credential.pem');
    assert.equal(statSync(credential).mode & 0o777, 0o600);
    assert.equal((await find('sydney'))?.state, 'not started');
    const again = await run('perspective', 'join', '--token-file', file);
    assert.equal(again.exitCode, 1);
    assert.match(again.errors, /gatehouse perspective token NAME/);
  });

  test('token gives a further one', async () => {
    const { token } = await json<{ token: string }>('perspective', 'token', 'sydney', '--token-life', '5m');
    const { kind, name } = await json<{ kind: string; name: string }>(
      'perspective',
      'join',
      '--token-file',
      tokenFile(token),
    );
    assert.deepEqual([kind, name], ['perspective', 'sydney']);
  });

  test('join waits for a token that comes through a pipe', async () => {
    const program = join(import.meta.dirname, '../bin/gatehouse.js');
    const makeToken = `'${process.execPath}' '${program}' perspective token sydney --data '${stack.directory}'`;
    const { exitCode, output, errors } = await runCommand(
      ['perspective', 'join', '--token', '-', '--data', stack.directory],
      { through: ['sh', '-c', `${makeToken} | exec "$@"`, 'sh'] },
    );
    assert.equal(exitCode, 0, errors);
    assert.match(output, /joined as perspective sydney/);
  });

  test('join keeps what a token of an RA buys where gates look for it, and says so', async () => {
    const token = await answer('ra', 'add', 'astray', '--status-only');
    const { exitCode, output, errors } = await run('perspective', 'join', '--token-file', tokenFile(token));
    assert.equal(exitCode, 0);
    assert.match(output, /joined as RA astray/);
    assert.match(errors, /not a token for a perspective/);
    assert.ok(existsSync(join(stack.directory, 'ra/astray/credential.pem')));
  });

  for (const [mistake, form] of [
    [['--place', 'Dublin'], /latitude and longitude/],
    [['--place', '91,0'], /latitude/],
    [['--rir', 'moon'], /ARIN/],
    [['--site', 'Plant A'], /site/],
  ] as const) {
    test(`add refuses ${mistake.join(' ')}`, async () => {
      const { exitCode, errors } = await run('perspective', 'add', 'wrong', ...mistake);
      assert.equal(exitCode, 1);
      assert.match(errors, form);
    });
  }

  test('show lists its keys; list counts those that are active', async () => {
    const { key } = await joinPerspective('oslo');
    const { thumbprint } = jwkOfKey(key);
    const shown = await answer('perspective', 'show', 'oslo');
    assert.match(shown, /Address: +127\.0\.0\.1:5290/);
    assert.match(shown, new RegExp(`${thumbprint} +active`));
    assert.match(await answer('perspective', 'list'), /oslo +active +oslo +- +- +127\.0\.0\.1:5290 +1 /);
    assert.equal((await run('perspective', 'show', 'none')).exitCode, 1);
  });

  test('revoke-key ends a key for good, with a reason', async () => {
    const { key } = await joinPerspective('bergen');
    const { thumbprint } = jwkOfKey(key);
    assert.notEqual((await run('perspective', 'revoke-key', thumbprint)).exitCode, 0);
    assert.match(await answer('perspective', 'revoke-key', thumbprint, '--reason', 'stolen'), /nothing that it signed/);
    assert.deepEqual(
      (await find('bergen'))?.keys.map(({ state }) => state),
      ['revoked'],
    );
    assert.equal((await run('perspective', 'revoke-key', thumbprint, '--reason', 'stolen')).exitCode, 1);
  });

  test('disable shuts one out', async () => {
    await joinPerspective('gone');
    assert.match(await answer('perspective', 'disable', 'gone'), /shut out/);
    assert.equal((await find('gone'))?.state, 'disabled');
    assert.equal((await run('perspective', 'disable', 'none')).exitCode, 1);
  });

  test('check tells what a policy lacks, with a status for programs', async () => {
    const { exitCode, output } = await run('perspective', 'check', 'public-br');
    assert.equal(exitCode, 1);
    assert.match(output, /public-br +error +now/);
    const findings = await run('perspective', 'check', 'public-br', '--json');
    assert.ok(JSON.parse(findings.output).some(({ severity }: { severity: string }) => severity === 'error'));
    assert.equal((await run('perspective', 'check', 'none')).exitCode, 1);
  });
});

describe('gatehouse evidence', () => {
  let serialNumber = '';
  let signers: readonly Signer[] = [];

  before(async () => {
    signers = [await joinPerspective('cork'), await joinPerspective('dublin')];
    const token = await answer('ra', 'add', 'acme-test', '--profiles', 'tls-server-validated', '--dns', 'example.com');
    const { file } = await json<{ file: string }>('ra', 'join', '--token-file', tokenFile(token));
    const order: TestOrder = {
      base,
      name: 'www.example.com',
      accountKey: newKey(),
      orderId: 'order-1',
      perspectives: ['cork', 'dublin'],
      issuerDomainName,
    };
    const csr = newRequestFor(order.name);
    const outcome = await connect(file).enroll({
      idempotencyKey: idempotencyKeyOf(order, csr),
      profile: 'tls-server-validated',
      subjectKey: { kind: 'certification-request', der: csr },
      requester: { kind: 'account', id: 'one' },
      evidence: [
        { type: 'perspective-results', payload: new Uint8Array(0), statements: statementsOf(order, signers) },
        { type: 'acme-finalize', payload: finalizeEvidence(order, csr) },
      ],
    });
    assert.equal(outcome.kind, 'issued');
    if (outcome.kind === 'issued') serialNumber = outcome.serialNumber;
  });

  test('show verifies each signature and shows the verdict of the core', async () => {
    const shown = await answer('evidence', 'show', serialNumber);
    assert.match(shown, /mpic name=www\.example\.com method=dns-01 check=dcv quorum=2\/2 verdict=pass/);
    for (const name of ['cork', 'dublin']) {
      for (const check of ['dcv', 'caa']) {
        assert.match(shown, new RegExp(`${name} +${check} +www\\.example\\.com +dns-01 +pass .*verifies`));
      }
    }
    assert.match(shown, /Finalize request: +verifies, and is for the key in the certificate/);
  });

  test('show --out writes all that is needed to verify it elsewhere', async () => {
    const file = join(stack.directory, 'evidence.json');
    await answer('evidence', 'show', serialNumber, '--out', file);
    const exported = JSON.parse(readFileSync(file, 'utf8'));
    assert.equal(exported.serialNumber, serialNumber);
    assert.match(exported.certificate, /^-----BEGIN CERTIFICATE-----/);
    assert.equal(exported.statements.length, 4);
    assert.ok(exported.statements.every(({ verifies }: { verifies: boolean }) => verifies));
    assert.equal(exported.keys.length, 2);
    assert.equal(exported.finalize[0].verifies, true);
    assert.deepEqual(await json('evidence', 'show', serialNumber), exported);
  });

  test('show says which keys were revoked since', async () => {
    const [signer] = signers;
    assert.ok(signer);
    const { thumbprint } = jwkOfKey(signer.key);
    await answer('perspective', 'revoke-key', thumbprint, '--reason', 'stolen');
    assert.match(await answer('evidence', 'show', serialNumber), new RegExp(`${thumbprint} +cork +20`));
  });

  test('show has nothing to show of a certificate whose names nobody validated', async () => {
    const { exitCode, errors } = await run('evidence', 'show', '0123');
    assert.equal(exitCode, 1);
    assert.match(errors, /no evidence/);
  });
});
