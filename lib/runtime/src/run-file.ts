// Where a running process is found: DIR/run/<process>.json, written when it listens and removed when it stops. Ports may
// have been chosen by the system.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ListenAddress } from './listen.ts';
import { writeFileAtomic } from './private-file.ts';

/** What a process says about itself. Addresses are `host:port`. */
export type RunFacts = {
  readonly management: string;
  /** Absent until the process listens for clients. */
  readonly address?: string | undefined;
};

/** Writes the file; a file that an earlier process left behind is replaced. @throws {FatalError} when it cannot be written */
export function writeRunFile(directory: string, name: string, facts: RunFacts): void {
  const folder = join(directory, 'run');
  mkdirSync(folder, { recursive: true });
  writeFileAtomic(join(folder, `${name}.json`), `${JSON.stringify({ pid: process.pid, ...facts })}\n`);
}

/** Removes the file. */
export function removeRunFile(directory: string, name: string): void {
  rmSync(join(directory, 'run', `${name}.json`), { force: true });
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
