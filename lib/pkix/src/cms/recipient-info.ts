// RecipientInfo (RFC 5652 §6.2): for whom the content key was encrypted, and how. Reading judges structure only; kinds
// that the house cannot open are kept as 'other', because a message may have recipients of all kinds.
import {
  type DerCursor,
  DerError,
  readBitString,
  readObjectIdentifier,
  readOctetString,
  readOnly,
  readSmallInteger,
  tags,
} from '../der/reader.ts';
import {
  bitString,
  explicit,
  implicitConstructed,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  wrap,
} from '../der/writer.ts';
import { algorithms } from '../object-identifiers.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { type CertificateIdentifier, readCertificateIdentifier, writeCertificateIdentifier } from './signer-info.ts';

/** One recipient, by the choices of RFC 5652 §6.2. */
export type RecipientInfo =
  | {
      readonly kind: 'key-transport';
      readonly identifier: CertificateIdentifier;
      readonly algorithm: AlgorithmIdentifier;
      readonly encryptedKey: Uint8Array;
    }
  | {
      readonly kind: 'key-agreement';
      /** The originator's ephemeral key. `curve` is dotted, and undefined when it is the recipient's (RFC 5753 §3.1.1). */
      readonly originator: { readonly curve: string | undefined; readonly point: Uint8Array };
      readonly userKeyingMaterial: Uint8Array | undefined;
      readonly algorithm: AlgorithmIdentifier;
      readonly encryptedKeys: readonly {
        readonly identifier: CertificateIdentifier;
        readonly encryptedKey: Uint8Array;
      }[];
    }
  | {
      readonly kind: 'key-encryption-key';
      readonly identifier: Uint8Array;
      readonly algorithm: AlgorithmIdentifier;
      readonly encryptedKey: Uint8Array;
    }
  | { readonly kind: 'other'; readonly tag: number };

/** Reads one RecipientInfo. @throws DerError, NameError */
export function readRecipientInfo(cursor: DerCursor): RecipientInfo {
  const tag = cursor.peekTag() ?? 0;
  if (tag === tags.sequence) return readKeyTransport(cursor.enter(tag));
  if (tag === 0xa1) return readKeyAgreement(cursor.enter(tag));
  if (tag === 0xa2) return readKeyEncryptionKey(cursor.enter(tag));
  cursor.skip();
  return { kind: 'other', tag };
}

function readKeyTransport(fields: DerCursor): RecipientInfo {
  expectVersion(fields, [0, 2]);
  const identifier = readCertificateIdentifier(fields);
  const algorithm = readAlgorithmIdentifier(fields);
  const encryptedKey = readOctetString(fields.read(tags.octetString));
  fields.expectEnd();
  return { kind: 'key-transport', identifier, algorithm, encryptedKey };
}

function readKeyAgreement(fields: DerCursor): RecipientInfo {
  expectVersion(fields, [3]);
  const originatorField = fields.enter(0xa0);
  const originatorKey = originatorField.enterOptional(0xa1);
  // RFC 5753 §3.1.1: ephemeral-static agreement names the originator by its key.
  if (originatorKey === undefined) return { kind: 'other', tag: 0xa1 };
  originatorField.expectEnd();
  const keyAlgorithm = readAlgorithmIdentifier(originatorKey);
  const { bytes: point, unusedBits } = readBitString(originatorKey.read(tags.bitString));
  originatorKey.expectEnd();
  if (keyAlgorithm.oid !== algorithms.ecPublicKey || unusedBits !== 0) return { kind: 'other', tag: 0xa1 };
  const ukmField = fields.enterOptional(0xa1);
  const userKeyingMaterial = ukmField && readOctetString(ukmField.read(tags.octetString));
  ukmField?.expectEnd();
  const algorithm = readAlgorithmIdentifier(fields);
  const list = fields.enter(tags.sequence);
  fields.expectEnd();
  const encryptedKeys: { identifier: CertificateIdentifier; encryptedKey: Uint8Array }[] = [];
  while (!list.isAtEnd) {
    const entry = list.enter(tags.sequence);
    const identifier = readKeyAgreeRecipient(entry);
    encryptedKeys.push({ identifier, encryptedKey: readOctetString(entry.read(tags.octetString)) });
    entry.expectEnd();
  }
  return {
    kind: 'key-agreement',
    originator: { curve: readCurve(keyAlgorithm), point },
    userKeyingMaterial,
    algorithm,
    encryptedKeys,
  };
}

