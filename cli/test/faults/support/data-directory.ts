// Data directories for tests: one is made as `gatehouse init` makes it, and each test gets a copy of its own.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { runCommand } from './command.ts';

let template: Promise<string> | undefined;

/** A fresh data directory for trying out, removed after the test. */
export async function newDataDirectory(context: Pick<TestContext, 'after'>, parent = tmpdir()): Promise<string> {
  template ??= makeTemplate();
  const source = await template;
  const directory = emptyDataDirectory(context, parent);
  cpSync(source, directory, { recursive: true });
  return directory;
}

/** A directory in which nothing was made yet, removed after the test. */
export function emptyDataDirectory(context: Pick<TestContext, 'after'>, parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, 'gatehouse-faults-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function makeTemplate(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-template-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const { exitCode, errors } = await runCommand(['init', '--data', directory]);
  assert.equal(exitCode, 0, errors);
  return directory;
}

/**
 * A port on loopback that nobody has. It is below the range from which the system takes the ports of outgoing
 * connections: a client that tries to connect while nobody listens must not be given that very port.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => resolve(true));
    const isFree = await promise;
    await new Promise((done) => server.close(done));
    if (isFree) return port;
  }
}
