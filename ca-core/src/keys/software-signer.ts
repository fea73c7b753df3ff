// The signer over a key in this process's memory (node:crypto, synchronous: the hop through the thread pool would cost
// a single client half of its rate). It must never hash with less than SHA-256, and never let a caller choose a digest.
import { createPublicKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import { describePublicKey, type PublicKeyDescription } from '@gatehouse/pkix/public-key';
import { readAlgorithmIdentifier, signatureAlgorithmFor, verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { type Signer, SignerError } from './signer.ts';

/** Choices that the key alone does not settle. */
export type SoftwareSignerOptions = {
  /** Padding of RSA signatures, RFC 8017 §8.1 and §8.2; 'pkcs1' unless told. Other keys ignore it. */
  readonly rsaPadding?: 'pkcs1' | 'pss';
};

/** A signer whose answer is there at once. */
export type SynchronousSigner = Omit<Signer, 'isSynchronous' | 'sign' | 'openSignature'> & {
  readonly isSynchronous: true;
  sign(data: Uint8Array): Uint8Array;
  openSignature(): { update(chunk: Uint8Array): void; finish(): Uint8Array };
  /** {@link Signer.selfTest} at once. */
  selfTestSync(): void;
};

/**
 * A signer for an ECDSA key on P-256, P-384 or P-521 (with SHA-256, SHA-384, SHA-512), an RSA key of 2048 to 4096 bits
 * (SHA-256, PKCS#1 v1.5 or PSS), an Ed25519 key or an ML-DSA-44, -65 or -87 key.
 *
 * @example const signature = createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).sign(tbs);
 * @throws {SignerError} when the key is not private or of another kind
 */
export function createSoftwareSigner(key: KeyObject, options: SoftwareSignerOptions = {}): SynchronousSigner {
  if (key.type !== 'private') throw new SignerError(`a signer needs a private key, not a ${key.type} one`);
  const rsaPadding = options.rsaPadding ?? 'pkcs1';
  const subjectPublicKeyInfo = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const algorithm = nameAlgorithm(describePublicKey(subjectPublicKeyInfo), rsaPadding);
  const keyFingerprint = hash('sha256', subjectPublicKeyInfo, 'hex');
  const { identifier, sign, openSignature } = signatureAlgorithmFor(key, { rsaPadding });

  function orSignerError(makeSignature: () => Uint8Array): Uint8Array {
    try {
      return makeSignature();
    } catch (cause) {
      throw new SignerError(`the ${algorithm} key ${keyFingerprint} cannot sign`, { cause });
    }
  }

  const signOctets = (data: Uint8Array) => orSignerError(() => sign(data));

  function selfTestSync(): void {
    const data = randomBytes(32);
    const signature = signOctets(data);
    const check = verifySignature({
      algorithm: readAlgorithmIdentifier(identifier),
      spki: subjectPublicKeyInfo,
      data,
      signature,
    });
    if (!check.ok) throw new SignerError(`self-test of the ${algorithm} key ${keyFingerprint}: ${check.reason}`);
  }

  return {
    keyFingerprint,
    subjectPublicKeyInfo,
    algorithm,
    signatureAlgorithm: identifier,
    isSynchronous: true,
    sign: signOctets,
    openSignature: () => {
      const { update, finish } = openSignature();
      return { update, finish: () => orSignerError(finish) };
    },
    selfTestSync,
    selfTest: async () => selfTestSync(),
  };
}

/** The algorithm of a key for logs and people, as `Signer.algorithm`. Throws SignerError for one that signs no certificates. */
export function nameAlgorithm(key: PublicKeyDescription, rsaPadding: 'pkcs1' | 'pss' = 'pkcs1'): string {
  switch (key.kind) {
    case 'ec':
      return `ECDSA ${key.curve}`;
    case 'rsa':
      if (key.bits < 2048 || key.bits > 4096) {
        throw new SignerError(`an RSA key of ${key.bits} bits cannot sign certificates; 2048 to 4096 can`);
      }
      return rsaPadding === 'pss' ? `RSA-PSS ${key.bits}` : `RSA ${key.bits}`;
    case 'ed25519':
      return 'Ed25519';
    case 'ml-dsa':
      return key.parameterSet;
    case 'unsupported':
      throw new SignerError(`this key cannot sign certificates: ${key.detail}`);
  }
}
