// A second copy of the ACME gate of a house, as on another machine: with a directory of its own, the credential and the
// database of the first, and under the same base URL.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { House } from './house.ts';
import { createResident, type Resident } from './resident.ts';

/** A running copy. */
export type GateCopy = {
  readonly gate: Resident;
  /** Where it answers; what it answers with are the URLs of the first. */
  readonly directory: string;
  /** Ends it and removes its directory. */
  leave(): Promise<void>;
};

/** Starts one. @throws {CommandError} when it does not start */
export async function addGateCopy({ data, acme, gate: first }: House): Promise<GateCopy> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-copy-'));
  for (const name of ['ra/acme', 'log', 'run']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  for (const file of ['gatehouse.yaml', 'ra/acme/credential.pem']) copyFileSync(join(data, file), join(folder, file));
  const port = await freePort();
  const own = [`acme.listen.port=${port}`, 'acme.management.port=0', `acme.baseUrl=${new URL(acme).origin}`];
  const gate = createResident({
    name: first.name,
    directory: folder,
    parameters: [
      ...first.parameters.map((parameter) => (parameter === data ? folder : parameter)),
      ...own.flatMap((setting) => ['--set', setting]),
    ],
  });
  const leave = async (): Promise<void> => {
    await gate.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    gate.launch();
    await gate.ready();
  } catch (error) {
    await leave();
    throw error;
  }
  return { gate, directory: `https://127.0.0.1:${port}/directory`, leave };
}
