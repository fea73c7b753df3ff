import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createDnsResolver } from '@gatehouse/gateway-perspective/dns/resolver';

const template = readFileSync(join(import.meta.dirname, '../unbound.conf'), 'utf8');

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** Starts unbound with the template, on a port that anybody may have, with two names that it knows by itself. */
async function startUnbound(t: TestContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-unbound-'));
  const port = await freePort();
  const file = join(directory, 'unbound.conf');
  const text = template
    .replaceAll('  interface: ::1\n', '')
    .replace('port: 53', `port: ${port}`)
    .replace(/ {2}auto-trust-anchor-file: .*\n/, '');
  const own = `
server:
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  verbosity: 1
  local-zone: "known.test." static
  local-data: "www.known.test. 7200 IN A 192.0.2.1"
`;
  writeFileSync(file, text + own);
  const unbound = spawn('unbound', ['-d', '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const { promise: isUp, resolve, reject } = Promise.withResolvers<void>();
  let said = '';
  unbound.on('error', (cause) => {
    reject(new Error('this test needs unbound; interop/install-clients.sh installs the Debian package', { cause }));
  });
  unbound.stderr.on('data', (octets: Buffer) => {
    said += octets;
    if (said.includes('start of service')) resolve();
  });
  unbound.on('exit', () => reject(new Error(said)));
  t.after(() => {
    unbound.kill();
    rmSync(directory, { recursive: true });
  });
  await isUp;
  return `127.0.0.1:${port}`;
}

describe('mpic.md §2.4: the resolver beside a perspective', () => {
  it('takes the configuration that we give for it, and answers', async (t) => {
    const resolver = createDnsResolver({ resolvers: [await startUnbound(t)] });
    const answer = await resolver.query('www.known.test', 'A', AbortSignal.timeout(10_000));
    assert.equal(answer.outcome === 'found' && answer.values[0], '192.0.2.1');
    assert.equal((await resolver.query('other.known.test', 'A', AbortSignal.timeout(10_000))).lookup.rcode, 'NXDOMAIN');
  });

  it('validates without exception, forgets within a minute, and says why it failed', () => {
    for (const line of [
      'module-config: "validator iterator"',
      'val-permissive-mode: no',
      'harden-dnssec-stripped: yes',
      'ede: yes',
      'cache-max-ttl: 60',
      'serve-expired: no',
    ]) {
      assert.ok(template.includes(`  ${line}\n`), line);
    }
    assert.doesNotMatch(template, /^\s*domain-insecure/m);
  });
});
