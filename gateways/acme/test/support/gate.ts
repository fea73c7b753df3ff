// The gate inside of a test's process, in front of a real keep: its own state in a file that the test may look into, its
// own clock, and everything that a client sees over TLS.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createGate } from '@gatehouse/gateway-kit/gate-process';
import type { Clock } from '@gatehouse/runtime/clock';
import type { ProcessLife } from '@gatehouse/runtime/lifecycle';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { acmeSchema } from '../../src/config.ts';
import { type AcmeSeams, startAcme } from '../../src/main.ts';
import type { TestCore } from './core.ts';

/** What a gate is made with. */
export type GateOptions = {
  readonly core: TestCore;
  /** Keys of the section `acme`, beside what every gate of a test has. */
  readonly acme?: Readonly<Record<string, unknown>>;
  readonly seams?: AcmeSeams;
  readonly clock?: Clock;
};

/** A running gate. */
export type TestGate = {
  /** `https://127.0.0.1:port`. */
  readonly url: string;
  readonly directory: string;
  /** PEM of the root. */
  readonly trustAnchor: string;
  /** The gate's log so far. */
  log(): string;
  /** Rows of all tables by their names. */
  countRows(): Readonly<Record<string, number>>;
  /** Runs a query on the state of the gate, past it. */
  query(
    sql: string,
    ...parameters: readonly (string | number | null | Uint8Array)[]
  ): readonly Record<string, unknown>[];
  /** Changes the state of the gate, past it. */
  run(sql: string, ...parameters: readonly (string | number | null | Uint8Array)[]): void;
  stop(): Promise<void>;
};

let count = 0;

/** Starts a gate; call `stop` at the end. */
export async function startGate({ core, acme = {}, seams, clock }: GateOptions): Promise<TestGate> {
  // Several gates of one test have a folder each, unless they say that they share a database.
  const state = `state-${++count}/acme.db`;
  const configuration = acmeSchema.parse({
    listen: { port: 0 },
    core: { addresses: [core.address], credential: 'ra/acme/credential.pem' },
    database: { file: state },
    profiles: { plain: { profile: 'tls-server', description: 'Servers' } },
    validation: { resolver: '127.0.0.1:1' },
    ...acme,
  });
  const lines: string[] = [];
  const log = captureLog(lines);
  const stops: (() => void | Promise<void>)[] = [];
  const life: Pick<ProcessLife, 'onShutdown'> = {
    onShutdown: (_name, stop) => {
      stops.unshift(stop);
    },
  };
  mkdirSync(join(core.directory, 'run'), { recursive: true });
  const process = await createGate({ name: 'acme', configuration, directory: core.directory, log, life, clock });
  const address = await startAcme(process, seams);
  const file = 'file' in configuration.database ? join(core.directory, configuration.database.file) : '';
  const read = <T>(use: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(file);
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  return {
    url: `https://127.0.0.1:${address.port}`,
    directory: `https://127.0.0.1:${address.port}${seams?.spelling?.write('/directory') ?? '/directory'}`,
    trustAnchor: core.trustAnchor,
    log: () => lines.join(''),
    countRows: () =>
      read((database) => {
        const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
        return Object.fromEntries(
          tables.map(({ name }) => [
            String(name),
            Number(database.prepare(`select count(*) as rows from "${String(name)}"`).get()?.rows),
          ]),
        );
      }),
    query: (sql, ...parameters) => read((database) => database.prepare(sql).all(...parameters)),
    run: (sql, ...parameters) => {
      read((database) => database.prepare(sql).run(...parameters));
    },
    stop: async () => {
      for (const stop of stops) await stop();
    },
  };
}

function captureLog(lines: string[]): Logger {
  return createLog({ name: 'acme', level: 'info', destination: { write: (line) => void lines.push(line) } });
}
