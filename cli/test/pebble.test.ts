// The server that test suites of ACME clients start in place of Pebble: its command line, its configuration, and what a
// suite asks of it while it runs.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificateIdOf } from '@gatehouse/gateway-acme/certificate-id';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { bitString, explicit, integer, sequence, time } from '@gatehouse/pkix/der/writer';
import { subjectAlternativeName, writeExtensions } from '@gatehouse/pkix/extensions';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPebbleBehaviour, readPebbleConfiguration } from '../src/pebble/configuration.ts';
import { readCommandLine } from '../src/pebble/flags.ts';
import { fetchInsecurely, type Obtained, SmallAcmeClient } from './support/acme-client.ts';

const launcher = fileURLToPath(new URL('../bin/gatehouse-pebble.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-pebble-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

describe('acme.md §9: flags, as Go writes them', () => {
  const flagsOf = (...args: string[]) => {
    const read = readCommandLine(args, '1');
    return read.kind === 'run' ? read.flags : read.exitCode;
  };

  it('with one hyphen or two, with = or a blank, and switches alone or with =', () => {
    const usual = { config: 'test/config/pebble-config.json', dnsServer: '', isStrict: false };
    assert.deepEqual(flagsOf(), usual);
    assert.deepEqual(flagsOf('-config', 'a.json', '--dnsserver=:8053', '-strict'), {
      config: 'a.json',
      dnsServer: ':8053',
      isStrict: true,
    });
    for (const no of ['-strict=false', '-strict=0', '--strict=F']) assert.deepEqual(flagsOf(no), usual);
  });

  it('end with 1 for stray arguments, with 2 for flags that nobody knows, with 0 for -version', () => {
    for (const stray of [['stray'], ['-strict', 'false'], ['--', 'x'], ['-config', 'a', 'b']]) {
      assert.equal(flagsOf(...stray), 1, stray.join(' '));
    }
    for (const wrong of [['-nope'], ['-config'], ['-strict=perhaps']]) assert.equal(flagsOf(...wrong), 2);
    assert.equal(flagsOf('-version'), 0);
    const { status, stdout } = spawnSync(process.execPath, [launcher, '-version'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /gatehouse/);
  });
});

describe('acme.md §9: configuration', () => {
  const write = (pebble: object): string => {
    const file = join(directory, 'some.json');
    writeFileSync(file, JSON.stringify({ pebble }));
    return file;
  };

  it('has a default for each key, passes unknown ones over and takes known ones in any case, as Go does', () => {
    const read = readPebbleConfiguration(write({ somethingNew: {}, profiles: null, retryAfter: { authz: 7 } }));
    assert.deepEqual(read.retryAfter, { authz: 7, order: 5 });
    assert.deepEqual(read.profiles, [
      { name: 'default', description: 'The default profile', validitySeconds: 157_766_400 },
    ]);
    const named = readPebbleConfiguration(
      write({ certificateValidityPeriod: 100, profiles: { a: { validityPeriod: 9, description: 'A' }, b: {} } }),
    );
    assert.deepEqual(
      named.profiles.map(({ name, validitySeconds }) => [name, validitySeconds]),
      [
        ['a', 9],
        ['b', 100],
      ],
    );
    const spelled = readPebbleConfiguration(write({ externalAccountMacKeys: { k: 's' }, RetryAfter: { ORDER: 1 } }));
    assert.deepEqual([spelled.externalAccountMACKeys, spelled.retryAfter.order], [{ k: 's' }, 1]);
    assert.throws(() => readPebbleConfiguration(join(directory, 'missing.json')), FatalError);
    assert.throws(() => readPebbleConfiguration(write({ httpPort: 'x' })), FatalError);
  });

  it('takes how it behaves from the environment', () => {
    assert.deepEqual(readPebbleBehaviour({}), {
      sleepMs: 5_000,
      isAlwaysValid: false,
      nonceRefusalPercent: 5,
      ordersPerPage: 3,
      reusePercent: 50,
      alternateRoots: 0,
      chainLength: 1,
    });
    const set = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_VA_ALWAYS_VALID: 'true' };
    const { sleepMs, isAlwaysValid, nonceRefusalPercent } = readPebbleBehaviour(set);
    assert.deepEqual([sleepMs, isAlwaysValid, nonceRefusalPercent], [0, true, 0]);
    assert.throws(() => readPebbleBehaviour({ PEBBLE_AUTHZREUSE: '101' }), FatalError);
  });
});

describe('acme.md §9: a running server', { timeout: 120_000 }, () => {
  let child: ChildProcess;
  let base = '';
  let management = '';
  let obtained: Obtained;
  let client: SmallAcmeClient;
  const secret = Buffer.alloc(32, 7).toString('base64url');

  before(async () => {
    const { certificate, key } = selfSigned();
    mkdirSync(join(directory, 'tmp'));
    writeFileSync(join(directory, 'cert.pem'), certificate);
    writeFileSync(join(directory, 'key.pem'), key);
    writeFileSync(
      join(directory, 'pebble.json'),
      JSON.stringify({
        pebble: {
          listenAddress: '127.0.0.1:0',
          managementListenAddress: '127.0.0.1:0',
          certificate: 'cert.pem',
          privateKey: 'key.pem',
          ocspResponderURL: 'http://127.0.0.1:4002',
          externalAccountBindingRequired: true,
          externalAccountMACKeys: { 'kid-1': secret },
          domainBlocklist: ['Blocked.Example'],
          profiles: {
            default: { description: 'Usual', validityPeriod: 7_776_000 },
            brief: { description: 'Brief', validityPeriod: 86_400 },
          },
        },
      }),
    );
    child = spawn(process.execPath, [launcher, '-config', 'pebble.json', '-strict'], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        TMPDIR: join(directory, 'tmp'),
        PEBBLE_VA_ALWAYS_VALID: '1',
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_ALTERNATE_ROOTS: '2',
        PEBBLE_CHAIN_LENGTH: '2',
        PEBBLE_WFE_NONCEREJECT: '20',
      },
    });
    assert.ok(child.stdout !== null);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`it ended with ${code}`);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      management = /Management interface listening on: (\S+)/.exec(line)?.[1] ?? management;
      base = /ACME directory available at: https:\/\/(\S+)\/dir/.exec(line)?.[1] ?? base;
      if (base !== '') resolve();
    });
    await Promise.race([promise, ended]);
    ended.catch(() => undefined);
    client = new SmallAcmeClient(`https://${base}/dir`);
    await client.register({ keyId: 'kid-1', secret });
    obtained = await client.obtain(['a.example.com', 'b']);
  });
  after(async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  });

  const manage = (path: string, options = {}) => fetchInsecurely(`https://${management}${path}`, options);

  it('reflects the host that a client came by, demands external accounts, and shows its profiles', async () => {
    const port = base.split(':')[1];
    const seen = (await fetchInsecurely(`https://localhost:${port}/dir`)).json();
    assert.equal(seen.newOrder, `https://localhost:${port}/order-plz`);
    const { meta } = await client.directory();
    assert.deepEqual(meta, {
      ...Object(meta),
      externalAccountRequired: true,
      profiles: { default: 'Usual', brief: 'Brief' },
      caaIdentities: ['pebble.letsencrypt.org'],
    });
    const refused = await new SmallAcmeClient(`https://${base}/dir`).register();
    assert.match(refused.body, /externalAccountRequired/);
  });

  it('issues below each of its roots, by chains of the length that was asked for', async () => {
    const links = String(obtained.headers.link);
    assert.equal(links.match(/rel="alternate"/g)?.length, 2);
    for (const [index, url] of [obtained.url, `${obtained.url}/alternate/1`, `${obtained.url}/alternate/2`].entries()) {
      const chain = decodePem((await client.post(url)).body, ['CERTIFICATE']).map(
        ({ der }) => new X509Certificate(der),
      );
      const root = new X509Certificate((await manage(`/roots/${index}`)).body);
      assert.equal(chain.length, 3);
      for (const [at, one] of chain.entries()) {
        const issuer = chain[at + 1] ?? root;
        assert.ok(
          one.checkIssued(issuer) && one.verify(issuer.publicKey),
          `${index}: ${one.subject} by ${issuer.subject}`,
        );
      }
      const intermediate = new X509Certificate((await manage(`/intermediates/${index}`)).body);
      assert.equal(intermediate.fingerprint256, chain[1]?.fingerprint256);
    }
    assert.match(
      obtained.pem.length > 0 ? (new X509Certificate(obtained.pem).infoAccess ?? '') : '',
      /OCSP - URI:http:\/\/127\.0\.0\.1:4002/,
    );
  });

  it('hands out the keys of its CAs, with links to the others', async () => {
    for (const [what, certificates] of [
      ['root-keys', 'roots'],
      ['intermediate-keys', 'intermediates'],
    ] as const) {
      const answer = await manage(`/${what}/1`);
      const key = createPublicKey(createPrivateKey(answer.body));
      assert.ok(new X509Certificate((await manage(`/${certificates}/1`)).body).publicKey.equals(key));
      assert.match(String(answer.headers.link), new RegExp(`/${what}/0>;rel="alternate".*/${what}/2>`));
    }
    for (const path of ['/roots/3', '/roots/x', '/roots', '/nothing/0', '/'])
      assert.equal((await manage(path)).status, 404);
  });

  it('issues for as long as a profile says', async () => {
    const { pem } = await client.obtain(['brief.example.com'], { profile: 'brief' });
    const { validFromDate, validToDate } = new X509Certificate(pem);
    const seconds = (validToDate.getTime() - validFromDate.getTime()) / 1000;
    assert.ok(Math.abs(seconds - 86_400) < 120, String(seconds));
  });

  it('refuses blocked names with rejectedIdentifier, as a subproblem too, and illegal characters as malformed', async () => {
    const { newOrder } = await client.directory();
    const order = (...values: string[]) =>
      client.post(String(newOrder), { identifiers: values.map((value) => ({ type: 'dns', value })) });
    const blocked = (await order('www.blocked.example', 'ok.example.com')).json();
    assert.equal(blocked.type, 'urn:ietf:params:acme:error:rejectedIdentifier');
    assert.match(JSON.stringify(blocked.subproblems), /rejectedIdentifier.*www\.blocked\.example/);
    assert.equal((await order('ex^mple.com')).json().type, 'urn:ietf:params:acme:error:malformed');
  });

  it('tells how a certificate stands', async () => {
    const { serialNumber } = new X509Certificate(obtained.pem);
    const before_ = (await manage(`/cert-status-by-serial/${serialNumber}`)).json();
    assert.deepEqual([before_.Status, before_.Serial], ['Valid', serialNumber.toLowerCase().replace(/^0+/, '')]);
    const other = await client.obtain(['gone.example.com']);
    const { revokeCert } = await client.directory();
    const certificate = new X509Certificate(other.pem);
    const revoked = await client.post(String(revokeCert), {
      certificate: certificate.raw.toString('base64url'),
      reason: 4,
    });
    assert.equal(revoked.status, 200, revoked.body);
    const after_ = (await manage(`/cert-status-by-serial/${certificate.serialNumber}`)).json();
    assert.deepEqual([after_.Status, after_.Reason], ['Revoked', 4]);
    assert.match(String(after_.RevokedAt), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+0000 UTC$/);
    assert.equal((await manage('/cert-status-by-serial/0badc0de')).status, 404);
  });

  it('gives the renewal information that was set, as it is', async () => {
    const [leaf] = decodePem(obtained.pem, ['CERTIFICATE']);
    assert.ok(leaf !== undefined);
    const information = '{"suggestedWindow":  {"start":"x","end":"y"}, "extra": true}';
    const body = JSON.stringify({ Certificate: encodePem('CERTIFICATE', leaf.der), ARIResponse: information });
    assert.equal((await manage('/set-renewal-info/', { method: 'POST', body })).status, 200);
    const { renewalInfo } = await client.directory();
    const answer = await fetchInsecurely(`${renewalInfo}/${certificateIdOf(readCertificate(leaf.der))}`);
    assert.equal(answer.body, information);
  });

  it('ends on TERM and leaves nothing behind, also where nobody listens to it any more', async () => {
    const exit = once(child, 'exit');
    child.stdout?.destroy();
    child.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
    const left = readdirSync(join(directory, 'tmp')).filter((name) => name.startsWith('gatehouse'));
    assert.deepEqual(left, []);
  });
});

function selfSigned(): { readonly certificate: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { identifier, sign } = signatureAlgorithmFor(privateKey);
  const name = writeName(parseName('CN=localhost'));
  const body = sequence(
    explicit(0, integer(2)),
    integer(1),
    identifier,
    name,
    sequence(time(new Date(Date.now() - 60_000)), time(new Date(Date.now() + 86_400_000))),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    explicit(3, writeExtensions([subjectAlternativeName([{ kind: 'dns', value: 'localhost' }])])),
  );
  return {
    certificate: encodePem('CERTIFICATE', sequence(body, identifier, bitString(sign(body)))),
    // As Pebble's own test key is.
    key: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  };
}
