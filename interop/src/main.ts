// `npm run interop`: starts throw-away stacks, puts the stock clients through their operations, proves what must be true of
// the stacks afterwards, and writes matrix.md and matrix.json. Fails when anything in the matrix did. With words behind it
// (`npm run interop -- nginx 'openssl ocsp'`) it runs the operations alone in whose client or name one of them occurs, and
// writes nothing.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Certificates, createCertificates } from './certificates.ts';
import { clients as allClients } from './clients.ts';
import { hasPassed, type MatrixRow, toJson, toMarkdown } from './matrix.ts';
import { proveStack } from './proofs.ts';
import { missingPrograms } from './required-programs.ts';
import { chooseOperations, runClients } from './run.ts';
import { openSession } from './session.ts';
import { type Stack, type StackKind, startStack } from './stack.ts';

type Running = { readonly kind: StackKind; readonly stack: Stack; readonly certificates: Certificates };

const home = fileURLToPath(new URL('..', import.meta.url));
/** Most of the time is spent by clients that wait, not by the machine. */
const concurrency = 4;

const words = process.argv.slice(2);
const clients = chooseOperations(allClients, words);

const missing = await missingPrograms();
if (missing.length > 0) {
  process.stderr.write(
    `Missing: ${missing.join(', ')}.\n  Install them: interop/install-clients.sh, as root where Debian packages are missing\n`,
  );
  process.exit(1);
}
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-clients-'));
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<boolean> {
  const startedAt = performance.now();
  const needed = clients.flatMap(({ operations }) => operations.map(({ stack = 'common' }) => stack));
  const stacks = await Promise.all([...new Set<StackKind>(needed)].map(start));
  print(`stacks are ready after ${seconds(performance.now() - startedAt)}`);
  const inKind = new Map(stacks.map((one) => [one.kind, one]));
  const ran = await runClients({
    clients,
    concurrency,
    openSession: ({ stack: kind = 'common' }) => {
      const running = inKind.get(kind);
      if (running === undefined) throw new TypeError(`there is no stack of kind ${kind}`);
      return openSession(running.stack, running.certificates, directory);
    },
    report,
  });
  const proofs: MatrixRow[] = [];
  for (const { kind, stack, certificates } of stacks) {
    for (const row of await proveStack(kind, openSession(stack, certificates, directory))) {
      report(`${kind} stack`, row, 0);
      proofs.push(row);
    }
  }
  const matrix = { clients: ran, proofs };
  if (words.length === 0) {
    writeFileSync(join(home, 'matrix.md'), toMarkdown(matrix));
    writeFileSync(join(home, 'matrix.json'), toJson(matrix));
  }
  const passed = hasPassed(matrix);
  const count = ran.reduce((sum, { rows }) => sum + rows.length, 0);
  print(`${count} operations in ${seconds(performance.now() - startedAt)}: ${passed ? 'all passed' : 'SOME FAILED'}`);
  return passed;
}

async function start(kind: StackKind): Promise<Running> {
  const stack = await startStack(kind);
  return { kind, stack, certificates: createCertificates(stack.endpoints, directory) };
}

function report(who: string, { operation, outcome }: MatrixRow, durationMs: number): void {
  const result = outcome.passed ? 'ok  ' : 'FAIL';
  const reason = outcome.passed ? '' : `\n       ${outcome.reason.replaceAll('\n', '\n       ')}`;
  print(`${result} ${who}: ${operation} (${seconds(durationMs)})${reason}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
