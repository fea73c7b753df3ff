/** The baseline for making CRLs: `openssl ca -gencrl` from its own text database, with as many entries. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { peakMegabytes, watchPeak } from './peak-memory.ts';

/** What it took, in milliseconds and megabytes. */
export type BaselineMeasurement = { readonly totalMs: number; readonly peak: number };

/** Makes a CA of openssl's in a new folder, in which these serial numbers are revoked. */
export function prepareOpensslCa(folder: string, serialNumbers: readonly string[]): void {
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]
default_ca = own
[own]
database = index.txt
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 1
unique_subject = no
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid:always
`,
  );
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'ca.pem', '-subj', '/CN=Baseline', '-days', '2'], {
    cwd: folder,
    stdio: 'ignore',
  });
  writeFileSync(join(folder, 'crlnumber'), '01\n');
  writeFileSync(join(folder, 'index.txt.attr'), 'unique_subject = no\n');
  const index = openSync(join(folder, 'index.txt'), 'w');
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
  const [ends, revoked] = [at(90), at(0)];
  for (let first = 0; first < serialNumbers.length; first += 1000) {
    const lines = serialNumbers
      .slice(first, first + 1000)
      .map((serialNumber) => `R\t${ends}\t${revoked},superseded\t${serialNumber.toUpperCase()}\tunknown\t/CN=host\n`);
    writeSync(index, lines.join(''));
  }
  closeSync(index);
}

/** Makes its CRL. */
export async function makeOpensslCrl(folder: string): Promise<BaselineMeasurement> {
  const startedAt = performance.now();
  const child = spawn('openssl', ['ca', '-config', 'ca.cnf', '-gencrl', '-out', 'ca.crl'], {
    cwd: folder,
    stdio: 'ignore',
  });
  const first = peakMegabytes(child.pid ?? 0);
  const peak = await watchPeak(child);
  return { totalMs: performance.now() - startedAt, peak: Number.isNaN(peak) ? first : peak };
}
