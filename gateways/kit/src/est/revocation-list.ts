// The CRL of a foreign CA from where it is published: a file, or an http or https URL that is fetched at the start and
// followed. A fetched list is believed by its signature alone. One that cannot be had leaves the last one, which says
// nothing any more after its nextUpdate; an older one never takes the place of a newer one.

import { readFileSync } from 'node:fs';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { DerError } from '@gatehouse/pkix/der/reader';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import { type CertificateList, readCertificateList } from './certificate-list.ts';

/** A CRL as it is now. */
export type RevocationList = {
  /** undefined while none could be had. */
  current(): CertificateList | undefined;
  /** Ends following. */
  close(): void;
};

/** How a CRL is fetched, milliseconds and octets. */
export type FetchLimits = {
  readonly timeoutMs: number;
  readonly maximumOctets: number;
  /** Between two fetches; in between it is half of the time to nextUpdate. */
  readonly shortestPauseMs: number;
  readonly longestPauseMs: number;
  /** After a failure, doubled with each further one up to the longest pause. */
  readonly firstRetryMs: number;
};

/** What {@link followRevocationList} takes. */
export type FollowListOptions = {
  readonly url: string;
  /** Certificates of which one signed the CRL. */
  readonly issuers: readonly Certificate[];
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<FetchLimits> | undefined;
};

const defaultLimits: FetchLimits = {
  timeoutMs: 10_000,
  // Some 400,000 entries.
  maximumOctets: 16 * 1024 * 1024,
  shortestPauseMs: 60_000,
  longestPauseMs: 3_600_000,
  firstRetryMs: 5_000,
};

/** Whether the setting is a URL, not a file. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Reads a CRL from a file, PEM or DER. @throws {FatalError} when it cannot be used */
export function loadRevocationList(file: string, issuers: readonly Certificate[]): RevocationList {
  let list: CertificateList;
  try {
    list = readList(readFileSync(file), issuers);
  } catch (cause) {
    throw new FatalError(`${file} cannot be used: ${reasonOf(cause)}`, { cause });
  }
  return { current: () => list, close: () => {} };
}

/** Fetches a CRL and follows it. Waits for the first answer, whatever it is. */
export async function followRevocationList(options: FollowListOptions): Promise<RevocationList> {
  const { url, issuers, log, clock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const ended = new AbortController();
  let list: CertificateList | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const take = (fetched: CertificateList): void => {
    // Whoever stands between could send one again from before a revocation.
    if (list !== undefined && fetched.thisUpdate < list.thisUpdate) throw new DerError('it is older than the last one');
    if (list === undefined || failures > 0) {
      log.info({ url, thisUpdate: fetched.thisUpdate, nextUpdate: fetched.nextUpdate }, 'the CRL is taken');
    }
    list = fetched;
    failures = 0;
  };
  const look = async (): Promise<void> => {
    try {
      take(readList(await fetchOctets(url, limits, ended.signal), issuers));
    } catch (error) {
      if (ended.signal.aborted) return;
      failures++;
      const fields = { url, reason: reasonOf(error), nextUpdate: list?.nextUpdate };
      log.warn(fields, 'the CRL cannot be had; the last one stands until its nextUpdate');
    }
    if (!ended.signal.aborted) timer = setTimeout(look, pauseMs()).unref();
  };
  const pauseMs = (): number => {
    if (failures > 0) return Math.min(limits.firstRetryMs * 2 ** Math.min(failures - 1, 20), limits.longestPauseMs);
    const nextUpdate = list?.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY;
    const half = (nextUpdate - clock.now().getTime()) / 2;
    return Math.min(Math.max(half, limits.shortestPauseMs), limits.longestPauseMs);
  };

  await look();
  return {
    current: () => list,
    close: () => {
      ended.abort();
      clearTimeout(timer);
    },
  };
}

function readList(octets: Buffer, issuers: readonly Certificate[]): CertificateList {
  const der = octets[0] === 0x30 ? octets : decodePem(octets.toString('latin1'), ['X509 CRL'])[0]?.der;
  if (der === undefined) throw new DerError('it holds no CRL');
  return readCertificateList(der, issuers);
}

async function fetchOctets(url: string, limits: FetchLimits, ended: AbortSignal): Promise<Buffer> {
  const { timeoutMs, maximumOctets } = limits;
  const answer = await fetch(url, {
    headers: { accept: 'application/pkix-crl' },
    // The operator says where this gate asks, not whoever answers: it may stand where others cannot reach.
    redirect: 'error',
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ended]),
  });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`the server answers ${answer.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop ends the transfer.
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > maximumOctets) throw new Error(`it is longer than ${maximumOctets} octets`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** `fetch` says only that it failed; why is a level below. */
function reasonOf(error: unknown): string {
  if (error instanceof PkixError) return error.detail;
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof AggregateError) return reasonOf(error.cause.errors[0]);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
