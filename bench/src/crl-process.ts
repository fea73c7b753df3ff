/**
 * Makes the complete CRL of a data directory as the core does, from the database to the signed file, and writes what it
 * took as JSON. A process of its own, started by crl.ts, so that nothing else is counted.
 */
import { join } from 'node:path';
import { loadAuthorities } from '@gatehouse/ca-core/authorities/load-authorities';
import { encodeCrl } from '@gatehouse/ca-core/jobs/crl-encoding';
import type { Database } from '@gatehouse/ca-core/store/database';
import { createStatements } from '@gatehouse/ca-core/store/statements';
import { assembleCrlFile } from '@gatehouse/ca-core/x509/crl-file';
import { readChunks } from '@gatehouse/ca-core/x509/octet-file';
import { systemClock } from '@gatehouse/runtime/clock';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { passphraseOf } from './data-directory.ts';
import { peakMegabytes } from './peak-memory.ts';

/** What it took. Milliseconds, octets and megabytes. */
export type CrlMeasurement = {
  readonly entries: number;
  readonly encodeMs: number;
  readonly signMs: number;
  readonly assembleMs: number;
  readonly size: number;
  /** Of the process before it began, and at the end. */
  readonly peakBefore: number;
  readonly peak: number;
};

async function measure(directory: string, file: string): Promise<CrlMeasurement> {
  const { issuing } = loadAuthorities({ directory, passphrase: passphraseOf(directory), clock: systemClock });
  const { certificate, signer } = issuing;
  const database = openSqlite<Database>({ file: join(directory, 'core.db'), readOnly: true });
  const { signatureAlgorithm } = signer;
  const tbsFile = `${file}.tbs`;
  const now = Math.floor(Date.now() / 1000) * 1000;
  const peakBefore = peakMegabytes();

  const startedAt = performance.now();
  const { entries } = await encodeCrl(
    createStatements(database.raw),
    { issuer: certificate, signatureAlgorithm },
    {
      file: tbsFile,
      coverage: { kind: 'authority', authority: 'issuing' },
      contents: { kind: 'full', listedSince: 0 },
      number: now,
      thisUpdate: now,
      nextUpdate: now + 86_400_000,
      issuingDistributionPoint: undefined,
      freshestCrl: [],
    },
  );
  const encodedAt = performance.now();
  const signature = signer.openSignature();
  for await (const chunk of readChunks(tbsFile)) signature.update(chunk);
  const octets = await signature.finish();
  const signedAt = performance.now();
  const { size } = await assembleCrlFile({ tbsFile, signatureAlgorithm, signature: octets, file });
  const assembledAt = performance.now();
  await database.close();
  return {
    entries,
    encodeMs: encodedAt - startedAt,
    signMs: signedAt - encodedAt,
    assembleMs: assembledAt - signedAt,
    size,
    peakBefore,
    peak: peakMegabytes(),
  };
}

const [directory = '', file = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(directory, file)));
