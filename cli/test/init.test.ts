import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { runCommand, startCommand } from './faults/support/command.ts';
import { startCore, startEst, stop } from './faults/support/processes.ts';
import { emptyDirectory } from './support/stack.ts';

const passphrases = {
  GATEHOUSE_PASSPHRASE: 'the passphrase of the online keys',
  GATEHOUSE_ROOT_PASSPHRASE: 'another passphrase for the root key',
};

describe('gatehouse init', () => {
  test('makes what up makes, and starts nothing', async (context) => {
    const directory = emptyDirectory(context);
    const { exitCode, output } = await runCommand([
      'init',
      '--data',
      directory,
      '--organization',
      'Example Inc',
      '--json',
    ]);
    assert.equal(exitCode, 0);
    const made = JSON.parse(output);
    for (const key of ['configuration', 'rootCertificate', 'rootKey', 'operatorCredential']) {
      assert.ok(existsSync(made[key]), key);
    }
    assert.equal(made.isNew, true);
    assert.ok(!existsSync(join(directory, 'run/core.json')));
  });

  test('leaves alone what is there', async (context) => {
    const directory = emptyDirectory(context);
    await runCommand(['init', '--data', directory]);
    const root = readFileSync(join(directory, 'trust/root.pem'), 'utf8');
    writeFileSync(join(directory, 'gatehouse.yaml'), '# mine\n');
    const { exitCode, output } = await runCommand(['init', '--data', directory]);
    assert.equal(exitCode, 0);
    assert.match(output, /nothing was changed/);
    assert.equal(readFileSync(join(directory, 'gatehouse.yaml'), 'utf8'), '# mine\n');
    assert.equal(readFileSync(join(directory, 'trust/root.pem'), 'utf8'), root);
  });

  test("makes a new operator's credential when that is gone", async (context) => {
    const directory = emptyDirectory(context);
    await runCommand(['init', '--data', directory]);
    rmSync(join(directory, 'operators/admin.pem'));
    assert.equal((await runCommand(['init', '--data', directory])).exitCode, 0);
    assert.ok(existsSync(join(directory, 'operators/admin.pem')));
  });

  test('says who may write when it cannot', async () => {
    const { exitCode, errors } = await runCommand(['init', '--data', '/dev/null/gatehouse']);
    assert.equal(exitCode, 1);
    assert.match(errors, /cannot make the data directory \/dev\/null\/gatehouse/);
  });
});

