// Signatures over requests, certificates and CMS: which AlgorithmIdentifier fits which key, and verification by
// node:crypto. Digests that collide (MD5, SHA-1) and algorithms that do not fit the key are refused before any arithmetic.
import {
  constants,
  createPublicKey,
  type KeyObject,
  type SignKeyObjectInput,
  sign,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto';
import {
  DerCursor,
  type DerElement,
  DerError,
  open,
  readObjectIdentifier,
  readSmallInteger,
  tags,
} from './der/reader.ts';
import { explicit, integer, nullValue, objectIdentifier, sequence } from './der/writer.ts';
import { algorithms } from './object-identifiers.ts';
import { type OpenSignature, openDigestSignature, openWholeSignature } from './open-signature.ts';
import { describePublicKey, PublicKeyError } from './public-key.ts';

/** AlgorithmIdentifier (RFC 5280 §4.1.1.2): dotted object identifier, and the DER of the parameters if there are any. */
export type AlgorithmIdentifier = { readonly oid: string; readonly parameters?: Uint8Array };

/** Reads an AlgorithmIdentifier; throws DerError. */
export function readAlgorithmIdentifier(value: DerElement | Uint8Array | DerCursor): AlgorithmIdentifier {
  const fields = value instanceof DerCursor ? value.enter(tags.sequence) : open(value, tags.sequence);
  const oid = readObjectIdentifier(fields.read(tags.objectIdentifier));
  if (fields.isAtEnd) return { oid };
  const parameters = fields.read().raw;
  fields.expectEnd();
  return { oid, parameters };
}

/** Writes an AlgorithmIdentifier. */
export function writeAlgorithmIdentifier(algorithm: AlgorithmIdentifier): Uint8Array {
  const oid = objectIdentifier(algorithm.oid);
  return algorithm.parameters === undefined ? sequence(oid) : sequence(oid, algorithm.parameters);
}

/** Whether two AlgorithmIdentifiers are the same, octet for octet. */
export function areAlgorithmIdentifiersEqual(a: AlgorithmIdentifier, b: AlgorithmIdentifier): boolean {
  if (a.oid !== b.oid) return false;
  if (a.parameters === undefined || b.parameters === undefined) return a.parameters === b.parameters;
  return Buffer.compare(a.parameters, b.parameters) === 0;
}

/** Digests the house signs and verifies with. */
export type DigestName = 'sha256' | 'sha384' | 'sha512';
/** Whether a signature verified, and if not why; `reason` is one line fit for the peer. */
export type Verification = { readonly ok: true } | { readonly ok: false; readonly reason: string };

type Scheme =
  | { readonly kind: 'ec' | 'rsa'; readonly digest: DigestName }
  | { readonly kind: 'rsa-pss'; readonly digest: DigestName; readonly saltLength: number }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'ml-dsa'; readonly parameterSet: string };

const schemes = new Map<string, Scheme>([
  [algorithms.ecdsaWithSHA256, { kind: 'ec', digest: 'sha256' }],
  [algorithms.ecdsaWithSHA384, { kind: 'ec', digest: 'sha384' }],
  [algorithms.ecdsaWithSHA512, { kind: 'ec', digest: 'sha512' }],
  [algorithms.sha256WithRSAEncryption, { kind: 'rsa', digest: 'sha256' }],
  [algorithms.sha384WithRSAEncryption, { kind: 'rsa', digest: 'sha384' }],
  [algorithms.sha512WithRSAEncryption, { kind: 'rsa', digest: 'sha512' }],
  [algorithms.ed25519, { kind: 'ed25519' }],
  [algorithms.mlDsa44, { kind: 'ml-dsa', parameterSet: 'ML-DSA-44' }],
  [algorithms.mlDsa65, { kind: 'ml-dsa', parameterSet: 'ML-DSA-65' }],
  [algorithms.mlDsa87, { kind: 'ml-dsa', parameterSet: 'ML-DSA-87' }],
]);

const collidingAlgorithms = new Map<string, string>([
  [algorithms.md5WithRSAEncryption, 'MD5'],
  [algorithms.sha1WithRSAEncryption, 'SHA-1'],
  [algorithms.ecdsaWithSHA1, 'SHA-1'],
]);

const digestNames = new Map<string, DigestName>([
  [algorithms.sha256, 'sha256'],
  [algorithms.sha384, 'sha384'],
  [algorithms.sha512, 'sha512'],
]);

const digestIdentifiers = { sha256: algorithms.sha256, sha384: algorithms.sha384, sha512: algorithms.sha512 } as const;
const digestOctets = { sha256: 32, sha384: 48, sha512: 64 } as const;

class Unfit extends Error {}

