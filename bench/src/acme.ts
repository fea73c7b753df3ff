/**
 * Full issuances per second over ACME: newOrder, authorization, challenge, finalize, certificate, with an account that was
 * made before. The gate keeps everything durably in SQLite; Debian's pebble, which keeps everything in memory, runs the
 * same load in the same minute. With validation answered by a local web server, and with validation switched off in the
 * way of pebble; and the whole house, in which two perspectives sign and the keep verifies.
 */

import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { LoadAccount } from './acme/account.ts';
import { startEnforcingGate } from './acme/enforcing-gate.ts';
import { type RunningServer, startPebble } from './acme/pebble.ts';
import { type Responder, startResponder } from './acme/responder.ts';
import { type LoadResult, runLoad } from './load.ts';
import { printTable } from './report.ts';
import { requireTools } from './required-tools.ts';

const concurrencies = [8, 32];
const ourPebble = fileURLToPath(new URL('../../cli/bin/gatehouse-pebble.js', import.meta.url));

type Contestant = { readonly name: string; start(responder: Responder): Promise<RunningServer> };

const switchedOff: readonly Contestant[] = [
  pebbleLike("Debian's pebble, in memory", ['pebble'], true),
  pebbleLike('the gate and the keep, durable', [process.execPath, ourPebble], true),
];

const answered: readonly Contestant[] = [
  pebbleLike("Debian's pebble, in memory", ['pebble'], false),
  pebbleLike('the gate and the keep, durable, its own eyes alone', [process.execPath, ourPebble], false),
  { name: 'the whole house: two perspectives, enforced by the keep', start: startEnforcingGate },
];

function pebbleLike(name: string, command: readonly [string, ...string[]], isAlwaysValid: boolean): Contestant {
  return { name, start: (responder) => startPebble({ command, responder, isAlwaysValid }) };
}

/** Runs and prints the benchmark. `durationMs` is for each contestant at each concurrency. */
export async function benchAcme(durationMs: number): Promise<void> {
  requireTools('pebble', 'pebble-challtestsrv');
  const responder = await startResponder();
  try {
    await compare('ACME: full issuances, validation switched off', switchedOff, responder, durationMs);
    await compare('ACME: full issuances, http-01 answered by a local server', answered, responder, durationMs);
  } finally {
    await responder.stop();
  }
}

async function compare(
  title: string,
  contestants: readonly Contestant[],
  responder: Responder,
  durationMs: number,
): Promise<void> {
  const rows: string[][] = [];
  /** Of the first contestant, in the first run. */
  let baseline: number | undefined;
  for (const { name, start } of contestants) {
    for (const concurrency of concurrencies) {
      const server = await start(responder);
      try {
        const before = server.processorSeconds();
        const result = await load(server, responder, concurrency, durationMs);
        const processorMs = ((server.processorSeconds() - before) * 1000) / (result.operations * 1.25);
        baseline ??= result.perSecond;
        rows.push([
          name,
          String(concurrency),
          result.perSecond.toFixed(0),
          (result.perSecond / baseline).toFixed(2),
          result.p50.toFixed(1),
          result.p99.toFixed(1),
          processorMs.toFixed(2),
          server.peakMegabytes().toFixed(0),
        ]);
      } catch (error) {
        // Debian's pebble 2.4 can lock its own store up when orders are read while certificates are added.
        rows.push([name, String(concurrency), `stopped answering (${error instanceof Error ? error.name : 'error'})`]);
      } finally {
        await server.stop();
      }
    }
  }
  const head = [
    'server',
    'in flight',
    'per second',
    'of pebble at 8',
    'p50 ms',
    'p99 ms',
    'processor ms each',
    'peak MB',
  ];
  printTable(title, head, rows);
}

async function load(
  server: RunningServer,
  responder: Responder,
  concurrency: number,
  durationMs: number,
): Promise<LoadResult> {
  const accounts: LoadAccount[] = [];
  for (let index = 0; index < concurrency; index++) {
    const account = await LoadAccount.create(server);
    responder.know(`w${index}`, account.thumbprint);
    accounts.push(account);
  }
  const free = accounts.map((account, index) => ({ account, label: `w${index}` }));
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const run = Date.now().toString(36);
  const result = await runLoad(concurrency, durationMs, async (index) => {
    const own = free.pop();
    if (own === undefined) throw new Error('more is in flight than there are accounts');
    const name = `${own.label}-${run}-${index}.example.test`;
    const csr = createCertificationRequest({ subject: [], key, names: [{ kind: 'dns', value: name }] });
    await own.account.issue(name, csr);
    free.push(own);
  });
  await Promise.all(accounts.map((account) => account.close()));
  return result;
}
