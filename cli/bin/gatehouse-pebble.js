#!/usr/bin/env node
// Starts the Pebble-compatible server for test suites of ACME clients on the Node.js that npm installed. A suite calls it
// by its path with whatever Node.js it has, so this hands over to the right one as gatehouse.js does.
import { spawn } from 'node:child_process';
import * as nodeModule from 'node:module';

const oldest = 26;

if (Number.parseInt(process.versions.node, 10) >= oldest) {
  nodeModule.enableCompileCache?.();
  await import('../src/pebble/main.ts');
} else {
  handOver(installedNode());
}

/** The Node.js of the per-platform package, or undefined where npm installed none. */
function installedNode() {
  const require = nodeModule.createRequire(import.meta.url);
  for (const prefix of ['node', 'node-bin']) {
    try {
      return require.resolve(`${prefix}-${process.platform}-${process.arch}/bin/node`);
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

/** @param {string | undefined} node */
function handOver(node) {
  if (node === undefined) {
    process.stderr.write(`Gatehouse needs Node.js ${oldest} or newer: run 'npm ci' in the project.\n`);
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}
