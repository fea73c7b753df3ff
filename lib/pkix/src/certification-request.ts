// PKCS #10 certification requests (RFC 2986): read from strangers, made for ourselves. Reading checks structure, bounds
// and names and never the signature; a request is handed on as it came and never edited.
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  DerCursor,
  DerError,
  open,
  readBitString,
  readObjectIdentifier,
  readSmallInteger,
  tags,
} from './der/reader.ts';
import { decodeString, stringTags } from './der/strings.ts';
import { bitString, concat, integer, objectIdentifier, sequence, setOf, sortForSetOf, wrap } from './der/writer.ts';
import { PkixError } from './errors.ts';
import {
  type Extension,
  findExtension,
  readExtensions,
  subjectAlternativeName,
  writeExtensions,
} from './extensions.ts';
import { type GeneralName, readGeneralNames } from './general-names.ts';
import { checkUpperBounds, type Name, NameError, readName, writeName } from './names.ts';
import { extensionIds, pkcs9Attributes } from './object-identifiers.ts';
import {
  type AlgorithmIdentifier,
  readAlgorithmIdentifier,
  type SignatureOptions,
  signatureAlgorithmFor,
} from './signature-algorithms.ts';

/** Largest request that is read, in octets: enough for ML-DSA-87. */
export const maximumRequestOctets = 16384;

/** An attribute of a request: dotted object identifier, and the DER of each value. */
export type RequestAttribute = { readonly type: string; readonly values: readonly Uint8Array[] };

/** A request whose structure is right; `info` is what was signed. All bytes are views of `der`. */
export type CertificationRequest = {
  readonly der: Uint8Array;
  readonly info: Uint8Array;
  readonly subject: Name;
  readonly subjectDer: Uint8Array;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly attributes: readonly RequestAttribute[];
  /** What the extension request asks for, or nothing. */
  readonly extensions: readonly Extension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
};

/** 'malformed': not the DER of a request. 'bad-csr': a request that no certificate can follow; `detail` names the offender. */
export class CertificationRequestError extends PkixError {
  readonly code: 'malformed' | 'bad-csr';

  constructor(code: 'malformed' | 'bad-csr', detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}

const badRequest = (detail: string, cause?: unknown) => new CertificationRequestError('bad-csr', detail, { cause });

// Which error a failure inside of one field is: names are the requester's mistake, DER is nobody's request.
function within<T>(field: string, derCode: 'malformed' | 'bad-csr', read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof NameError) throw badRequest(`${field}: ${cause.detail}`, cause);
    if (cause instanceof DerError) throw new CertificationRequestError(derCode, `${field}: ${cause.detail}`, { cause });
    throw cause;
  }
}

/**
 * Reads a certification request. The signature is not verified.
 *
 * @throws CertificationRequestError for everything that is not one whole, well-formed request of version 0 with at most
 *   {@link maximumRequestOctets} octets, whose names are within bounds and in which nothing occurs twice
 */
export function readCertificationRequest(der: Uint8Array): CertificationRequest {
  if (der.length > maximumRequestOctets) {
    throw new CertificationRequestError(
      'malformed',
      `request: ${der.length} octets where ${maximumRequestOctets} are allowed`,
    );
  }
  return within('request', 'malformed', () => read(der));
}

function read(der: Uint8Array): CertificationRequest {
  const fields = open(der, tags.sequence);
  const infoElement = fields.read(tags.sequence);
  const signatureAlgorithm = readAlgorithmIdentifier(fields);
  const signatureBits = readBitString(fields.read(tags.bitString));
  fields.expectEnd();
  if (signatureBits.unusedBits !== 0) throw badRequest('signature: does not fill its last octet');

  const info = new DerCursor(infoElement.contents, 2);
  const version = readSmallInteger(info.read(tags.integer));
  // RFC 2986 §4.1: version 0 is the only one.
  if (version !== 0) throw badRequest(`version: ${version} where 0 must stand`);
  const subjectElement = info.read(tags.sequence);
  const subject = within('subject', 'bad-csr', () => {
    const name = readName(subjectElement);
    checkUpperBounds(name);
    return name;
  });
  const subjectPublicKeyInfo = info.read(tags.sequence).raw;
  // RFC 2986 §4.1 demands the attributes even when there are none; several small clients leave them out.
  const attributes = readAttributes(info.enterOptional(0xa0));
  info.expectEnd();
  return {
    der,
    info: infoElement.raw,
    subject,
    subjectDer: subjectElement.raw,
    subjectPublicKeyInfo,
    attributes,
    extensions: readRequestedExtensions(attributes),
    signatureAlgorithm,
    signature: signatureBits.bytes,
  };
}

