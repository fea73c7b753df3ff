/**
 * What a revocation costs when many certificates are in the store, beside the same with few: the core's own `Revoke` on a
 * real database, from the look-up of the certificate to the commit on the disk; and counting all of them for a bulk
 * revocation, which is a scan.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createAuditChain } from '@gatehouse/ca-core/audit/chain';
import { loadAuthorities } from '@gatehouse/ca-core/authorities/load-authorities';
import { createRegistry } from '@gatehouse/ca-core/registry/registry';
import { countCertificates } from '@gatehouse/ca-core/revocation/bulk-count';
import { type RevocationParts, revoke } from '@gatehouse/ca-core/revocation/revoke';
import { lastCertificatePosition } from '@gatehouse/ca-core/store/bulk-candidates';
import { openStore, type Store } from '@gatehouse/ca-core/store/open-store';
import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { newDataDirectory, passphraseOf } from './data-directory.ts';
import { fillStore } from './filled-store.ts';
import { median } from './median.ts';
import { printTable } from './report.ts';

const sizes = [10_000, 1_000_000] as const;
const rounds = 3;
const oneByOne = 500;
const together = 1_000;
const inFlight = 16;
/** No divisor of a size: steps of it meet every certificate once. */
const stride = 7_919;

const superseded = 4;
const operator = { kind: 'operator', name: 'admin', uri: 'spiffe://gatehouse.internal/operator/admin' } as const;
const context = { caller: { ...operator, serialNumber: '01' }, requestId: 'bench' };

/** A store of one size and what was measured on it. */
type Subject = {
  readonly size: number;
  readonly directory: string;
  readonly parts: RevocationParts & { readonly store: Store };
  /** The next certificate that is not revoked. */
  next(): string;
  readonly latencies: number[];
  readonly medians: number[];
  readonly rates: number[];
  readonly counting: number[];
};

/** Runs and prints the benchmark. Filling the larger store takes a minute. */
export async function benchRevocation(): Promise<void> {
  const subjects: Subject[] = [];
  try {
    for (const size of sizes) subjects.push(await prepare(size));
    for (let round = 0; round < rounds; round++) for (const subject of subjects) await measure(subject);
  } finally {
    for (const { parts, directory } of subjects) {
      await parts.store.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }
  printTable(
    `revocation: one by one, ${inFlight} at a time, and counting all for a bulk revocation; median of ${rounds} rounds`,
    ['certificates in the store', 'median ms', 'p99 ms', `per second, ${inFlight} in flight`, 'dry run of all s'],
    subjects.map(({ size, latencies, medians, rates, counting }) => [
      size.toLocaleString('en'),
      median(medians).toFixed(2),
      (latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN).toFixed(2),
      median(rates).toFixed(0),
      median(counting).toFixed(2),
    ]),
  );
}

async function prepare(size: number): Promise<Subject> {
  const directory = newDataDirectory();
  const { issuing, auditKey } = loadAuthorities({ directory, passphrase: passphraseOf(directory), clock: systemClock });
  const certificate = issuing.certificate.der;
  const filling = { certificates: size, revoked: 0, certificateOctets: certificate.length, crlScope: 'issuing-1' };
  const serialNumbers = fillStore(directory, { ...filling, certificate });
  const log = createLog({ name: 'bench', level: 'error' });
  const audit = createAuditChain({ key: auditKey });
  const store = await openStore({ file: join(directory, 'core.db'), audit, clock: systemClock, log });
  const registry = createRegistry(store, systemClock);
  let taken = 0;
  const subject: Subject = {
    size,
    directory,
    parts: { store, registry, statusFeed: { wake: () => undefined }, clock: systemClock, log },
    next: () => {
      taken += 1;
      return serialNumbers[(taken * stride) % size] ?? '';
    },
    latencies: [],
    medians: [],
    rates: [],
    counting: [],
  };
  // What is not measured: statements are prepared, pages are read for the first time.
  await inTurn(subject, oneByOne);
  return subject;
}

async function measure(subject: Subject): Promise<void> {
  const { latencies, medians, rates, counting, parts } = subject;
  const times = await inTurn(subject, oneByOne);
  latencies.push(...times);
  medians.push(median(times));

  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, () => inTurn(subject, together / inFlight)));
  rates.push((together * 1000) / (performance.now() - startedAt));

  const countedFrom = performance.now();
  const endPosition = lastCertificatePosition(parts.store);
  const walk = { selection: { registrationAuthority: 'bench' }, endPosition, unexpiredAt: new Date() };
  const { matching } = await countCertificates(parts.store, walk, superseded);
  if (matching !== subject.size) throw new Error(`${matching} certificates were counted`);
  counting.push((performance.now() - countedFrom) / 1000);
}

/** Revokes so many, one after the other; answers how long each took in milliseconds. */
async function inTurn({ parts, next }: Subject, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const startedAt = performance.now();
    const request = {
      serialNumber: next(),
      reason: superseded,
      invalidityDate: undefined,
      requester: undefined,
    } as const;
    await revoke(parts, context, request);
    times.push(performance.now() - startedAt);
  }
  return times;
}