// What the identifier prescribes; Unfit with the reason if it is refused.
function schemeOf({ oid, parameters }: AlgorithmIdentifier): Scheme {
  const colliding = collidingAlgorithms.get(oid);
  if (colliding !== undefined) throw new Unfit(`signatures with ${colliding} are not accepted`);
  if (oid === algorithms.rsassaPss) return readPssParameters(parameters);
  const scheme = schemes.get(oid);
  if (scheme === undefined) throw new Unfit(`signature algorithm ${oid} is not supported`);
  // RFC 4055 §5: NULL for PKCS #1 v1.5, absence to be accepted. RFC 5758 §3.2, 8410 §3, 9881 §3: absent for all others.
  const isNull = parameters?.length === 2 && parameters[0] === tags.null && parameters[1] === 0;
  if (parameters !== undefined && !(scheme.kind === 'rsa' && isNull)) {
    throw new Unfit(`signature algorithm ${oid} has parameters that it must not have`);
  }
  return scheme;
}

// RFC 4055 §3.1. All defaults mean SHA-1, so a digest and a mask generation function must be given.
function readPssParameters(parameters: Uint8Array | undefined): Scheme {
  if (parameters === undefined) throw new Unfit('RSASSA-PSS without parameters means SHA-1, which is not accepted');
  const fields = open(parameters, tags.sequence);
  const digestField = fields.enterOptional(0xa0);
  const maskField = fields.enterOptional(0xa1);
  const saltField = fields.enterOptional(0xa2);
  const trailerField = fields.enterOptional(0xa3);
  fields.expectEnd();
  const digest = digestField === undefined ? undefined : readDigest(digestField);
  if (digest === undefined) throw new Unfit('RSASSA-PSS with a digest that is not accepted');
  if (maskField === undefined) throw new Unfit('RSASSA-PSS with MGF1 over SHA-1, which is not accepted');
  const mask = readAlgorithmIdentifier(maskField);
  maskField.expectEnd();
  const maskDigest = mask.parameters === undefined ? undefined : readDigest(new DerCursor(mask.parameters));
  // RFC 4055 §3.1: it is recommended that both digests are the same; node:crypto knows no other way.
  if (mask.oid !== algorithms.mgf1 || maskDigest !== digest) {
    throw new Unfit('RSASSA-PSS with another digest in its mask generation function');
  }
  const saltLength = saltField === undefined ? 20 : readSmallInteger(saltField.read(tags.integer));
  saltField?.expectEnd();
  if (saltLength < 0 || saltLength > 512) throw new Unfit('RSASSA-PSS with a salt length that is not accepted');
  if (trailerField !== undefined && readSmallInteger(trailerField.read(tags.integer)) !== 1) {
    throw new Unfit('RSASSA-PSS with an unknown trailer field');
  }
  trailerField?.expectEnd();
  return { kind: 'rsa-pss', digest, saltLength };
}

function readDigest(cursor: DerCursor): DigestName | undefined {
  const { oid, parameters } = readAlgorithmIdentifier(cursor);
  cursor.expectEnd();
  const isAbsentOrNull = parameters === undefined || (parameters.length === 2 && parameters[0] === tags.null);
  return isAbsentOrNull ? digestNames.get(oid) : undefined;
}

/** What is verified: `spki` is the SubjectPublicKeyInfo of the signer, `data` the signed octets. */
export type SignatureToVerify = {
  readonly algorithm: AlgorithmIdentifier;
  readonly spki: Uint8Array;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
  /** The key object of `spki`, if the caller keeps one: making it costs a good part of a verification. */
  readonly key?: KeyObject;
};

type Prepared = { readonly digest: DigestName | null; readonly input: VerifyKeyObjectInput };

function prepare({ algorithm, spki, key }: SignatureToVerify): Prepared {
  const scheme = schemeOf(algorithm);
  const description = describePublicKey(spki);
  const isFitting =
    scheme.kind === 'rsa-pss'
      ? description.kind === 'rsa'
      : scheme.kind === 'ml-dsa'
        ? description.kind === 'ml-dsa' && description.parameterSet === scheme.parameterSet
        : description.kind === scheme.kind;
  if (!isFitting) throw new Unfit('the signature algorithm does not fit the key');
  const keyObject = key ?? createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  if (scheme.kind === 'rsa-pss') {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    return { digest: scheme.digest, input: { key: keyObject, padding, saltLength: scheme.saltLength } };
  }
  if (scheme.kind === 'rsa')
    return { digest: scheme.digest, input: { key: keyObject, padding: constants.RSA_PKCS1_PADDING } };
  if (scheme.kind === 'ec') return { digest: scheme.digest, input: { key: keyObject, dsaEncoding: 'der' } };
  return { digest: null, input: { key: keyObject } };
}

const wrongSignature: Verification = { ok: false, reason: 'the signature does not verify' };

function refusal(error: unknown): Verification {
  if (error instanceof Unfit) return { ok: false, reason: error.message };
  if (error instanceof DerError) return { ok: false, reason: `signature algorithm: ${error.detail}` };
  if (error instanceof PublicKeyError) return { ok: false, reason: error.detail };
  // node:crypto refuses keys that are no keys (a point off the curve) by throwing an error of its own.
  return { ok: false, reason: 'the key or the signature is not usable' };
}

