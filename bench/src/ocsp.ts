/**
 * OCSP over HTTP GET per second from the status gate, for random certificates, beside nginx serving static files of the same
 * number and size: one process each, wrk with connections that are kept alive, turn by turn in the same run.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { newDataDirectory } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { nginxProgram, startNginx, writeStaticFiles } from './nginx.ts';
import { encodeRequest, fetchOctets, readIssuer, readStatus } from './relying-party.ts';
import { printTable } from './report.ts';
import { requireTools } from './required-tools.ts';
import { residentMegabytes, startUp, stopUp } from './throw-away-stack.ts';
import { runWrk, type WrkResult } from './wrk.ts';

const certificates = 100_000;
const rounds = 3;
/** The issue: with one process, half of what nginx does. */
const targetShare = 0.5;

/** Runs and prints the benchmark. @param durationMs of each turn */
export async function benchOcsp(durationMs: number): Promise<void> {
  requireTools('wrk', nginxProgram);
  const directory = newDataDirectory();
  const filling = { certificates, revoked: certificates / 100, certificateOctets: 600, crlScope: 'issuing-1' };
  const serialNumbers = fillStore(directory, filling);
  const stack = await startUp(directory, '--only', 'status');
  try {
    const gate = await untilLoaded(directory);
    const issuer = readIssuer(directory);
    const paths = serialNumbers.map((serialNumber) => `/ocsp/${encodeRequest(issuer, serialNumber)}`);
    const response = await fetchVerified(`${gate.origin}${paths.at(-1)}`, issuer);
    const folder = join(directory, 'nginx');
    const staticPaths = writeStaticFiles(folder, serialNumbers, response);
    const nginx = await startNginx(folder, certificates);
    try {
      const gateTurn = turn(directory, 'gate.txt', gate.origin, paths, durationMs);
      const nginxTurn = turn(directory, 'nginx.txt', nginx.origin, staticPaths, durationMs);
      // Compilers and caches are not what is measured.
      await gateTurn();
      await nginxTurn();
      const results = { gate: [] as WrkResult[], nginx: [] as WrkResult[] };
      for (let round = 0; round < rounds; round++) {
        results.gate.push(await gateTurn());
        results.nginx.push(await nginxTurn());
      }
      print(results, response.length, residentMegabytes(gate.pid));
    } finally {
      await nginx.stop();
    }
  } finally {
    await stopUp(stack);
    rmSync(directory, { recursive: true, force: true });
  }
}

function turn(folder: string, name: string, origin: string, paths: readonly string[], durationMs: number) {
  const pathsFile = join(folder, name);
  writeFileSync(pathsFile, `${paths.join('\n')}\n`);
  return () => runWrk({ folder, origin, pathsFile, seconds: Math.ceil(durationMs / 1000) });
}

/** Waits until the gate has a response for every certificate in its memory. */
async function untilLoaded(directory: string): Promise<{ readonly origin: string; readonly pid: number }> {
  const { status } = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const { pid, management } = JSON.parse(readFileSync(join(directory, 'run/status.json'), 'utf8'));
  for (;;) {
    const metrics = await (await fetch(`http://${management}/metrics`)).text();
    const held = Number(/^gatehouse_status_responses\{where="memory"\} (.*)$/m.exec(metrics)?.[1]);
    if (held >= certificates) return { origin: new URL(status.ocsp).origin, pid };
    await pause(250);
  }
}

async function fetchVerified(url: string, issuer: Certificate): Promise<Buffer> {
  const octets = await fetchOctets(url, new Agent());
  if (readStatus(octets, issuer) !== 'good') throw new Error('the certificate is not good');
  return octets;
}

function print(
  { gate, nginx }: { readonly gate: readonly WrkResult[]; readonly nginx: readonly WrkResult[] },
  octets: number,
  megabytes: number | undefined,
): void {
  const middle = (results: readonly WrkResult[], value: (result: WrkResult) => number) => median(results.map(value));
  const row = (name: string, results: readonly WrkResult[]) => [
    name,
    middle(results, ({ perSecond }) => perSecond).toFixed(0),
    middle(results, ({ p50 }) => p50).toFixed(2),
    middle(results, ({ p99 }) => p99).toFixed(2),
  ];
  const share = middle(gate, (one) => one.perSecond) / middle(nginx, (one) => one.perSecond);
  const verdict = share >= targetShare ? 'met' : `missed by ${((1 - share / targetShare) * 100).toFixed(0)} %`;
  printTable(
    `OCSP: GET for random ones of ${certificates.toLocaleString('en')} certificates, ${octets} octets each, median of ${rounds}`,
    ['server, one process', 'per second', 'p50 ms', 'p99 ms', 'share of nginx', `target ${targetShare}`],
    [
      [...row('status gate', gate), share.toFixed(3), verdict],
      [...row('nginx, static files', nginx), '1', ''],
    ],
  );
  process.stdout.write(`resident memory of the status gate: ${megabytes ?? 'unknown'} MB\n\n`);
}
