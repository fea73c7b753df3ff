/**
 * Time and peak memory of making a CRL by the core's own code, from revocations in its database to the signed file on the
 * disk, beside openssl's from its text database; each in a process of its own, and verified by openssl.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CrlMeasurement } from './crl-process.ts';
import { newDataDirectory } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { type BaselineMeasurement, makeOpensslCrl, prepareOpensslCa } from './openssl-crl.ts';
import { printTable } from './report.ts';

const sizes = [10_000, 100_000, 1_000_000] as const;
const repetitions = 3;
const program = fileURLToPath(new URL('./crl-process.ts', import.meta.url));

/** Runs and prints the benchmark. */
export async function benchCrl(): Promise<void> {
  const rows: string[][] = [];
  for (const size of sizes) rows.push(await measureSize(size));
  printTable(
    `CRL: from the database to the signed file, median of ${repetitions}; each verified by openssl`,
    [
      'entries',
      'MB',
      'read+encode s',
      'sign s',
      'write s',
      'all s',
      'peak MB',
      'above idle',
      'openssl ca s',
      'peak MB',
    ],
    rows,
  );
}

async function measureSize(size: number): Promise<string[]> {
  const directory = newDataDirectory();
  try {
    const filling = { certificates: size, revoked: size, certificateOctets: 0, crlScope: 'issuing' };
    const serialNumbers = fillStore(directory, filling);
    const baselineFolder = join(directory, 'openssl');
    prepareOpensslCa(baselineFolder, serialNumbers);
    const own: CrlMeasurement[] = [];
    const baseline: BaselineMeasurement[] = [];
    for (let repetition = 0; repetition < repetitions; repetition++) {
      own.push(makeCrl(directory, size));
      baseline.push(await makeOpensslCrl(baselineFolder));
    }
    return describe(size, own, baseline);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeCrl(directory: string, size: number): CrlMeasurement {
  const file = join(directory, 'bench.crl');
  const output = execFileSync(process.execPath, [program, directory, file], { encoding: 'utf8' });
  const measurement: CrlMeasurement = JSON.parse(output);
  if (measurement.entries !== size) throw new Error(`the CRL has ${measurement.entries} entries`);
  verify(directory, file);
  return measurement;
}

/** openssl answers 0 whatever it finds, and says on standard error what that was. */
function verify(directory: string, file: string): void {
  const args = ['crl', '-inform', 'DER', '-in', file, '-noout', '-CAfile', join(directory, 'ca/issuing.pem')];
  const said = execFileSync('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', 'openssl', ...args], { encoding: 'utf8' });
  if (said.trim() !== 'verify OK') throw new Error(`openssl does not accept the CRL: ${said}`);
}

function describe(size: number, own: readonly CrlMeasurement[], baseline: readonly BaselineMeasurement[]): string[] {
  const middle = (value: (measurement: CrlMeasurement) => number) => median(own.map(value));
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  return [
    size.toLocaleString('en'),
    (middle((one) => one.size) / 1e6).toFixed(1),
    seconds(middle((one) => one.encodeMs)),
    seconds(middle((one) => one.signMs)),
    seconds(middle((one) => one.assembleMs)),
    seconds(middle((one) => one.encodeMs + one.signMs + one.assembleMs)),
    middle((one) => one.peak).toFixed(0),
    middle((one) => one.peak - one.peakBefore).toFixed(0),
    seconds(median(baseline.map(({ totalMs }) => totalMs))),
    median(baseline.map(({ peak }) => peak)).toFixed(0),
  ];
}