function readAttributes(cursor: DerCursor | undefined): RequestAttribute[] {
  const attributes: RequestAttribute[] = [];
  while (cursor !== undefined && !cursor.isAtEnd) {
    const fields = cursor.enter(tags.sequence);
    const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const valueSet = fields.enter(tags.set);
    fields.expectEnd();
    const values: Uint8Array[] = [];
    while (!valueSet.isAtEnd) values.push(valueSet.read().raw);
    // With two of a kind, every reader would pick another one.
    if (attributes.some((attribute) => attribute.type === type)) throw badRequest(`attribute ${type}: occurs twice`);
    attributes.push({ type, values });
  }
  return attributes;
}

function readRequestedExtensions(attributes: readonly RequestAttribute[]): readonly Extension[] {
  const standard = attributes.find(({ type }) => type === pkcs9Attributes.extensionRequest);
  const microsoft = attributes.find(({ type }) => type === pkcs9Attributes.microsoftExtensionRequest);
  if (standard !== undefined && microsoft !== undefined) throw badRequest('extensionRequest: occurs twice');
  const requested = standard ?? microsoft;
  if (requested === undefined) return [];
  const [value] = requested.values;
  // RFC 2985 §5.4.2: SINGLE VALUE TRUE.
  if (value === undefined || requested.values.length !== 1) throw badRequest('extensionRequest: not exactly one value');
  return within('extensionRequest', 'bad-csr', () => {
    // An empty list breaks RFC 5280 and is what some tools write when they have nothing to ask for.
    return open(value, tags.sequence).isAtEnd ? [] : readExtensions(value);
  });
}

/** The extensions asked for (RFC 2985 §5.4.2), or none. */
export function requestedExtensions(request: CertificationRequest): readonly Extension[] {
  return request.extensions;
}

/** The subject alternative names asked for, or none. @throws CertificationRequestError 'bad-csr' naming the first bad one */
export function requestedNames(request: CertificationRequest): GeneralName[] {
  const extension = findExtension(request.extensions, extensionIds.subjectAlternativeName);
  if (extension === undefined) return [];
  return within('subjectAltName', 'bad-csr', () => readGeneralNames(extension.value));
}

/**
 * The challenge password (RFC 2985 §5.4.1), or undefined.
 *
 * @throws CertificationRequestError 'bad-csr' when it is not one DirectoryString of 1 to 255 characters
 */
export function challengePassword(request: CertificationRequest): string | undefined {
  const attribute = request.attributes.find(({ type }) => type === pkcs9Attributes.challengePassword);
  if (attribute === undefined) return undefined;
  const [value] = attribute.values;
  if (value === undefined || attribute.values.length !== 1)
    throw badRequest('challengePassword: not exactly one value');
  const element = within('challengePassword', 'bad-csr', () => new DerCursor(value).read());
  if (!directoryStringTags.has(element.tag)) throw badRequest('challengePassword: not a DirectoryString');
  const text = within('challengePassword', 'bad-csr', () => decodeString(element.tag, element.contents));
  if (text.includes('\0')) throw badRequest('challengePassword: holds a NUL');
  // RFC 2985 appendix A: pkcs-9-ub-challengePassword is 255.
  if (text.length === 0 || text.length > 255) throw badRequest('challengePassword: not 1 to 255 characters');
  return text;
}

// RFC 5280 §4.1.2.4: DirectoryString.
const directoryStringTags = new Set<number>([
  stringTags.utf8String,
  stringTags.printableString,
  stringTags.teletexString,
  stringTags.universalString,
  stringTags.bmpString,
]);

/** What a request is made of: `names` become a subjectAlternativeName in the extension request, before `extensions`. */
export type CertificationRequestInput = {
  readonly subject: Name;
  /** Private key whose public half is certified and which signs the request. */
  readonly key: KeyObject;
  readonly names?: readonly GeneralName[];
  readonly extensions?: readonly Extension[];
  readonly attributes?: readonly RequestAttribute[];
  readonly signature?: SignatureOptions;
};

/** Makes a signed certification request. @throws NameError, DerError or PublicKeyError for input that cannot be written */
export function createCertificationRequest(input: CertificationRequestInput): Uint8Array {
  const { subject, key, names = [], extensions = [], attributes = [] } = input;
  const isNameCritical = subject.length === 0;
  const requested = [...(names.length > 0 ? [subjectAlternativeName(names, isNameCritical)] : []), ...extensions];
  const all = [...attributes];
  if (requested.length > 0) all.push({ type: pkcs9Attributes.extensionRequest, values: [writeExtensions(requested)] });
  const encoded = all.map(({ type, values }) => sequence(objectIdentifier(type), setOf(values)));
  const info = sequence(
    integer(0),
    writeName(subject),
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    wrap(0xa0, concat(...sortForSetOf(encoded))),
  );
  const { identifier, sign } = signatureAlgorithmFor(key, input.signature);
  return sequence(info, identifier, bitString(sign(info)));
}
