/** Looking certificates up. An RA sees what it enrolled, and any certificate that it can show. */

import { CertificateError, readCertificate } from '@gatehouse/pkix/certificate';
import type { FindCertificatesRequest, GetCertificateRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { type CertificateRecord, CertificateState } from '@gatehouse/proto/types';
import type { Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import { findCertificates } from '../store/certificate-search.ts';
import { type CertificateStanding, findCertificate } from '../store/certificates.ts';
import { certificateRecord, certificateStates } from './certificate-record.ts';
import { readSerialNumber } from './serial-number.ts';

const defaultLimit = 100;
const maximumLimit = 10_000;

/** One certificate. Throws CoreError `malformed` or `not-found`. */
export function getCertificateRecord(keep: Keep, caller: Caller, request: GetCertificateRequest): CertificateRecord {
  const { selector } = request;
  if (selector === undefined) throw new CoreError('malformed', 'nothing selects a certificate');
  const shown = selector.$case === 'certificate' ? selector.value : undefined;
  const serialNumber =
    selector.$case === 'certificate' ? serialNumberOf(selector.value) : readSerialNumber(selector.value);
  const stored = findCertificate(keep.store, serialNumber);
  const isVisible =
    stored !== undefined &&
    (shown === undefined
      ? caller.kind === 'operator' || stored.registrationAuthority === caller.name
      : Buffer.compare(stored.certificate, shown) === 0);
  if (!isVisible) throw new CoreError('not-found', 'there is no such certificate');
  return certificateRecord(stored, keep.clock.now());
}

/** Certificates that fit, newest first. */
export async function* findCertificateRecords(
  keep: Keep,
  caller: Caller,
  request: FindCertificatesRequest,
): AsyncGenerator<CertificateRecord> {
  const now = keep.clock.now();
  const found = findCertificates(
    keep.store,
    {
      name: given(request.name),
      profile: given(request.profile),
      registrationAuthority: caller.kind === 'operator' ? given(request.registrationAuthority) : caller.name,
      requesterId: given(request.requesterId),
      standing: standingFor(request.state),
      expiresBefore: request.expiresBefore,
      expiresAfter: request.expiresAfter,
      issuedAfter: request.issuedAfter,
      keyFingerprint: request.keyFingerprint.length > 0 ? request.keyFingerprint : undefined,
      afterSerialNumber: request.afterSerialNumber === '' ? undefined : readSerialNumber(request.afterSerialNumber),
      limit: Math.min(request.limit === 0 ? defaultLimit : request.limit, maximumLimit),
    },
    now,
  );
  for await (const stored of found) yield certificateRecord(stored, now);
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function standingFor(state: CertificateState): CertificateStanding | undefined {
  if (state === CertificateState.CERTIFICATE_STATE_UNSPECIFIED) return undefined;
  for (const standing of ['valid', 'revoked', 'held', 'expired'] as const) {
    if (certificateStates[standing] === state) return standing;
  }
  throw new CoreError('malformed', 'the state to look for is not known');
}

function serialNumberOf(der: Uint8Array): string {
  try {
    return readCertificate(der).serialNumber;
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause;
    throw new CoreError('malformed', 'the certificate cannot be read', { cause });
  }
}
