// When a certificate should be renewed, RFC 9773: anybody may ask by its identifier, and is told a window. What was revoked,
// or is part of an incident, has a window in the past: renew now. A new order may say which certificate it replaces.

import { randomInt } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { parseCertificateId } from './certificate-id.ts';
import { AcmeError, notFound } from './errors.ts';
import type { OpenOperation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import type { Identifier } from './identifier.ts';
import { identifiersOf } from './revoke.ts';
import type { Account } from './state/accounts.ts';
import { findReplacingOrder, readCertificateByCertId, type StoredCertificate } from './state/certificates.ts';

/** RFC 9773 §4.2. */
export type SuggestedWindow = {
  readonly start: Date;
  readonly end: Date;
  readonly explanationUrl?: string | undefined;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Below it a certificate is renewed at half of its life, else at two thirds. */
const shortLifeMs = 10 * dayMs;
const pollSeconds = 6 * 3_600;

/** Answers `renewal-info/CERTID`. */
export const renewalInformation: OpenOperation = async (gate, request, { certId = '' }) => {
  const stored = await findCertificate(gate, certId);
  if (stored === undefined) throw notFound('certificate');
  request.note({ serialNumber: stored.serialNumber });
  const { start, end, explanationUrl } = await suggestWindow(gate, stored);
  return {
    status: 200,
    body: gate.certificates.dictatedInformation?.(certId) ?? {
      suggestedWindow: { start: toSecond(start), end: toSecond(end) },
      ...(explanationUrl === undefined ? {} : { explanationURL: explanationUrl }),
    },
    // RFC 9773 §4.3.2: spread, so that clients that were started together do not come together.
    retryAfterSeconds: randomInt(Math.round(pollSeconds * 0.8), Math.round(pollSeconds * 1.2) + 1),
  };
};

/** @throws {AcmeError} `malformed` for what is no identifier */
async function findCertificate({ store }: AcmeGate, certId: string): Promise<StoredCertificate | undefined> {
  if (parseCertificateId(certId) === undefined) {
    throw new AcmeError('malformed', 'that is not the identifier of a certificate (RFC 9773 §4.1)');
  }
  return await readCertificateByCertId(store, certId);
}

/** The window for a certificate as everything stands now. */
export async function suggestWindow(
  { certificates, clock }: Pick<AcmeGate, 'certificates' | 'clock'>,
  stored: StoredCertificate,
): Promise<SuggestedWindow> {
  const incident = await certificates.incidents.find(stored);
  const revokedAt = await certificates.standing.revokedAt(stored);
  if (revokedAt !== undefined) {
    // A clock that was set back must not put it into the future.
    const end = new Date(Math.min(revokedAt.getTime(), clock.now().getTime() - 1_000));
    return { start: new Date(end.getTime() - hourMs), end, explanationUrl: incident?.explanationUrl };
  }
  if (incident !== undefined) {
    return { start: incident.windowStart, end: incident.windowEnd, explanationUrl: incident.explanationUrl };
  }
  return usualWindow(stored);
}

/** 1 % of the life before and behind the point at which it should be renewed. */
export function usualWindow({
  notBefore,
  notAfter,
}: Pick<StoredCertificate, 'notBefore' | 'notAfter'>): SuggestedWindow {
  const start = notBefore.getTime();
  // RFC 5280 §4.1.2.5: notAfter belongs to the period.
  const lifeMs = notAfter.getTime() + 1_000 - start;
  const middle = start + (lifeMs < shortLifeMs ? lifeMs / 2 : (lifeMs * 2) / 3);
  return { start: new Date(middle - lifeMs / 100), end: new Date(middle + lifeMs / 100) };
}

/** What a new order may know about the certificate that it replaces. */
export type Replacement = {
  /** The identifier, for the order. */
  readonly certId: string;
  /** Whether the certificate should be renewed now: RFC 9773 §5 spares such an order rate limits. */
  readonly isDue: boolean;
  /** Ids of orders that replaced it and expired without being finalized: invalid, but not yet marked so. */
  readonly expired: readonly string[];
};

/**
 * Judges the `replaces` of a new order, RFC 9773 §5. Of two orders that pass at once, the unique index lets one be stored.
 *
 * @throws {AcmeError} `malformed` for what is no identifier, unknown, another account's, or has no name in common;
 * `alreadyReplaced` when another order that is not invalid replaces it
 */
export async function checkReplaces(
  gate: Pick<AcmeGate, 'store' | 'certificates' | 'clock'>,
  account: Account,
  identifiers: readonly Identifier[],
  certId: string,
): Promise<Replacement> {
  const now = gate.clock.now();
  const unknown = () => new AcmeError('malformed', "'replaces' names no certificate of this account");
  if (parseCertificateId(certId) === undefined) {
    throw new AcmeError('malformed', "'replaces' is not the identifier of a certificate (RFC 9773 §4.1)");
  }
  const stored = await readCertificateByCertId(gate.store, certId);
  if (stored === undefined || stored.accountId !== account.id) throw unknown();
  const names = new Set(
    identifiersOf(readCertificate(stored.certificate))?.map(({ type, value }) => `${type} ${value}`) ?? [],
  );
  if (!identifiers.some(({ type, value }) => names.has(`${type} ${value}`))) {
    throw new AcmeError('malformed', "the certificate that 'replaces' names has no name in common with the order");
  }
  const other = await findReplacingOrder(gate.store, certId);
  const isExpired =
    other !== undefined && (other.status === 'pending' || other.status === 'ready') && other.expiresAt <= now;
  if (stored.replacedBy !== undefined || (other !== undefined && !isExpired)) throw alreadyReplaced();
  const { start } = await suggestWindow(gate, stored);
  return { certId, isDue: now >= start, expired: isExpired ? [other.id] : [] };
}

/** RFC 9773 §7.4. */
export function alreadyReplaced(): AcmeError {
  return new AcmeError('alreadyReplaced', "another order replaces the certificate already; leave 'replaces' out");
}

function toSecond(time: Date): string {
  return new Date(Math.floor(time.getTime() / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
}
