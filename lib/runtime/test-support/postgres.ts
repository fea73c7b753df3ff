// A PostgreSQL for tests: a server of its own with random data directory and port, gone when the test ends. It needs the
// programs of PostgreSQL (Debian: package `postgresql`) and fails without them; it never touches a server that runs.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';

/** What {@link startPostgres} takes. */
export type TestPostgresOptions = {
  /** Whether commits wait for the disk; only a test that takes the power away needs it. */
  readonly isDurable?: boolean | undefined;
  /** Further settings: `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
};

/** A server that runs for a test. */
export type TestPostgres = {
  /** Makes an empty database; returns its address, `postgres://…`. */
  createDatabase(): Promise<string>;
  /** Runs a statement as superuser, in the database with this address or in the first one. */
  administer(sql: string, address?: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends the server at once, as a crash would; the data stay. */
  crash(): Promise<void>;
  /** Starts it again on the same port, after {@link TestPostgres.crash}; as a standby it only answers reads. */
  restart(as?: 'primary' | 'standby'): Promise<void>;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
};

/** A test's context, or `{ after }` of node:test for all tests of a file. */
type Ending = { after(work: () => Promise<void>): void };

const user = 'gatehouse';

/** Starts a server that ends with the test. */
export async function startPostgres(ending: Ending, options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const binaries = findBinaries();
  const folder = mkdtempSync(join(openFolder(), 'gatehouse-postgres-'));
  const password = randomBytes(16).toString('hex');
  const owner = process.getuid?.() === 0 ? userForRoot() : undefined;
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  let server: ChildProcess | undefined;
  /** The end of the server before, which holds the data until then. */
  let ended: Promise<unknown> = Promise.resolve();
  ending.after(stop);
  const port = await freePort();
  try {
    await initialize();
    await start();
  } catch (error) {
    // Whoever fails while a file is loaded does not come to its end.
    await stop();
    throw error;
  }
  const addressOf = (database: string): string => `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;

  async function initialize(): Promise<void> {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (owner !== undefined) chownSync(passwordFile, owner.uid, owner.gid);
    const [program, ...parameters] = asOwner(owner, [
      join(binaries, 'initdb'),
      ...['--pgdata', join(folder, 'data'), '--username', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    ]);
    await promisify(execFile)(program, parameters, { cwd: folder });
    chmodSync(folder, 0o700);
  }

  async function start(): Promise<void> {
    await ended;
    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      fsync: options.isDurable === true ? 'on' : 'off',
      shared_buffers: '32MB',
      ...options.settings,
    };
    const [program, ...parameters] = asOwner(owner, [
      join(binaries, 'postgres'),
      ...['-D', join(folder, 'data')],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    const child = spawn(program, parameters, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    await untilReady(child);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async function stop(): Promise<void> {
    // Immediate shutdown: nobody needs the data any more.
    await end('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  }

  async function administer(sql: string, address = addressOf('postgres')): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    try {
      const { rows } = await client.query(sql);
      return rows;
    } finally {
      await client.end();
    }
  }

  return {
    createDatabase: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await administer(`create database ${name}`);
      return addressOf(name);
    },
    administer,
    crash: () => end('SIGQUIT'),
    restart: async (as = 'primary') => {
      const signal = join(folder, 'data', 'standby.signal');
      if (as === 'standby') writeFileSync(signal, '');
      else rmSync(signal, { force: true });
      await start();
    },
    stop,
  };
}

function findBinaries(): string {
  const versions = listFolder('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  const found = folders.find((folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')));
  if (found !== undefined) return found;
  throw new Error(
    'this test needs PostgreSQL: neither PATH nor /usr/lib/postgresql has initdb and postgres; interop/install-clients.sh installs the Debian package postgresql',
  );
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder that the server's user can get to, too: the temporary one of root may be closed to everybody else. */
function openFolder(): string {
  const isOpen = (path: string): boolean =>
    (statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || isOpen(dirname(path)));
  return [tmpdir(), '/tmp', '/var/tmp'].find((path) => isOpen(path)) ?? tmpdir();
}

type Owner = { readonly uid: number; readonly gid: number };

/** PostgreSQL refuses to run as root; everybody has this user. */
function userForRoot(): Owner {
  return { uid: 65_534, gid: 65_534 };
}

/** On Linux the server goes when this process does, however it ends. */
function asOwner(owner: Owner | undefined, command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  if (process.platform !== 'linux') return command;
  const identity = owner === undefined ? [] : ['--reuid', `${owner.uid}`, '--regid', `${owner.gid}`, '--clear-groups'];
  return ['setpriv', ...identity, '--pdeathsig', 'QUIT', ...command];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

async function untilReady(child: ChildProcess): Promise<void> {
  if (child.stderr === null) throw new Error('the server has no log');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(line);
      if (/database system is ready to accept (read-only )?connections/.test(line)) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${lines.join('\n')}`)));
  });
}
