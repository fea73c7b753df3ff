// A generated key encrypted for its owner, RFC 7030 §4.4.1.1–2 and §4.4.2: AsymmetricKeyPackage, signed by this gate, which
// made the key, inside of EnvelopedData or AuthEnvelopedData. The recipient is found before a key is made. What cannot be
// encrypted as the client asks is refused: a key never travels in clear to who asked for encryption.

import { createHash } from 'node:crypto';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { createEncryptedKeyPackage } from '@gatehouse/pkix/cms/encrypted-key-package';
import { keyDeliveryTo, type Recipient } from '@gatehouse/pkix/cms/recipient';
import { DerCursor, DerError, readOctetString, tags } from '@gatehouse/pkix/der/reader';
import { readSubjectKeyIdentifier } from '@gatehouse/pkix/extensions';
import { extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { describePublicKey, publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { CertificateState } from '@gatehouse/ra-client/client';
import { EstError } from './error.ts';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { Identity } from './identity.ts';
import { chooseContentEncryption, chooseKeyTransport, chooseKeyWrap, demandKeyWrap } from './key-encryption-choice.ts';
import { requestedCapabilities, type SmimeCapability } from './smime-capabilities.ts';

/** Which key the client wants its new key encrypted to. */
export type KeyEncryptionWish =
  | { readonly kind: 'symmetric'; readonly identifier: Uint8Array }
  | { readonly kind: 'asymmetric'; readonly identifier: Uint8Array };

/** Longest identifier that is looked for. */
const maximumIdentifierOctets = 128;

/**
 * What the CSR says of encryption; undefined when it asks for none.
 *
 * @throws {EstError} `malformed` when it asks for both ways, or in a form that nobody can read
 */
export function requestedKeyEncryption({ attributes }: CertificationRequest): KeyEncryptionWish | undefined {
  const symmetric = attributes.find(({ type }) => type === pkcs9Attributes.decryptKeyIdentifier);
  const asymmetric = attributes.find(({ type }) => type === pkcs9Attributes.asymmetricDecryptKeyIdentifier);
  if (symmetric !== undefined && asymmetric !== undefined) {
    throw new EstError('malformed', 'DecryptKeyIdentifier and AsymmetricDecryptKeyIdentifier exclude each other');
  }
  if (symmetric !== undefined) {
    return { kind: 'symmetric', identifier: readIdentifier('DecryptKeyIdentifier', symmetric.values) };
  }
  if (asymmetric === undefined) return undefined;
  return { kind: 'asymmetric', identifier: readIdentifier('AsymmetricDecryptKeyIdentifier', asymmetric.values) };
}

/** Encrypts a key for its owner: CMS, DER. */
export type KeyEncryption = { encrypt(privateKey: Uint8Array): Uint8Array };

/**
 * Finds the recipient and the algorithms.
 *
 * @throws {EstError} `malformed` when the key is not known here, cannot be used, or no algorithm fits
 * @throws {CoreError} when the keep cannot be asked for a certificate
 */
export async function selectKeyEncryption(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
  wish: KeyEncryptionWish,
): Promise<KeyEncryption> {
  const capabilities = requestedCapabilities(request);
  if (capabilities === undefined) {
    throw new EstError('malformed', 'SMIMECapabilities: missing; list the key encipherment algorithms to use');
  }
  const recipient =
    wish.kind === 'symmetric'
      ? sharedKeyRecipient(gate, exchange, wish.identifier, capabilities)
      : await certificateRecipient(gate, exchange, identity, wish.identifier, capabilities);
  const contentEncryption = chooseContentEncryption(capabilities);
  exchange.note({ keyEncryption: `${recipient.kind} ${contentEncryption}` });
  return {
    encrypt: (privateKey) => {
      const { certificate, key, certificates } = gate.signingIdentity();
      const signer = { certificate, key };
      return createEncryptedKeyPackage({ privateKey, signer, certificates, recipient, contentEncryption });
    },
  };
}

// RFC 4108 §2.2.5 and RFC 7030 §4.4.1.2: an OCTET STRING each.
function readIdentifier(name: string, values: readonly Uint8Array[]): Uint8Array {
  const [value] = values;
  try {
    if (value === undefined || values.length !== 1) throw new DerError('not exactly one value');
    const cursor = new DerCursor(value);
    const identifier = readOctetString(cursor.read(tags.octetString));
    cursor.expectEnd();
    if (identifier.length === 0 || identifier.length > maximumIdentifierOctets) {
      throw new DerError(`not 1 to ${maximumIdentifierOctets} octets`);
    }
    return identifier;
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new EstError('malformed', `${name}: ${error.detail}`, { cause: error });
  }
}

function sharedKeyRecipient(
  gate: EnrollmentGate,
  { label }: EnrollmentExchange,
  identifier: Uint8Array,
  capabilities: readonly SmimeCapability[],
): Recipient {
  const key = gate.keyEncryptionKeys.findKey(label.name, identifier);
  if (key === undefined) throw new EstError('malformed', 'DecryptKeyIdentifier: there is no such key');
  demandKeyWrap(capabilities, key.length);
  return { kind: 'key-encryption-key', identifier, key };
}

async function certificateRecipient(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  identifier: Uint8Array,
  capabilities: readonly SmimeCapability[],
): Promise<Recipient> {
  const certificate = await findCertificate(gate, exchange, identity, identifier);
  if (certificate === undefined) {
    throw new EstError('malformed', 'AsymmetricDecryptKeyIdentifier: there is no such key');
  }
  // RFC 7030 §4.4.2: the key identifier is copied from the attribute, or the certificate is named instead.
  const isKeyIdentifier = isSame(subjectKeyIdentifierOf(certificate), identifier);
  const identifyBy = isKeyIdentifier ? 'subject-key-identifier' : 'issuer-and-serial-number';
  const key = describePublicKey(certificate.subjectPublicKeyInfo);
  switch (keyDeliveryTo(certificate)) {
    case 'key-transport':
      return { kind: 'key-transport', certificate, padding: chooseKeyTransport(capabilities), identifyBy };
    case 'key-agreement':
      if (key.kind !== 'ec') break;
      return { kind: 'key-agreement', certificate, keyWrap: chooseKeyWrap(capabilities, key.curve), identifyBy };
  }
  // RFC 7030 §4.4.1.2: the key must support key transport or key agreement, or its use must be unrestricted.
  throw new EstError('malformed', 'AsymmetricDecryptKeyIdentifier: the key is neither for transport nor for agreement');
}

/** The client's own certificate, one of the configuration, or one of our CA by SHA-256 of its public key. */
async function findCertificate(
  gate: EnrollmentGate,
  { label, requestId }: EnrollmentExchange,
  { client }: Identity,
  identifier: Uint8Array,
): Promise<Certificate | undefined> {
  const now = gate.clock.now();
  const isCurrent = ({ notBefore, notAfter }: Certificate): boolean => notBefore <= now && now <= notAfter;
  const known = [
    ...(client === undefined ? [] : [client.certificate]),
    ...gate.keyEncryptionKeys.certificates(label.name),
  ];
  const certificate = known.find((candidate) => isCurrent(candidate) && isNamedBy(candidate, identifier));
  if (certificate !== undefined || identifier.length !== 32) return certificate;
  const conditions = {
    keyFingerprint: Buffer.from(identifier),
    state: CertificateState.CERTIFICATE_STATE_VALID,
    limit: 1,
  };
  for await (const record of gate.core.findCertificates(conditions, { requestId })) {
    return readCertificate(record.certificate);
  }
  return undefined;
}

function isNamedBy(certificate: Certificate, identifier: Uint8Array): boolean {
  return (
    isSame(subjectKeyIdentifierOf(certificate), identifier) ||
    isSame(publicKeyFingerprint(certificate.subjectPublicKeyInfo), identifier) ||
    isSame(createHash('sha256').update(certificate.der).digest(), identifier)
  );
}

function isSame(value: Uint8Array | undefined, identifier: Uint8Array): boolean {
  return value !== undefined && Buffer.compare(value, identifier) === 0;
}

function subjectKeyIdentifierOf(certificate: Certificate): Uint8Array | undefined {
  const extension = extensionOf(certificate, extensionIds.subjectKeyIdentifier);
  try {
    return extension === undefined ? undefined : readSubjectKeyIdentifier(extension.value);
  } catch (error) {
    // A device certificate of another maker may hold anything there; it is then not known by it.
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