describe('gatehouse init --status-url', () => {
  const url = 'http://status.example.com/pki';
  const statusOf = (directory: string) =>
    new X509Certificate(readFileSync(join(directory, 'trust/chain.pem'))).infoAccess;

  test("goes into the issuing CA's certificate and into the configuration, without a slash at its end", async (context) => {
    const directory = emptyDirectory(context);
    assert.equal((await runCommand(['init', '--data', directory, '--status-url', `${url}/`])).exitCode, 0);
    assert.match(statusOf(directory) ?? '', new RegExp(`CA Issuers - URI:${url}/issuer/[0-9a-f]{40}\\.crt`));
    assert.match(readFileSync(join(directory, 'gatehouse.yaml'), 'utf8'), new RegExp(`baseUrl: "${url}"`));
  });

  test('is that of the gate on this machine for trying out, and none for production', async (context) => {
    const [trial, production] = [emptyDirectory(context), emptyDirectory(context)];
    await runCommand(['init', '--data', trial]);
    await runCommand(['init', '--production', '--data', production], { environment: passphrases });
    assert.match(statusOf(trial) ?? '', /URI:http:\/\/127\.0\.0\.1:6960\//);
    assert.equal(statusOf(production), undefined);
    const core = await startCore(trial);
    await stop(core.command);
  });

  for (const [rule, wrong] of [
    ['not plain http', 'https://status.example.com'],
    ['with a query', 'http://status.example.com/?a=b'],
    ['without a scheme', 'status.example.com'],
  ] as const) {
    test(`is refused before anything is made: ${rule}`, async (context) => {
      const directory = emptyDirectory(context);
      const { exitCode, errors } = await runCommand(['init', '--data', directory, '--status-url', wrong]);
      assert.equal(exitCode, 1);
      assert.match(errors, /--status-url .*: must .*\n.*RFC 5280/);
      assert.ok(!existsSync(join(directory, 'ca')));
    });
  }

  test('is not changed behind the back of an existing configuration', async (context) => {
    const directory = emptyDirectory(context);
    const init = (given: string) => runCommand(['init', '--data', directory, '--status-url', given]);
    assert.equal((await init(url)).exitCode, 0);
    assert.equal((await init(url)).exitCode, 0);
    const { exitCode, errors } = await init('http://other.example.com');
    assert.equal(exitCode, 1);
    assert.match(
      errors,
      /gatehouse\.yaml is there already, with http:\/\/status\.example\.com\/pki\n.*core\.status\.baseUrl/,
    );
  });
});

describe('gatehouse init --production', () => {
  test('keeps no passphrase and makes no demo user, and says to take the root key offline', async (context) => {
    const directory = emptyDirectory(context);
    const { exitCode, output } = await runCommand(['init', '--production', '--data', directory], {
      environment: passphrases,
    });
    assert.equal(exitCode, 0);
    assert.match(output, /The root key is .*ca\/root\.key\.pem/);
    assert.match(output, /Take it offline/);
    for (const file of [
      'secrets/passphrase',
      'secrets/root-passphrase',
      'secrets/est-demo-password',
      'est/users.yaml',
    ]) {
      assert.ok(!existsSync(join(directory, file)), file);
    }
    const key = (name: string, passphrase: string) =>
      createPrivateKey({ key: readFileSync(join(directory, 'ca', `${name}.key.pem`)), passphrase });
    assert.equal(key('root', passphrases.GATEHOUSE_ROOT_PASSPHRASE).asymmetricKeyDetails?.namedCurve, 'secp384r1');
    assert.equal(key('issuing', passphrases.GATEHOUSE_PASSPHRASE).asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(statSync(join(directory, 'ca/root.key.pem')).mode & 0o777, 0o600);
  });

  test('makes a core that starts with the passphrase from the environment, without the root key', async (context) => {
    const directory = emptyDirectory(context);
    await runCommand(['init', '--production', '--data', directory], { environment: passphrases });
    rmSync(join(directory, 'ca/root.key.pem'));
    process.env.GATEHOUSE_PASSPHRASE = passphrases.GATEHOUSE_PASSPHRASE;
    context.after(() => {
      delete process.env.GATEHOUSE_PASSPHRASE;
    });
    await stop((await startCore(directory)).command);
  });

  test('prints steps that lead to gates that answer', async (context) => {
    const directory = emptyDirectory(context);
    const data = ['--data', directory];
    const printed = await runCommand(['init', '--production', ...data], { environment: passphrases });
    for (const step of [
      'run core',
      'ra add est',
      'ra join',
      'est user add',
      'run est',
      'ra add acme',
      'run acme',
      'perspective add',
      'ra add status',
      'run status',
    ]) {
      assert.ok(printed.output.includes(`gatehouse ${step}`), step);
    }
    process.env.GATEHOUSE_PASSPHRASE = passphrases.GATEHOUSE_PASSPHRASE;
    context.after(() => {
      delete process.env.GATEHOUSE_PASSPHRASE;
    });
    const core = await startCore(directory);
    const profiles = ['--profiles', 'tls-server,gateway-tls', '--dns', 'example.com'];
    const { output: token } = await runCommand(['ra', 'add', 'est', ...data, ...profiles]);
    assert.equal((await runCommand(['ra', 'join', ...data, '--token', token.trim()])).exitCode, 0);
    const user = ['est', 'user', 'add', 'web', ...data, '--generate', '--dns', 'www.example.com'];
    assert.equal((await runCommand(user)).exitCode, 0);
    const est = startEst(directory, core.address, 0);
    await est.line(/"msg":"ready"/);

    const { output: statusToken } = await runCommand(['ra', 'add', 'status', ...data, '--status-only']);
    assert.equal((await runCommand(['ra', 'join', ...data, '--token', statusToken.trim()])).exitCode, 0);
    const settings = [`core.addresses=["${core.address}"]`, 'listen.host=127.0.0.1', 'listen.port=0'];
    const status = startCommand(['run', 'status', ...data, ...settings.flatMap((one) => ['--set', `status.${one}`])]);
    const { address } = JSON.parse(await status.line(/"msg":"listening"/));
    await status.line(/is here"/);
    const url = `http://${address}/crl/issuing.crl`;
    const shown = await runCommand(['crl', 'show', url, '--json', ...data]);
    assert.equal(JSON.parse(shown.output).signature.state, 'holds', shown.errors);
    for (const process of [est, status, core.command]) await stop(process);
  });

  test('has an ACME gate and perspectives that answer once the operator let them in', async (context) => {
    const directory = emptyDirectory(context);
    const data = ['--data', directory];
    await runCommand(['init', '--production', ...data], { environment: passphrases });
    process.env.GATEHOUSE_PASSPHRASE = passphrases.GATEHOUSE_PASSPHRASE;
    context.after(() => {
      delete process.env.GATEHOUSE_PASSPHRASE;
    });
    const core = await startCore(directory);
    const run = async (name: string, section: string, ...settings: readonly string[]) => {
      const all = [`core.addresses=["${core.address}"]`, 'listen.host=127.0.0.1', 'listen.port=0', ...settings];
      const command = startCommand([
        'run',
        ...name.split(' '),
        ...data,
        ...all.flatMap((one) => ['--set', `${section}.${one}`]),
      ]);
      await command.line(/"msg":"ready"/);
      return command;
    };
    const { output: perspectiveToken } = await runCommand(['perspective', 'add', 'dublin', '--rir', 'RIPE', ...data]);
    assert.equal((await runCommand(['perspective', 'join', ...data, '--token', perspectiveToken.trim()])).exitCode, 0);
    const perspective = await run('perspective --name dublin', 'perspective', 'advertise=127.0.0.1:5290');
    await perspective.line(/"site":"dublin","rir":"RIPE".*is registered"/);

    const profiles = ['--profiles', 'tls-server-validated,gateway-tls', '--dns', 'example.com'];
    const { output: token } = await runCommand(['ra', 'add', 'acme', ...data, ...profiles]);
    assert.equal((await runCommand(['ra', 'join', ...data, '--token', token.trim()])).exitCode, 0);
    const acme = await run('acme', 'acme');
    await acme.line(/"directory":"https:\/\/acme\.example\.com\/directory"/);
    for (const process of [acme, perspective, core.command]) await stop(process);
  });

  test('is not given an RA by up: what a gate may ask for is for the operator to say', async (context) => {
    const directory = emptyDirectory(context);
    await runCommand(['init', '--production', '--data', directory], { environment: passphrases });
    const { exitCode, errors } = await runCommand(['up', '--data', directory, '--ports', 'auto'], {
      environment: passphrases,
    });
    assert.equal(exitCode, 1);
    assert.match(errors, /there is no RA est\n.*gatehouse ra add est/);
  });

  test('refuses a directory that was made for trying out', async (context) => {
    const directory = emptyDirectory(context);
    await runCommand(['init', '--data', directory]);
    const { exitCode, errors } = await runCommand(['init', '--production', '--data', directory], {
      environment: passphrases,
    });
    assert.equal(exitCode, 1);
    assert.match(errors, /was made for trying out/);
  });

  const refusals: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ['nobody to ask', {}, /GATEHOUSE_PASSPHRASE is not set, and there is no terminal/],
    ['one that is short', { ...passphrases, GATEHOUSE_PASSPHRASE: 'short' }, /shorter than 15 characters/],
    [
      'twice the same',
      { ...passphrases, GATEHOUSE_ROOT_PASSPHRASE: passphrases.GATEHOUSE_PASSPHRASE },
      /the two passphrases are the same/,
    ],
  ];
  for (const [rule, environment, form] of refusals) {
    test(`refuses passphrases: ${rule}`, async (context) => {
      const directory = emptyDirectory(context);
      const { exitCode, errors } = await runCommand(['init', '--production', '--data', directory], { environment });
      assert.equal(exitCode, 1);
      assert.match(errors, form);
      assert.ok(!existsSync(join(directory, 'ca')));
    });
  }
});

describe('gatehouse profile validate', () => {
  const profile = `name: printer
description: Printers
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: drop }
names: { allowed: [dns], atLeastOne: true, wildcards: false }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
validity: { default: 90d, maximum: 200d }
lints: { sets: [rfc5280], refuseAt: error }
`;

  test('accepts one that is in order', async (context) => {
    const file = join(emptyDirectory(context), 'printer.yaml');
    writeFileSync(file, profile);
    const { exitCode, output } = await runCommand(['profile', 'validate', file]);
    assert.deepEqual([exitCode, output], [0, `${file}: profile printer is in order\n`]);
  });

  test('explains every mistake with its line and ends with 1', async (context) => {
    const file = join(emptyDirectory(context), 'printer.yaml');
    writeFileSync(file, profile.replace('P-256', 'P-257').replace('maximum: 200d', 'maximum: 200'));
    const { exitCode, output } = await runCommand(['profile', 'validate', file]);
    assert.equal(exitCode, 1);
    assert.match(output, new RegExp(`^${file}:5:\\d+: keys.*P-25`, 'm'));
    assert.match(output, new RegExp(`^${file}:8:\\d+: validity.maximum: `, 'm'));
    const verdicts = JSON.parse((await runCommand(['profile', 'validate', file, '--json'])).output);
    assert.equal(verdicts[0].isValid, false);
    assert.equal(verdicts[0].problems.length, output.trim().split('\n').length);
  });
});
