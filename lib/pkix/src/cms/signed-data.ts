// SignedData (RFC 5652 §5): made, read and verified. Verifying proves that the holder of a key signed the content; whether
// the certificate of that key is trusted is certification-path's question and must be asked besides.
import { createHash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Certificate, extensionOf, readCertificate } from '../certificate.ts';
import { type DerCursor, readObjectIdentifier, readOctetString, readSmallInteger, tags } from '../der/reader.ts';
import {
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  sortForSetOf,
  time,
  wrap,
} from '../der/writer.ts';
import { readSubjectKeyIdentifier } from '../extensions.ts';
import { areNamesEqual } from '../names.ts';
import { algorithms, contentTypes, extensionIds, pkcs9Attributes } from '../object-identifiers.ts';
import { describePublicKey } from '../public-key.ts';
import {
  type AlgorithmIdentifier,
  type DigestName,
  signatureAlgorithmFor,
  type Verification,
  verifySignature,
} from '../signature-algorithms.ts';
import {
  type CmsAttribute,
  openContentInfo,
  readingCms,
  singleValue,
  writeAttributes,
  writeContentInfo,
} from './content-info.ts';
import { CmsError } from './error.ts';
import {
  type CertificateIdentifier,
  readObjectIdentifierValue,
  readOctetStringValue,
  readSignerInfo,
  type SignerInfo,
  writeSignerInfo,
} from './signer-info.ts';

/** More certificates or signers than any message of ours has; a bound for what looking through them may cost. */
const maximumCertificates = 64;
const maximumSigners = 16;

/** A SignedData whose structure is right. `content` is undefined when it is detached. */
export type SignedData = {
  /** Dotted object identifier of the content. */
  readonly contentType: string;
  readonly content: Uint8Array | undefined;
  /** DER of the X.509 certificates; attribute certificates and other formats are left out. */
  readonly certificates: readonly Uint8Array[];
  readonly signers: readonly SignerInfo[];
};

/** Reads a ContentInfo with SignedData; verifies nothing. @throws CmsError */
export function readSignedData(der: Uint8Array): SignedData {
  return readingCms('SignedData', () => {
    const outer = openContentInfo(der, contentTypes.signedData);
    const fields = outer.enter(tags.sequence);
    outer.expectEnd();
    const version = readSmallInteger(fields.read(tags.integer));
    if (![1, 3, 4, 5].includes(version)) throw new CmsError(`SignedData: version ${version} is unknown`);
    fields.skip(tags.set);
    const encapsulated = fields.enter(tags.sequence);
    const contentType = readObjectIdentifier(encapsulated.read(tags.objectIdentifier));
    const contentField = encapsulated.enterOptional(0xa0);
    encapsulated.expectEnd();
    const content = contentField === undefined ? undefined : readOctetString(contentField.read(tags.octetString));
    contentField?.expectEnd();
    const certificates = readCertificateSet(fields.enterOptional(0xa0));
    fields.readOptional(0xa1);
    const signerSet = fields.enter(tags.set);
    fields.expectEnd();
    const signers: SignerInfo[] = [];
    while (!signerSet.isAtEnd) {
      if (signers.length === maximumSigners) throw new CmsError(`SignedData: more than ${maximumSigners} signers`);
      signers.push(readSignerInfo(signerSet));
    }
    return { contentType, content, certificates, signers };
  });
}

function readCertificateSet(cursor: DerCursor | undefined): Uint8Array[] {
  const certificates: Uint8Array[] = [];
  while (cursor !== undefined && !cursor.isAtEnd) {
    const element = cursor.read();
    // RFC 5652 §10.2.2: other choices have context-specific tags.
    if (element.tag === tags.sequence) certificates.push(element.raw);
    if (certificates.length > maximumCertificates)
      throw new CmsError(`SignedData: more than ${maximumCertificates} certificates`);
  }
  return certificates;
}

/** What a SignedData is made of. */
export type SignedDataInput = {
  readonly content: Uint8Array;
  /** Dotted object identifier of the content. */
  readonly contentType: string;
  readonly signer: { readonly certificate: Certificate | Uint8Array; readonly key: KeyObject };
  /** DER of the certificates to send along, the signer's own among them if it shall be. */
  readonly certificates: readonly Uint8Array[];
  /** Digest of the content; unless told, the one that fits the signer's key. */
  readonly digest?: DigestName;
  readonly identifyBy?: CertificateIdentifier['kind'];
  readonly signingTime?: Date;
  /** Signed attributes besides contentType, messageDigest and signingTime. */
  readonly attributes?: readonly CmsAttribute[];
  /** Whether the content is left out of the message. */
  readonly isDetached?: boolean;
};

