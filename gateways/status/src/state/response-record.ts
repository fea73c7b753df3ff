// The signed parts of one certificate's responses in one piece of memory: what is on the disk is what is in memory. Lengths
// of the four parts, then the parts: data and signature for a CertID by SHA-1, then by SHA-256.

import { DerCursor, tags } from '@gatehouse/pkix/der/reader';
import type { OcspHash } from '@gatehouse/pkix/ocsp/certificate-id';
import type { SignedResponseData, SignedStatus } from '@gatehouse/ra-client/status';

const headOctets = 8;
const longestPart = 0xffff;

/** Octets before the parts of each hash, by the places of the lengths. */
const lengthPlaces = { sha1: 0, sha256: 4 } as const;

/** Octets of a record. @throws {RangeError} for a part that no responder signs: above 64 KiB */
export function packedSize({ sha1, sha256 }: Pick<SignedStatus, 'sha1' | 'sha256'>): number {
  let size = headOctets;
  for (const part of [sha1.responseData, sha1.signature, sha256.responseData, sha256.signature]) {
    if (part.length > longestPart) throw new RangeError(`a part of a response has ${part.length} octets`);
    size += part.length;
  }
  return size;
}

/** Writes a record into `target`, which has room for it. */
export function pack({ sha1, sha256 }: Pick<SignedStatus, 'sha1' | 'sha256'>, target: Buffer): void {
  let place = 0;
  let at = headOctets;
  for (const part of [sha1.responseData, sha1.signature, sha256.responseData, sha256.signature]) {
    target.writeUInt16LE(part.length, place);
    place += 2;
    target.set(part, at);
    at += part.length;
  }
}

/** The parts for one hash, views of the record that begins at `start`. */
export function unpack(record: Buffer, start: number, hash: OcspHash): SignedResponseData {
  const place = start + lengthPlaces[hash];
  const dataLength = record.readUInt16LE(place);
  const signatureLength = record.readUInt16LE(place + 2);
  const first =
    hash === 'sha1'
      ? start + headOctets
      : start + headOctets + record.readUInt16LE(start) + record.readUInt16LE(start + 2);
  const middle = first + dataLength;
  return { responseData: record.subarray(first, middle), signature: record.subarray(middle, middle + signatureLength) };
}

/** Whether ResponseData says that its one certificate is revoked, RFC 6960 §4.2.1. @throws DerError */
export function saysRevoked(responseData: Uint8Array): boolean {
  const data = new DerCursor(responseData).enter(tags.sequence);
  data.enterOptional(0xa0);
  // responderID, then producedAt.
  data.skip();
  data.skip(tags.generalizedTime);
  const single = data.enter(tags.sequence).enter(tags.sequence);
  single.skip(tags.sequence);
  return single.peekTag() === 0xa1;
}
