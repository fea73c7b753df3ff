// The domain name system of a world: one authoritative server (nsd) with a signed root of its own, and a validating
// resolver (unbound) on the loopback of each host that looks names up. What a zone is told to be, it is: signed, not signed,
// or signed by a key that nobody vouches for.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output, runCommand } from '../command.ts';
import { eventually } from '../patience.ts';
import type { Host, Running } from './world.ts';

/** A top-level zone. */
export type Zone = {
  /** `signed`: without dots. */
  readonly name: string;
  /** Records as in a zone file, relative to the zone: `www A 198.100.10.10`. */
  readonly records: readonly string[];
  /** `bogus`: signed, but the parent vouches for another key. */
  readonly security: 'signed' | 'unsigned' | 'bogus';
};

/** A running server. */
export type NameServer = {
  readonly address: string;
  /** The root's key, as a resolver takes it: a DNSKEY record. */
  readonly trustAnchor: string;
};

/** Signs and serves the zones. */
export async function startNameServer(host: Host, folder: string, zones: readonly Zone[]): Promise<NameServer> {
  mkdirSync(folder, { recursive: true });
  const files: [zone: string, file: string][] = [];
  const delegations: string[] = [];
  for (const zone of zones) {
    const file = writeZone(folder, zone.name, host.address, zone.records);
    delegations.push(`${zone.name}. NS ns.${zone.name}.`, `ns.${zone.name}. A ${host.address}`);
    if (zone.security === 'unsigned') {
      files.push([zone.name, file]);
      continue;
    }
    const key = await makeKey(folder, `${zone.name}.`);
    files.push([zone.name, await signZone(folder, file, key)]);
    const vouchedFor = zone.security === 'bogus' ? await makeKey(folder, `${zone.name}.`) : key;
    delegations.push(await delegationOf(folder, vouchedFor));
  }
  const rootKey = await makeKey(folder, '.');
  const root = writeZone(folder, '', host.address, delegations);
  files.push(['.', await signZone(folder, root, rootKey)]);

  const configuration = join(folder, 'nsd.conf');
  writeFileSync(
    configuration,
    [
      ...['server:', `  ip-address: ${host.address}`, '  port: 53', '  username: ""', '  chroot: ""', '  zonesdir: ""'],
      ...[`  pidfile: "${folder}/nsd.pid"`, `  database: ""`, `  xfrdfile: "${folder}/xfrd"`, `  xfrdir: "${folder}"`],
      ...[`  zonelistfile: "${folder}/zones.list"`, '  server-count: 1', '  rrl-ratelimit: 0'],
      ...['remote-control:', '  control-enable: no'],
      ...files.flatMap(([zone, file]) => ['zone:', `  name: "${zone}"`, `  zonefile: "${file}"`]),
      '',
    ].join('\n'),
  );
  host.start('/usr/sbin/nsd', ['-d', '-c', configuration]);
  return { address: host.address, trustAnchor: readFileSync(join(folder, `${rootKey}.key`), 'utf8').trim() };
}

/** Starts a validating resolver on the loopback of a host, port 53. */
export async function startResolver(host: Host, folder: string, server: NameServer): Promise<Running> {
  mkdirSync(folder, { recursive: true });
  const hints = join(folder, 'root.hints');
  writeFileSync(hints, `. 3600 NS ns.root.\nns.root. 3600 A ${server.address}\n`);
  const configuration = join(folder, 'unbound.conf');
  writeFileSync(
    configuration,
    `server:
  interface: 127.0.0.1
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  verbosity: 1
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  root-hints: "${hints}"
  trust-anchor: "${server.trustAnchor.replaceAll('\t', ' ').replace(/;.*$/, '').trim()}"
  harden-dnssec-stripped: yes
  val-permissive-mode: no
  ede: yes
  cache-max-ttl: 1
  cache-max-negative-ttl: 1
  infra-host-ttl: 1
  do-not-query-localhost: no
  module-config: "validator iterator"
remote-control:
  control-enable: no
`,
  );
  const running = host.start('/usr/sbin/unbound', ['-d', '-c', configuration]);
  await eventually(() => isAnswering(host), Boolean);
  return running;
}

async function isAnswering(host: Host): Promise<boolean> {
  const question = ['netns', 'exec', host.name, 'drill', '-D', '@127.0.0.1', '.', 'SOA'];
  const { stdout } = await runCommand('ip', question);
  return stdout.toString('utf8').includes('rcode: NOERROR');
}

function writeZone(folder: string, name: string, address: string, records: readonly string[]): string {
  const file = join(folder, `${name === '' ? 'root' : name}.zone`);
  const server = name === '' ? 'ns.root.' : `ns.${name}.`;
  const head = [`$ORIGIN ${name}.`, '$TTL 1', `@ SOA ${server} hostmaster.root. 1 3600 600 86400 1`, `@ NS ${server}`];
  writeFileSync(file, `${[...head, `${server} A ${address}`, ...records].join('\n')}\n`);
  return file;
}

/** @returns the base name of its files */
async function makeKey(folder: string, zone: string): Promise<string> {
  const made = await output('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', zone], { cwd: folder });
  return made.toString('utf8').trim();
}

/** NSEC3, so that absence is proven as most zones prove it (RFC 5155). */
async function signZone(folder: string, file: string, key: string): Promise<string> {
  await output('ldns-signzone', ['-n', '-f', `${file}.signed`, file, key], { cwd: folder });
  return `${file}.signed`;
}

async function delegationOf(folder: string, key: string): Promise<string> {
  await output('ldns-key2ds', ['-2', `${key}.key`], { cwd: folder });
  const file = readdirSync(folder).find((name) => name === `${key}.ds`);
  if (file === undefined) throw new Error(`there is no DS record of ${key}`);
  return readFileSync(join(folder, file), 'utf8').trim();
}
