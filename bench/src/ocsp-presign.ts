/**
 * How fast OCSP responses are signed in advance: the core's pre-signer on a store of many certificates, reading and writing
 * of databases included, beside a loop that does nothing but sign with the same key.
 */
import { type KeyObject, sign } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadAuthorities } from '@gatehouse/ca-core/authorities/load-authorities';
import { createPreSigner } from '@gatehouse/ca-core/jobs/pre-signer';
import { createResponseSigner } from '@gatehouse/ca-core/jobs/response-signer';
import { generateSoftwareKey } from '@gatehouse/ca-core/keys/software-key';
import { createSoftwareSigner } from '@gatehouse/ca-core/keys/software-signer';
import type { Database } from '@gatehouse/ca-core/store/database';
import { discardResponseDatabase, openResponseDatabase } from '@gatehouse/ca-core/store/responses/database';
import { createResponseLog } from '@gatehouse/ca-core/store/responses/response-log';
import { createStatements, type StoreReader } from '@gatehouse/ca-core/store/statements';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { systemClock } from '@gatehouse/runtime/clock';
import { openSqlite } from '@gatehouse/runtime/database/sqlite';
import { newDataDirectory, passphraseOf } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { printTable } from './report.ts';

const certificates = 100_000;
const repetitions = 3;
const dayMs = 86_400_000;
/** ResponseData for one certificate and a CertID with SHA-256 has about so many octets. */
const responseOctets = 190;

/** Runs and prints the benchmark. @param durationMs how long the bare loop runs, each time */
export async function benchOcspPresign(durationMs: number): Promise<void> {
  const directory = newDataDirectory();
  const revoked = certificates / 100;
  fillStore(directory, { certificates, revoked, certificateOctets: 600, crlScope: 'issuing-1' });
  const core = openSqlite<Database>({ file: join(directory, 'core.db'), readOnly: true });
  const { issuing } = loadAuthorities({ directory, passphrase: passphraseOf(directory), clock: systemClock });
  const key = generateSoftwareKey('ecdsa-p256');
  const bare: number[] = [];
  const whole: number[] = [];
  try {
    for (let repetition = 0; repetition < repetitions; repetition++) {
      bare.push(signaturesPerSecond(key, durationMs / 2));
      const file = join(directory, `bench-${repetition}.db`);
      whole.push(await certificatesPerSecond(createStatements(core.raw), file, issuing.certificate, key));
      discardResponseDatabase(file);
      bare.push(signaturesPerSecond(key, durationMs / 2));
    }
  } finally {
    await core.close();
    rmSync(directory, { recursive: true, force: true });
  }
  const [perSecond, limit] = [median(whole), median(bare)];
  printTable(
    `OCSP: responses signed in advance for ${certificates.toLocaleString('en')} certificates, median of ${repetitions}`,
    ['certificates per second', 'signatures per second', 'bare loop, signatures per second', 'share', 'all of them s'],
    [
      [
        perSecond.toFixed(0),
        (2 * perSecond).toFixed(0),
        limit.toFixed(0),
        ((2 * perSecond) / limit).toFixed(3),
        (certificates / perSecond).toFixed(1),
      ],
    ],
  );
}

function signaturesPerSecond(key: KeyObject, durationMs: number): number {
  const data = Buffer.alloc(responseOctets, 1);
  const startedAt = performance.now();
  let signatures = 0;
  while (performance.now() - startedAt < durationMs) {
    for (let repetition = 0; repetition < 100; repetition++) sign('sha256', data, key);
    signatures += 100;
  }
  return (signatures * 1000) / (performance.now() - startedAt);
}

/** Signs for every certificate in the store, into a new ocsp.db. */
async function certificatesPerSecond(
  store: StoreReader,
  file: string,
  issuer: Certificate,
  key: KeyObject,
): Promise<number> {
  const database = openResponseDatabase(file, () => undefined);
  try {
    const now = Date.now();
    const log = createResponseLog(database, now);
    const { sign: signOctets, subjectPublicKeyInfo, signatureAlgorithm } = createSoftwareSigner(key);
    const responder = {
      subjectDer: issuer.subjectDer,
      subjectPublicKeyInfo,
      notAfter: new Date(now + 14 * dayMs),
    };
    const times = { validityMs: dayMs, archiveCutoffMs: undefined };
    const signer = createResponseSigner({ issuer, responder, sign: signOctets, ...times });
    const { notAfter } = responder;
    // Whose certificate goes along with a response makes no difference to what is measured.
    const number = log.recordResponder(
      { id: Buffer.alloc(32), certificate: issuer.der, signatureAlgorithm, notAfter },
      now,
    );
    const unpublishedProfiles = new Set<string>();
    const preSigner = createPreSigner({ store, log, authority: 'issuing', unpublishedProfiles, ...times });
    const startedAt = performance.now();
    let signed = 0;
    for (;;) {
      const batch =
        (await preSigner.signChanges({ number, signer }, now)) ?? (await preSigner.signOthers({ number, signer }, now));
      if (batch === undefined) break;
      // A certificate that is revoked already is signed twice: as a change, and as one that was issued.
      signed += batch.signed;
    }
    return (signed * 1000) / (performance.now() - startedAt);
  } finally {
    await database.close();
  }
}
