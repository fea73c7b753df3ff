#!/usr/bin/env node
// Starts the command on the Node.js that npm installed with it. A shell that finds an older Node.js first (a link to
// this file outside of npm's scripts) is helped: the command is handed over to the right one, or refused in one line.
// Plain JavaScript, because an old Node.js cannot read anything else.
import { spawn } from 'node:child_process';
import * as nodeModule from 'node:module';

const oldest = 26;

if (Number.parseInt(process.versions.node, 10) >= oldest) {
  nodeModule.enableCompileCache?.();
  await import('../src/main.ts');
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
    process.stderr.write(
      `Gatehouse needs Node.js ${oldest} or newer, but this is ${process.versions.node}.\n  Run 'npm ci' in the project: it installs the right one.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), {
    // The channel is how the one that takes over learns that this one is gone, even if that was killed, and that whoever
    // started this one is.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
}
