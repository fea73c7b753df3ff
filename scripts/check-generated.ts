/** Fails when the contract's TypeScript is not what buf makes of the .proto files today, or when those do not lint. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './packages.ts';

const generated = join(root, 'proto/src/generated');
const workshop = mkdtempSync(join(tmpdir(), 'gatehouse-generated-'));
try {
  const run = (...parameters: readonly string[]) =>
    execFileSync(join(root, 'node_modules/.bin/buf'), parameters, { cwd: join(root, 'proto'), stdio: 'inherit' });
  run('lint');
  cpSync(generated, join(workshop, 'before'), { recursive: true });
  run('generate', '--output', join(workshop, 'after'));
  const stale = difference(join(workshop, 'before'), join(workshop, 'after/src/generated'));
  if (stale.length > 0) {
    process.stderr.write(`stale, run 'npm run generate':\n${stale.join('\n')}\n`);
    process.exitCode = 1;
  } else process.stdout.write('the generated code is fresh\n');
} finally {
  rmSync(workshop, { recursive: true });
}

function difference(before: string, after: string): readonly string[] {
  const files = (folder: string) => globSync('**/*.ts', { cwd: folder });
  const all = new Set([...files(before), ...files(after)]);
  return [...all].filter((file) => read(join(before, file)) !== read(join(after, file)));
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