const digestIdentifiers = { sha256: algorithms.sha256, sha384: algorithms.sha384, sha512: algorithms.sha512 } as const;

/** Makes a ContentInfo with SignedData by one signer. @throws PkixError for input that cannot be written */
export function createSignedData(input: SignedDataInput): Uint8Array {
  const { content, contentType, signer, certificates, attributes = [], isDetached = false } = input;
  const certificate =
    signer.certificate instanceof Uint8Array ? readCertificate(signer.certificate) : signer.certificate;
  const digest = input.digest ?? defaultDigest(certificate);
  const identifier = identify(certificate, input.identifyBy ?? 'issuer-and-serial-number');
  const signedAttributesDer = writeAttributes([
    { type: pkcs9Attributes.contentType, values: [objectIdentifier(contentType)] },
    { type: pkcs9Attributes.messageDigest, values: [octetString(createHash(digest).update(content).digest())] },
    ...(input.signingTime === undefined
      ? []
      : [{ type: pkcs9Attributes.signingTime, values: [time(input.signingTime)] }]),
    ...attributes,
  ]);
  const { identifier: signatureAlgorithm, sign } = signatureAlgorithmFor(signer.key, { digest });
  const digestAlgorithm = digestIdentifiers[digest];
  const signature = sign(signedAttributesDer);
  // RFC 5652 §5.1: version 3 for other content than data, or a signer of version 3.
  const isVersion3 = contentType !== contentTypes.data || identifier.kind === 'subject-key-identifier';
  const encapsulated = isDetached ? [] : [explicit(0, octetString(content))];
  const signedData = sequence(
    integer(isVersion3 ? 3 : 1),
    setOf([sequence(objectIdentifier(digestAlgorithm))]),
    sequence(objectIdentifier(contentType), ...encapsulated),
    ...(certificates.length === 0 ? [] : [wrap(0xa0, ...sortForSetOf(certificates))]),
    setOf([writeSignerInfo({ identifier, digestAlgorithm, signedAttributesDer, signatureAlgorithm, signature })]),
  );
  return writeContentInfo(contentTypes.signedData, signedData);
}

