/**
 * Evidence as it is recorded with a certificate and read again years later: statements and finalize request as they were
 * received, and the verdict of that day. The keys are added when it is read, as the registry has them then.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RecordedEvidence } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import type { SigningKey } from '@gatehouse/proto/domain-validation';
import { readSerialNumber } from '../inventory/serial-number.ts';
import type { Keep } from '../keep.ts';
import { signingKeyMessage } from '../registry/perspective-message.ts';
import { findEvidence, insertEvidence } from '../store/certificate-evidence.ts';
import type { WriteOperation } from '../store/write-set.ts';
import { readStatement } from './statement.ts';
import type { ValidationOutcome } from './verify-validation.ts';

/** More than the messages that it came with. */
const largestEvidence = 64 * 1024 * 1024;

/** A certificate whose evidence is recorded. */
export type EvidencedCertificate = {
  readonly serialNumber: string;
  readonly notAfter: Date;
  readonly issuedAt: Date;
  /** How long evidence outlives its certificate. */
  readonly keepAfterExpiryMs: number;
};

/** For the set that records the certificate: nothing where nothing was verified. */
export function recordEvidence(
  { serialNumber, notAfter, issuedAt, keepAfterExpiryMs }: EvidencedCertificate,
  { evidence, lines, verdict }: ValidationOutcome,
): readonly WriteOperation[] {
  if (verdict === undefined) return [];
  const keptUntil = new Date(notAfter.getTime() + keepAfterExpiryMs);
  const recorded: RecordedEvidence = {
    serialNumber,
    evidence: [...evidence],
    keys: [],
    recordedAt: issuedAt,
    keptUntil,
    verdicts: [...lines],
  };
  // Statements of one attempt hardly differ: this takes a fifth of the room, for years.
  const octets = zstdCompressSync(RecordedEvidence.encode(recorded).finish());
  return [insertEvidence({ serialNumber, evidence: octets, recordedAt: issuedAt, keptUntil })];
}

/**
 * The evidence of a certificate.
 *
 * @param serialNumber hexadecimal
 * @throws {CoreError} `malformed` for a serial number that is none, `not-found` where nothing was verified or it was deleted
 */
export function readRecordedEvidence(keep: Pick<Keep, 'store' | 'registry'>, serialNumber: string): RecordedEvidence {
  const stored = findEvidence(keep.store, readSerialNumber(serialNumber));
  if (stored === undefined)
    throw new CoreError('not-found', 'there is no evidence of a certificate with this serial number');
  const recorded = RecordedEvidence.decode(zstdDecompressSync(stored.evidence, { maxOutputLength: largestEvidence }));
  const keyIds = new Set(
    recorded.evidence.flatMap(({ statements }) =>
      statements.flatMap((octets) => {
        const statement = readStatement(octets);
        return 'fault' in statement ? [] : [statement.keyId];
      }),
    ),
  );
  const keys = [...keyIds].flatMap((keyId): readonly SigningKey[] => {
    const key = keep.registry.findSigningKey(keyId);
    return key === undefined ? [] : [signingKeyMessage(key)];
  });
  return { ...recorded, keys };
}
