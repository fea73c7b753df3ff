/**
 * Ports of gates whose addresses outlive a start, because they stand in certificates or in what clients remember: where the
 * system chooses the ports, such a gate gets the one of the last start again as long as nobody else has it.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import type { DataDirectory } from '../data-directory.ts';

/** The port of one gate. */
export type SettledPort = {
  readonly port: number;
  /** Keeps it for the next start. */
  remember(): void;
};

/** The port of the last start of the gate, when it is free; else another. Throws FatalError when none is free. */
export async function settlePort(data: DataDirectory, gate: string, host: string): Promise<SettledPort> {
  const file = join(data.path, `run/${gate}-port`);
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const port = isPort(last) && (await isFree(host, last)) ? last : await findFreePort(gate, host);
  return { port, remember: () => rememberPort(file, port) };
}

function rememberPort(file: string, port: number): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, `${port}\n`);
  } catch {
    // A directory that cannot be written is told by the core, which writes there too.
  }
}

// Below the ranges from which systems take the ports of outgoing connections (Linux 32768, others 49152): nobody is given
// it by chance between now and the moment when the gate listens.
const lowest = 20_000;
const highest = 32_767;
const attempts = 100;

async function findFreePort(gate: string, host: string): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(host, port)) return port;
  }
  throw new FatalError(`no port from ${lowest} to ${highest} is free on ${host} for the ${gate} gate`, {
    hint: `is ${gate}.listen.host an address of this machine? Else choose a port: --set ${gate}.listen.port=…`,
  });
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  return await promise;
}