// RFC 5480 §4: a digest as strong as the curve. RFC 8419 §3.1 and RFC 9882 §3.3: SHA-512 for Ed25519 and ML-DSA.
function defaultDigest(certificate: Certificate): DigestName {
  const key = describePublicKey(certificate.subjectPublicKeyInfo);
  if (key.kind === 'ec') return ({ 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const)[key.curve];
  return key.kind === 'ed25519' || key.kind === 'ml-dsa' ? 'sha512' : 'sha256';
}

function identify(certificate: Certificate, by: CertificateIdentifier['kind']): CertificateIdentifier {
  const { issuer, issuerDer, serialNumber } = certificate;
  if (by === 'issuer-and-serial-number') return { kind: by, issuer, issuerDer, serialNumber };
  const extension = extensionOf(certificate, extensionIds.subjectKeyIdentifier);
  if (extension === undefined) throw new CmsError('signer: the certificate has no subjectKeyIdentifier');
  return { kind: by, keyIdentifier: readSubjectKeyIdentifier(extension.value) };
}

/** Whether an identifier means this certificate (RFC 5652 §5.3). */
export function isIdentified(certificate: Certificate, identifier: CertificateIdentifier): boolean {
  if (identifier.kind === 'issuer-and-serial-number') {
    return certificate.serialNumber === identifier.serialNumber && areNamesEqual(certificate.issuer, identifier.issuer);
  }
  const extension = extensionOf(certificate, extensionIds.subjectKeyIdentifier);
  if (extension === undefined) return false;
  const own = readingCms('subjectKeyIdentifier', () => readSubjectKeyIdentifier(extension.value));
  return Buffer.compare(own, identifier.keyIdentifier) === 0;
}

const digestNames = new Map<string, DigestName>([
  [algorithms.sha256, 'sha256'],
  [algorithms.sha384, 'sha384'],
  [algorithms.sha512, 'sha512'],
]);

/**
 * Verifies one signer with a public key that the caller has: the digest of the content, and the signature over the
 * attributes or the content (RFC 5652 §5.4, §5.6). Never throws for what is in the message.
 *
 * @param content the content if it is detached; what the message carries is used otherwise
 */
export function verifySigner(
  signedData: SignedData,
  signer: SignerInfo,
  spki: Uint8Array,
  content?: Uint8Array,
): Verification {
  const signedContent = signedData.content ?? content;
  if (signedContent === undefined) return { ok: false, reason: 'the content is detached and was not given' };
  const digest = digestNames.get(signer.digestAlgorithm.oid);
  if (digest === undefined) return { ok: false, reason: `digest ${signer.digestAlgorithm.oid} is not accepted` };
  const algorithm = signatureAlgorithmOf(signer.signatureAlgorithm, digest);
  const { signature, signedAttributes, signedAttributesDer } = signer;
  if (signedAttributes === undefined || signedAttributesDer === undefined) {
    // RFC 5652 §5.3: signed attributes are a must unless the content is data.
    if (signedData.contentType !== contentTypes.data) return { ok: false, reason: 'the signed attributes are missing' };
    return verifySignature({ algorithm, spki, data: signedContent, signature });
  }
  try {
    const type = singleValue(signedAttributes, pkcs9Attributes.contentType);
    const messageDigest = singleValue(signedAttributes, pkcs9Attributes.messageDigest);
    if (type === undefined || messageDigest === undefined)
      return { ok: false, reason: 'a mandatory signed attribute is missing' };
    const isType = readingCms('contentType', () => readObjectIdentifierValue(type)) === signedData.contentType;
    const wanted = readingCms('messageDigest', () => readOctetStringValue(messageDigest));
    const actual = createHash(digest).update(signedContent).digest();
    if (!isType) return { ok: false, reason: 'the signed content type is another one' };
    if (wanted.length !== actual.length || !timingSafeEqual(wanted, actual)) {
      return { ok: false, reason: 'the content is not the one that was signed' };
    }
  } catch (error) {
    if (error instanceof CmsError) return { ok: false, reason: error.detail };
    throw error;
  }
  return verifySignature({ algorithm, spki, data: signedAttributesDer, signature });
}

// RFC 5754 §3.2: a signer may write plain rsaEncryption, and the digest is then the one of the content.
function signatureAlgorithmOf(algorithm: AlgorithmIdentifier, digest: DigestName): AlgorithmIdentifier {
  if (algorithm.oid !== algorithms.rsaEncryption) return algorithm;
  const oids = {
    sha256: algorithms.sha256WithRSAEncryption,
    sha384: algorithms.sha384WithRSAEncryption,
    sha512: algorithms.sha512WithRSAEncryption,
  };
  return { ...algorithm, oid: oids[digest] };
}

/** What verification may need besides the message. */
export type VerifyOptions = { readonly content?: Uint8Array; readonly certificates?: readonly Certificate[] };

/** `signers` are the certificates of all signers, in the order of the message: nothing is said about trust in them. */
export type SignedDataVerification =
  | { readonly ok: true; readonly signers: readonly Certificate[] }
  | { readonly ok: false; readonly reason: string };

/** Verifies all signers by the certificates in the message or in the options. Never throws for what is in the message. */
export function verifySignedData(signedData: SignedData, options: VerifyOptions = {}): SignedDataVerification {
  if (signedData.signers.length === 0) return { ok: false, reason: 'nobody signed the message' };
  const found: Certificate[] = [];
  try {
    const carried = readingCms('certificates', () => signedData.certificates.map(readCertificate));
    const candidates = [...carried, ...(options.certificates ?? [])];
    for (const signer of signedData.signers) {
      const certificate = candidates.find((candidate) => isIdentified(candidate, signer.identifier));
      if (certificate === undefined) return { ok: false, reason: 'the certificate of a signer is missing' };
      const result = verifySigner(signedData, signer, certificate.subjectPublicKeyInfo, options.content);
      if (!result.ok) return result;
      found.push(certificate);
    }
  } catch (error) {
    if (error instanceof CmsError) return { ok: false, reason: error.detail };
    throw error;
  }
  return { ok: true, signers: found };
}