// RFC 5753 §3.1.1: the parameters are absent, NULL, or a named curve.
function readCurve({ parameters }: AlgorithmIdentifier): string | undefined {
  if (parameters === undefined || parameters[0] === tags.null) return undefined;
  return readObjectIdentifier(readOnly(parameters, tags.objectIdentifier));
}

// RFC 5652 §6.2.2: issuer and serial number, or [0] RecipientKeyIdentifier whose date and attribute are not needed.
function readKeyAgreeRecipient(entry: DerCursor): CertificateIdentifier {
  const keyField = entry.enterOptional(0xa0);
  if (keyField === undefined) return readCertificateIdentifier(entry);
  const keyIdentifier = readOctetString(keyField.read(tags.octetString));
  keyField.readOptional(tags.generalizedTime);
  keyField.readOptional(tags.sequence);
  keyField.expectEnd();
  return { kind: 'subject-key-identifier', keyIdentifier };
}

function readKeyEncryptionKey(fields: DerCursor): RecipientInfo {
  expectVersion(fields, [4]);
  const identifierField = fields.enter(tags.sequence);
  const identifier = readOctetString(identifierField.read(tags.octetString));
  identifierField.readOptional(tags.generalizedTime);
  identifierField.readOptional(tags.sequence);
  identifierField.expectEnd();
  const algorithm = readAlgorithmIdentifier(fields);
  const encryptedKey = readOctetString(fields.read(tags.octetString));
  fields.expectEnd();
  return { kind: 'key-encryption-key', identifier, algorithm, encryptedKey };
}

function expectVersion(fields: DerCursor, versions: readonly number[]): void {
  const version = readSmallInteger(fields.read(tags.integer));
  if (!versions.includes(version)) throw new DerError(`recipient: version ${version} is unknown`);
}

/** Writes KeyTransRecipientInfo (RFC 5652 §6.2.1); `algorithm` is an AlgorithmIdentifier, DER. */
export function writeKeyTransport(
  identifier: CertificateIdentifier,
  algorithm: Uint8Array,
  encryptedKey: Uint8Array,
): Uint8Array {
  const version = identifier.kind === 'issuer-and-serial-number' ? 0 : 2;
  return sequence(integer(version), writeCertificateIdentifier(identifier), algorithm, octetString(encryptedKey));
}

/** Writes KeyAgreeRecipientInfo (RFC 5652 §6.2.2) with an ephemeral key on the recipient's curve (RFC 5753 §3.1.1). */
export function writeKeyAgreement(
  identifier: CertificateIdentifier,
  ephemeralPoint: Uint8Array,
  algorithm: Uint8Array,
  encryptedKey: Uint8Array,
): Uint8Array {
  const originatorKey = sequence(sequence(objectIdentifier(algorithms.ecPublicKey)), bitString(ephemeralPoint));
  const recipient =
    identifier.kind === 'issuer-and-serial-number'
      ? writeCertificateIdentifier(identifier)
      : wrap(0xa0, octetString(identifier.keyIdentifier));
  return implicitConstructed(
    1,
    sequence(
      integer(3),
      explicit(0, implicitConstructed(1, originatorKey)),
      algorithm,
      sequence(sequence(recipient, octetString(encryptedKey))),
    ),
  );
}

/** Writes KEKRecipientInfo (RFC 5652 §6.2.3). */
export function writeKeyEncryptionKey(
  identifier: Uint8Array,
  algorithm: Uint8Array,
  encryptedKey: Uint8Array,
): Uint8Array {
  return implicitConstructed(
    2,
    sequence(integer(4), sequence(octetString(identifier)), algorithm, octetString(encryptedKey)),
  );
}