/** Verifies on the calling thread; never throws for foreign bytes. */
export function verifySignature(request: SignatureToVerify): Verification {
  try {
    const { digest, input } = prepare(request);
    return verify(digest, request.data, input, request.signature) ? { ok: true } : wrongSignature;
  } catch (error) {
    return refusal(error);
  }
}

/** Verifies on the thread pool; never rejects for foreign bytes. */
export async function verifySignatureAsync(request: SignatureToVerify): Promise<Verification> {
  try {
    const { digest, input } = prepare(request);
    return await new Promise<Verification>((resolve) => {
      verify(digest, request.data, input, request.signature, (error, isValid) => {
        resolve(error === null ? (isValid ? { ok: true } : wrongSignature) : refusal(error));
      });
    });
  } catch (error) {
    return refusal(error);
  }
}

/** How a key signs. */
export type SignatureAlgorithm = {
  /** DER of the AlgorithmIdentifier. */
  readonly identifier: Uint8Array;
  /** The signature over the data. */
  readonly sign: (data: Uint8Array) => Uint8Array;
  /** The same for data that is too large to hold. */
  readonly openSignature: () => OpenSignature;
};

const signDigest = (identifier: Uint8Array, digest: DigestName, input: SignKeyObjectInput): SignatureAlgorithm => ({
  identifier,
  sign: (data) => sign(digest, data, input),
  openSignature: () => openDigestSignature(digest, input),
});

function signWhole(oid: string, key: KeyObject): SignatureAlgorithm {
  const signData = (data: Uint8Array) => sign(null, data, key);
  const identifier = sequence(objectIdentifier(oid));
  return { identifier, sign: signData, openSignature: () => openWholeSignature(signData) };
}

/** Digest for EC and RSA keys (by default the one that fits the curve, SHA-256 for RSA), padding for RSA keys. */
export type SignatureOptions = { readonly digest?: DigestName; readonly rsaPadding?: 'pkcs1' | 'pss' };

/**
 * How a private key that this process holds signs.
 *
 * @throws PublicKeyError when the key is of a kind that cannot sign here
 */
export function signatureAlgorithmFor(key: KeyObject, options: SignatureOptions = {}): SignatureAlgorithm {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const description = describePublicKey(spki);
  switch (description.kind) {
    case 'ec': {
      const digest =
        options.digest ?? ({ 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const)[description.curve];
      const oid = {
        sha256: algorithms.ecdsaWithSHA256,
        sha384: algorithms.ecdsaWithSHA384,
        sha512: algorithms.ecdsaWithSHA512,
      };
      return signDigest(sequence(objectIdentifier(oid[digest])), digest, { key, dsaEncoding: 'der' });
    }
    case 'rsa':
      return rsaSignatureAlgorithm(key, options.digest ?? 'sha256', options.rsaPadding ?? 'pkcs1');
    case 'ed25519':
      return signWhole(algorithms.ed25519, key);
    case 'ml-dsa': {
      const oids = {
        'ML-DSA-44': algorithms.mlDsa44,
        'ML-DSA-65': algorithms.mlDsa65,
        'ML-DSA-87': algorithms.mlDsa87,
      };
      return signWhole(oids[description.parameterSet], key);
    }
    case 'unsupported':
      throw new PublicKeyError(`this key cannot sign: ${description.detail}`);
  }
}

function rsaSignatureAlgorithm(key: KeyObject, digest: DigestName, padding: 'pkcs1' | 'pss'): SignatureAlgorithm {
  if (padding === 'pss') {
    const saltLength = digestOctets[digest];
    const input = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    return signDigest(rsassaPssIdentifier(digest), digest, input);
  }
  const oids = {
    sha256: algorithms.sha256WithRSAEncryption,
    sha384: algorithms.sha384WithRSAEncryption,
    sha512: algorithms.sha512WithRSAEncryption,
  };
  const identifier = sequence(objectIdentifier(oids[digest]), nullValue());
  return signDigest(identifier, digest, { key, padding: constants.RSA_PKCS1_PADDING });
}

/** AlgorithmIdentifier of RSASSA-PSS with MGF1 over the same digest and a salt as long as it (RFC 4055 §3.1). */
export function rsassaPssIdentifier(digest: DigestName): Uint8Array {
  const digestIdentifier = sequence(objectIdentifier(digestIdentifiers[digest]), nullValue());
  return sequence(
    objectIdentifier(algorithms.rsassaPss),
    sequence(
      explicit(0, digestIdentifier),
      explicit(1, sequence(objectIdentifier(algorithms.mgf1), digestIdentifier)),
      explicit(2, integer(digestOctets[digest])),
    ),
  );
}
