// The keep, two perspectives and the ACME gate as processes that can be killed one by one and come back where they were.
// `gatehouse up` makes the directory and starts them once; from then on each is started singly, with the very arguments
// that `up` gave it, which are read from its processes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChallengeServer } from '../acme/challenge-server.ts';
import { startChallengeServer } from '../acme/challenge-server.ts';
import { CommandError, output } from '../command.ts';
import { askUp, command } from './ask-up.ts';
import { freePort } from './free-port.ts';
import { createResident, type Resident } from './resident.ts';

/** A running house. */
export type House = {
  readonly core: Resident;
  readonly gate: Resident;
  readonly perspectives: readonly [Resident, Resident];
  /** All of them. */
  readonly residents: readonly Resident[];
  /** How long a process takes here and now from its start until it is ready, on average. */
  readonly startMs: number;
  /** The data directory. */
  readonly data: string;
  /** URL of the ACME directory. */
  readonly acme: string;
  /** PEM of the root. */
  readonly trustAnchor: string;
  readonly challenges: ChallengeServer;
  /** Runs an operator's command, which must succeed, and gives what it printed as JSON. @throws {CommandError} */
  operator(...parameters: readonly string[]): Promise<unknown>;
  /** Ends everything and removes the directory. */
  leave(): Promise<void>;
};

/** How a house is opened. */
export type HouseOptions = {
  /** Further `--set` arguments. */
  readonly settings?: readonly string[] | undefined;
};

const names = { core: 'core', gate: 'acme', perspectives: ['perspective-here-a', 'perspective-here-b'] } as const;
const all = [names.core, ...names.perspectives, names.gate] as const;

/** Makes a directory, and starts all processes. @throws {CommandError} when one does not start */
export async function openHouse({ settings = [] }: HouseOptions = {}): Promise<House> {
  const data = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
  const challenges = await startChallengeServer();
  const residents: Resident[] = [];
  const leave = async (): Promise<void> => {
    await Promise.all(residents.map((resident) => resident.kill()));
    await challenges.stop();
    // For whoever looks for a failure.
    if (process.env.DRILL_KEEP === undefined) rmSync(data, { recursive: true, force: true });
  };
  try {
    const ports = new Map<string, number>();
    for (const setting of ['core.listen', 'core.management', 'acme.listen', 'acme.management']) {
      ports.set(`${setting}.port`, await freePort());
    }
    const told = await askUp({
      data,
      gate: names.gate,
      processes: all,
      settings: [
        ...[...ports].map(([setting, port]) => `${setting}=${port}`),
        `acme.validation.httpPort=${challenges.httpPort}`,
        `acme.validation.tlsPort=${challenges.tlsPort}`,
        `acme.validation.resolver=${challenges.resolver}`,
        ...settings,
      ],
    });
    for (const name of all) {
      const parameters = [...(told.arguments.get(name) ?? []), ...(await ownPorts(name))];
      residents.push(createResident({ name, directory: data, parameters }));
    }
    const startedAt = performance.now();
    for (const resident of residents) {
      resident.launch();
      await resident.ready();
    }
    const startMs = (performance.now() - startedAt) / residents.length;
    const find = (name: string): Resident => {
      const found = residents.find((resident) => resident.name === name);
      if (found === undefined) throw new CommandError(`there is no process ${name}`);
      return found;
    };
    const [first, second] = names.perspectives;
    return {
      core: find(names.core),
      gate: find(names.gate),
      perspectives: [find(first), find(second)],
      residents,
      startMs,
      data,
      acme: String(told.endpoints.acme?.directory),
      trustAnchor: told.trustAnchor,
      challenges,
      operator: async (...parameters) => {
        const text = await output(process.execPath, [command, ...parameters, '--json', '--data', data]);
        return JSON.parse(text.toString('utf8'));
      },
      leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** `up` lets the system choose the ports of its perspectives, and these must be found again where they were. */
async function ownPorts(name: string): Promise<readonly string[]> {
  if (!name.startsWith('perspective-')) return [];
  const listen = { host: '127.0.0.1', port: await freePort() };
  return ['--set', `perspective.listen=${JSON.stringify(listen)}`];
}
