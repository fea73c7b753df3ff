// The house in a world of namespaces, put up by the commands that an operator uses: the keep and the ACME gate on one
// machine, perspectives on machines of their own, each beside a resolver that validates DNSSEC.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../patience.ts';
import { type NameServer, startResolver } from './name-server.ts';
import type { Host, Running, World } from './world.ts';

const command = fileURLToPath(new URL('../../../cli/bin/gatehouse.js', import.meta.url));

/** A perspective to be. */
export type Vantage = { readonly name: string; readonly rir: string; readonly place: string };

/** A running perspective. */
export type Perspective = { readonly host: Host; readonly process: Running };

/** The running house. */
export type House = {
  /** Where the keep and the gate are. */
  readonly home: Host;
  readonly perspectives: ReadonlyMap<string, Perspective>;
  readonly directory: string;
  /** PEM. */
  readonly trustAnchor: string;
  /** Lines of the logs so far, by process: `core`, `acme`, and the names of the perspectives. */
  logOf(process: string): readonly string[];
  /** An operator's command, with what it prints as JSON. */
  operator(...parameters: readonly string[]): Promise<unknown>;
};

/** How the house is put up. */
export type HouseOptions = {
  readonly world: World;
  readonly folder: string;
  readonly nameServer: NameServer;
  readonly vantages: readonly Vantage[];
  /** `core.validation…=…` and the like. */
  readonly settings: readonly string[];
};

/** By which CAA records name this CA: told to the keep and to each perspective, RFC 8659 §4.2. */
const issuerDomainName = 'ca.gatehouse.example';

const ports = { core: 5280, acme: 8555, perspective: 5290 } as const;

/** Puts it up; it ends with the world. */
export async function putUpHouse(options: HouseOptions): Promise<House> {
  const { world, folder, nameServer, vantages } = options;
  const logs = new Map<string, string[]>();
  const home = await world.addHost('home');
  await startResolver(home, join(folder, 'home-resolver'), nameServer);
  const data = join(folder, 'home');
  const operator = async (...parameters: readonly string[]): Promise<unknown> =>
    JSON.parse(await home.run(process.execPath, command, ...parameters, '--json', '--data', data));
  const run = (host: Host, name: string, parameters: readonly string[]): Running => {
    const lines: string[] = [];
    logs.set(name, lines);
    return host.start(process.execPath, [command, 'run', ...parameters], { onLine: (line) => lines.push(line) });
  };
  const set = (settings: readonly string[]) => settings.flatMap((setting) => ['--set', setting]);

  await operator('init');
  const base = `https://${home.address}:${ports.acme}`;
  const core = [
    'core.listen.host=0.0.0.0',
    `core.listen.advertise=["${home.address}:${ports.core}"]`,
    `core.validation.acmeBaseUrls=["${base}"]`,
    `core.validation.issuerDomainNames=["${issuerDomainName}"]`,
    ...options.settings,
  ];
  run(home, 'core', ['core', '--data', data, ...set(core)]);
  await until(logs, 'core', 'core listens');

  const perspectives = new Map<string, Perspective>();
  for (const { name, rir, place } of vantages) {
    const host = await world.addHost(name);
    const own = join(folder, name);
    mkdirSync(own, { mode: 0o700 });
    writeFileSync(
      join(own, 'gatehouse.yaml'),
      [
        'perspective:',
        `  name: ${name}`,
        `  listen: { host: ${host.address}, port: ${ports.perspective} }`,
        `  core: { addresses: ['${home.address}:${ports.core}'] }`,
        '  validation:',
        '    requireDnssec: true',
        '    selfTest: { signed: www.signed, bogus: www.bogus }',
        `    issuerDomainNames: ['${issuerDomainName}']`,
        '',
      ].join('\n'),
    );
    await startResolver(host, join(own, 'resolver'), nameServer);
    const token = tokenOf(await operator('perspective', 'add', name, '--rir', rir, '--place', place));
    const file = join(own, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    await host.run(process.execPath, command, 'perspective', 'join', '--token-file', file, '--data', own);
    perspectives.set(name, { host, process: run(host, name, ['perspective', '--data', own]) });
    await until(logs, name, 'ready');
  }

  const scope = ['--dns', '*', '--ip', '10.77.0.0/16'];
  const profiles = ['--profiles', 'tls-server-validated,gateway-tls'];
  const file = join(folder, 'acme-token');
  writeFileSync(file, tokenOf(await operator('ra', 'add', 'acme', ...profiles, ...scope)), { mode: 0o600 });
  await operator('ra', 'join', '--token-file', file);
  const acme = [
    `acme.listen.host=${home.address}`,
    `acme.names=["${home.address}"]`,
    `acme.core.addresses=["${home.address}:${ports.core}"]`,
    `acme.baseUrl=${base}`,
    'acme.profiles={"tlsserver":{"profile":"tls-server-validated","description":"Servers","allowsInternalNames":true}}',
    'acme.validation.resolver=127.0.0.1:53',
    'acme.validation.httpPort=80',
    'acme.validation.tlsPort=443',
    'acme.validation.allow=[]',
    'acme.rates.enabled=false',
  ];
  run(home, 'acme', ['acme', '--data', data, ...set(acme)]);
  await until(logs, 'acme', 'ready');
  return {
    home,
    perspectives,
    directory: `${base}/directory`,
    trustAnchor: readFileSync(join(data, 'trust/root.pem'), 'utf8'),
    logOf: (name) => logs.get(name) ?? [],
    operator,
  };
}

/** Waits for a message in a log. @throws with what the process said when it never comes */
async function until(logs: ReadonlyMap<string, readonly string[]>, name: string, message: string): Promise<void> {
  const isThere = await eventually(
    () => Promise.resolve((logs.get(name) ?? []).some((line) => line.includes(`"msg":"${message}"`))),
    Boolean,
  );
  if (!isThere) throw new Error(`${name} is not ready: ${(logs.get(name) ?? []).slice(-8).join('\n')}`);
}

function tokenOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'token' in answer && typeof answer.token === 'string') {
    return answer.token;
  }
  throw new TypeError('the command printed no token');
}
