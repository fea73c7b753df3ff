// The one encoding under the MAC of an audit record: each field says its kind and its length, so that two different
// records never encode alike.
// It encodes exactly what is stored, to the octet and the millisecond; it must never encode something that the database
// would round or change.

import type { AuditRecord } from './event.ts';

/** A record before it has its MAC. */
export type AuditFields = Omit<AuditRecord, 'mac'>;

const absent = 0;
const text = 1;
const integer = 2;

/**
 * Encodes a record: for each field in fixed order one octet of kind, then nothing (absent), a length of four octets and
 * UTF-8 (text), or eight octets (integer), big-endian.
 *
 * @param fields text must be well-formed Unicode ({@link wellFormed}): SQLite would store anything else differently
 */
export function encodeAuditFields(fields: AuditFields): Buffer {
  const parts = [
    fields.instance,
    fields.sequence,
    fields.at,
    fields.actor,
    fields.action,
    fields.registrationAuthority,
    fields.requester,
    fields.profile,
    fields.serialNumber,
    fields.outcome,
    fields.body,
  ];
  let capacity = 0;
  // UTF-8 takes at most three octets for each UTF-16 code unit.
  for (const part of parts) capacity += typeof part === 'string' ? 5 + part.length * 3 : 9;
  const buffer = Buffer.allocUnsafe(capacity);
  let end = 0;
  for (const part of parts) end = encodePart(buffer, end, part);
  return buffer.subarray(0, end);
}

function encodePart(buffer: Buffer, start: number, part: string | number | null): number {
  if (part === null) {
    buffer[start] = absent;
    return start + 1;
  }
  if (typeof part === 'number') {
    if (!Number.isSafeInteger(part)) throw new RangeError(`an audit record cannot hold the number ${part}`);
    buffer[start] = integer;
    buffer.writeBigInt64BE(BigInt(part), start + 1);
    return start + 9;
  }
  const length = buffer.write(part, start + 5, 'utf8');
  buffer[start] = text;
  buffer.writeUInt32BE(length, start + 1);
  return start + 5 + length;
}

/** The text as the database will hold it: a lone surrogate, which UTF-8 has no form for, becomes U+FFFD. */
export function wellFormed(value: string): string {
  return value.isWellFormed() ? value : value.toWellFormed();
}
