/** Programs that a benchmark needs beside our own. */
import { spawnSync } from 'node:child_process';

/** Throws, with advice, when one of these programs cannot be started. */
export function requireTools(...programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync(program, ['-v'], { stdio: 'ignore' }).error !== undefined);
  if (missing.length === 0) return;
  throw new Error(`${missing.join(' and ')} cannot be started: run bench/install-tools.sh as root`);
}
