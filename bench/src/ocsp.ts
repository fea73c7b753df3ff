/**
 * OCSP over HTTP GET per second from the status gate, for random certificates, beside nginx serving static files of the same
 * number and size: one process each, wrk with connections that are kept alive, turn by turn in the same run.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { newDataDirectory } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { nginxProgram, startNginx, writeStaticFiles } from './nginx.ts';
import { processorSeconds } from './processor-time.ts';
import { encodeRequest, fetchOctets, readIssuer, readStatus } from './relying-party.ts';
import { printTable } from './report.ts';
import { requireTools } from './required-tools.ts';
import { untilLoaded } from './status-gate.ts';
import { residentMegabytes, startUp, stopUp } from './throw-away-stack.ts';
import { runWrk, type WrkResult } from './wrk.ts';

const certificates = 100_000;
const rounds = 3;
/** The issue: with one process, half of what nginx does. */
const targetShare = 0.5;

/** A turn of one server. */
type Turn = WrkResult & {
  /** Microseconds of processor time for each answer. */
  readonly processorUs: number;
  /** Share of one processor that the server took: below 1, something else held it up. */
  readonly processorShare: number;
};

/** `kept`: nginx with no more files than it keeps open. */
type Results = Readonly<Record<'gate' | 'nginx' | 'kept', Turn[]>>;

/** Runs and prints the benchmark. @param durationMs of each turn */
export async function benchOcsp(durationMs: number): Promise<void> {
  requireTools('wrk', nginxProgram);
  const directory = newDataDirectory();
  const filling = { certificates, revoked: certificates / 100, certificateOctets: 600, crlScope: 'issuing-1' };
  const serialNumbers = fillStore(directory, filling);
  const stack = await startUp(directory, '--only', 'status');
  try {
    const gate = await untilLoaded(directory, certificates);
    const issuer = readIssuer(directory);
    const paths = serialNumbers.map((serialNumber) => `/ocsp/${encodeRequest(issuer, serialNumber)}`);
    const response = await fetchVerified(`${gate.origin}${paths.at(-1)}`, issuer);
    const folder = join(directory, 'nginx');
    const staticPaths = writeStaticFiles(folder, serialNumbers, response);
    const nginx = await startNginx(folder, certificates);
    try {
      const gateTurn = turns(directory, 'gate.txt', gate, paths, durationMs);
      const nginxTurn = turns(directory, 'nginx.txt', nginx, staticPaths, durationMs);
      const keptPaths = staticPaths.slice(0, Math.floor(nginx.openFiles * 0.9));
      const keptTurn = turns(directory, 'kept.txt', nginx, keptPaths, durationMs);
      // Compilers and caches are not what is measured.
      await gateTurn();
      await nginxTurn();
      const results: Results = { gate: [], nginx: [], kept: [] };
      for (let round = 0; round < rounds; round++) {
        results.gate.push(await gateTurn());
        results.nginx.push(await nginxTurn());
        results.kept.push(await keptTurn());
      }
      print(results, { octets: response.length, kept: keptPaths.length, megabytes: residentMegabytes(gate.pid) });
    } finally {
      await nginx.stop();
    }
  } finally {
    await stopUp(stack);
    rmSync(directory, { recursive: true, force: true });
  }
}

function turns(
  folder: string,
  name: string,
  { origin, pid }: { readonly origin: string; readonly pid: number },
  paths: readonly string[],
  durationMs: number,
): () => Promise<Turn> {
  const pathsFile = join(folder, name);
  writeFileSync(pathsFile, `${paths.join('\n')}\n`);
  const seconds = Math.ceil(durationMs / 1000);
  return async () => {
    const before = processorSeconds(pid);
    const result = await runWrk({ folder, origin, pathsFile, seconds });
    const spent = processorSeconds(pid) - before;
    const answers = result.perSecond * seconds;
    return { ...result, processorUs: (spent * 1e6) / answers, processorShare: spent / seconds };
  };
}

async function fetchVerified(url: string, issuer: Certificate): Promise<Buffer> {
  const octets = await fetchOctets(url, new Agent());
  if (readStatus(octets, issuer) !== 'good') throw new Error('the certificate is not good');
  return octets;
}

function print(
  { gate, nginx, kept }: Results,
  facts: { readonly octets: number; readonly kept: number; readonly megabytes: number | undefined },
): void {
  const middle = (results: readonly Turn[], value: (result: Turn) => number) => median(results.map(value));
  const row = (name: string, results: readonly Turn[]) => [
    name,
    middle(results, ({ perSecond }) => perSecond).toFixed(0),
    middle(results, ({ p50 }) => p50).toFixed(2),
    middle(results, ({ p99 }) => p99).toFixed(2),
    middle(results, ({ processorUs }) => processorUs).toFixed(1),
    middle(results, ({ processorShare }) => processorShare).toFixed(2),
  ];
  // Of rates, and of what both would do with a whole processor if the load were no limit.
  const share = middle(gate, (one) => one.perSecond) / middle(nginx, (one) => one.perSecond);
  const processorShare = middle(nginx, (one) => one.processorUs) / middle(gate, (one) => one.processorUs);
  const verdict = (value: number) =>
    value >= targetShare ? 'met' : `missed by ${((1 - value / targetShare) * 100).toFixed(0)} %`;
  printTable(
    `OCSP: GET for random ones of ${certificates.toLocaleString('en')} certificates, ${facts.octets} octets each, median of ${rounds}`,
    ['server, one process', 'per second', 'p50 ms', 'p99 ms', 'processor µs each', 'processors'],
    [
      row('status gate', gate),
      row('nginx, static files', nginx),
      row(`nginx, ${facts.kept.toLocaleString('en')} files that stay open`, kept),
    ],
  );
  process.stdout.write(
    `the gate's share of nginx: ${share.toFixed(3)} by rate (target ${targetShare}: ${verdict(share)}), ` +
      `${processorShare.toFixed(3)} by processor time\n` +
      `resident memory of the status gate: ${facts.megabytes ?? 'unknown'} MB\n\n`,
  );
}
