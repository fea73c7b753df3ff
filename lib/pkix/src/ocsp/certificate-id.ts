// CertID (RFC 6960 §4.1.1): how an OCSP request names the certificate it asks for, by hashes of its issuer's name and key
// and by its serial number. Reading never judges whether the issuer is ours; a CertID that could name two certificates
// (a negative serial number) is refused.
import { hash as digest } from 'node:crypto';
import { DerCursor, type DerElement, DerError, readOctetString, readOnly, tags } from '../der/reader.ts';
import { concat, integer, nullValue, objectIdentifier, octetString, sequence, wrap } from '../der/writer.ts';
import { algorithms } from '../object-identifiers.ts';
import { subjectPublicKeyOctets } from '../public-key.ts';
import { readSerialNumber } from '../serial-number.ts';
import { readAlgorithmIdentifier } from '../signature-algorithms.ts';

/** Hashes that a CertID of ours is made with. SHA-1 is what RFC 5019 §2.1.1 demands; it names here and protects nothing. */
export type OcspHash = 'sha1' | 'sha256';

/** All of {@link OcspHash}. */
export const ocspHashes: readonly OcspHash[] = ['sha1', 'sha256'];

/** A CertID as it was read. All bytes are views of what was read. */
export type CertificateId = {
  readonly hash: OcspHash | 'other';
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Contents octets in lower-case hexadecimal, without the zero octet that keeps the number positive. */
  readonly serialNumber: string;
  /** The whole CertID, to be answered octet for octet. */
  readonly der: Uint8Array;
};

/** What is needed of an issuer; a `Certificate` has it. Pass the same object each time: its hashes are kept with it. */
export type IssuerIdentity = {
  /** Its subject, DER. */
  readonly subjectDer: Uint8Array;
  readonly subjectPublicKeyInfo: Uint8Array;
};

/** Reads a CertID: the whole SEQUENCE, or its element. @throws DerError */
export function readCertificateId(value: Uint8Array | DerElement): CertificateId {
  const element = value instanceof Uint8Array ? readOnly(value, tags.sequence) : value;
  const fields = new DerCursor(element.contents, 4);
  const hash = readHash(fields);
  const issuerNameHash = readOctetString(fields.read(tags.octetString));
  const issuerKeyHash = readOctetString(fields.read(tags.octetString));
  const serialNumber = readSerialNumber(fields.read(tags.integer));
  fields.expectEnd();
  return { hash, issuerNameHash, issuerKeyHash, serialNumber, der: element.raw };
}

// RFC 5754 §2: the parameters of the SHA family are absent or NULL, and both are to be accepted.
function readHash(fields: DerCursor): OcspHash | 'other' {
  const { oid, parameters } = readAlgorithmIdentifier(fields);
  if (oid !== algorithms.sha1 && oid !== algorithms.sha256) return 'other';
  if (parameters !== undefined && !(parameters.length === 2 && parameters[0] === tags.null)) {
    throw new DerError(`hash algorithm ${oid} has parameters that it must not have`);
  }
  return oid === algorithms.sha1 ? 'sha1' : 'sha256';
}

/**
 * Hashes of the issuer's name and key, RFC 6960 §4.1.1: the key's without tag, length and count of unused bits.
 *
 * @throws PublicKeyError when the issuer's key is no SubjectPublicKeyInfo
 */
export function issuerHashes(
  hash: OcspHash,
  issuer: IssuerIdentity,
): { readonly name: Uint8Array; readonly key: Uint8Array } {
  return {
    name: digest(hash, issuer.subjectDer, 'buffer'),
    key: digest(hash, subjectPublicKeyOctets(issuer.subjectPublicKeyInfo), 'buffer'),
  };
}

const oids = { sha1: algorithms.sha1, sha256: algorithms.sha256 } as const;
const heads = new WeakMap<IssuerIdentity, Map<OcspHash, Uint8Array>>();

// All of a CertID but the serial number is the same for all certificates of an issuer.
function headOf(hash: OcspHash, issuer: IssuerIdentity): Uint8Array {
  const known = heads.get(issuer) ?? new Map<OcspHash, Uint8Array>();
  heads.set(issuer, known);
  const head = known.get(hash);
  if (head !== undefined) return head;
  const { name, key } = issuerHashes(hash, issuer);
  // With NULL, as every client writes it: some compare the CertID of the answer octet for octet.
  const made = concat(sequence(objectIdentifier(oids[hash]), nullValue()), octetString(name), octetString(key));
  known.set(hash, made);
  return made;
}

/**
 * Writes a CertID.
 *
 * @param serialNumber hexadecimal, two digits an octet
 * @throws DerError when the serial number is not hexadecimal
 */
export function writeCertificateId(hash: OcspHash, issuer: IssuerIdentity, serialNumber: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/i.test(serialNumber)) throw new DerError(`'${serialNumber}' is not a serial number`);
  return wrap(tags.sequence, headOf(hash, issuer), integer(Buffer.from(serialNumber, 'hex')));
}

/** Whether a CertID names certificates of this issuer; false for a hash that is not one of {@link ocspHashes}. */
export function isIssuedBy(certificateId: CertificateId, issuer: IssuerIdentity): boolean {
  const { hash, issuerNameHash, issuerKeyHash } = certificateId;
  if (hash === 'other') return false;
  const { name, key } = issuerHashes(hash, issuer);
  return Buffer.compare(name, issuerNameHash) === 0 && Buffer.compare(key, issuerKeyHash) === 0;
}
