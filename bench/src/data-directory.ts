/** A data directory for one benchmark, made as `gatehouse init` makes it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../cli/bin/gatehouse.js', import.meta.url));

/** Makes one in the directory for temporary files; whoever asks for it removes it. */
export function newDataDirectory(...options: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  execFileSync(process.execPath, [command, 'init', '--data', directory, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return directory;
}

/** What opens the online keys of such a directory. */
export function passphraseOf(directory: string): string {
  return readFileSync(join(directory, 'secrets/passphrase'), 'utf8').trimEnd();
}
