// RevokeRequest, RFC 5272 §6.11: which certificate is to be revoked and why. It only reads; who may have it revoked is
// decided in revocation.ts.

import {
  type DerCursor,
  DerError,
  readInteger,
  readOctetString,
  readSmallInteger,
  readString,
  readTime,
  tags,
} from '@gatehouse/pkix/der/reader';
import { stringTags } from '@gatehouse/pkix/der/strings';
import { type Name, readName } from '@gatehouse/pkix/names';
import { RevocationReason } from '@gatehouse/ra-client/client';

/** One request. */
export type RevokeRequest = {
  readonly issuer: Name;
  /** As in Certificate: lower-case hexadecimal. */
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly invalidityDate: Date | undefined;
  /** A secret that stands for the signature of a key that was lost. */
  readonly sharedSecret: Uint8Array | undefined;
  readonly comment: string | undefined;
};

/** CRLReason, RFC 5280 §5.3.1; 7 is not used. */
const reasons: ReadonlyMap<number, RevocationReason> = new Map([
  [0, RevocationReason.REVOCATION_REASON_UNSPECIFIED],
  [1, RevocationReason.REVOCATION_REASON_KEY_COMPROMISE],
  [2, RevocationReason.REVOCATION_REASON_CA_COMPROMISE],
  [3, RevocationReason.REVOCATION_REASON_AFFILIATION_CHANGED],
  [4, RevocationReason.REVOCATION_REASON_SUPERSEDED],
  [5, RevocationReason.REVOCATION_REASON_CESSATION_OF_OPERATION],
  [6, RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD],
  [8, RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL],
  [9, RevocationReason.REVOCATION_REASON_PRIVILEGE_WITHDRAWN],
  [10, RevocationReason.REVOCATION_REASON_AA_COMPROMISE],
]);

/** RFC 5280 §4.1.2.2: 20 octets at most; one more for the sign. */
const maximumSerialOctets = 21;
const maximumCommentCharacters = 1024;

/** Reads the value of the control. @throws {DerError | NameError} */
export function readRevokeRequest(cursor: DerCursor): RevokeRequest {
  const fields = cursor.enter(tags.sequence);
  const issuer = readName(fields.read(tags.sequence));
  const serial = readInteger(fields.read(tags.integer));
  if (serial.length > maximumSerialOctets || (serial[0] ?? 0) >= 0x80) throw new DerError('no serial number');
  const magnitude = serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial;
  const value = readSmallInteger(fields.read(tags.enumerated));
  const reason = reasons.get(value);
  if (reason === undefined) throw new DerError(`${value} is no reason`);
  const date = fields.readOptional(tags.generalizedTime);
  const secret = fields.readOptional(tags.octetString);
  const comment = fields.readOptional(stringTags.utf8String);
  fields.expectEnd();
  const text = comment === undefined ? undefined : readString(comment).value;
  if (text !== undefined && text.length > maximumCommentCharacters) throw new DerError('the comment is too long');
  return {
    issuer,
    serialNumber: Buffer.from(magnitude).toString('hex'),
    reason,
    invalidityDate: date === undefined ? undefined : readTime(date),
    sharedSecret: secret === undefined ? undefined : readOctetString(secret),
    comment: text,
  };
}
