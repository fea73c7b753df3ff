// What a key of the keep can do, whoever holds it: tell its public half and its algorithm, and sign. Everything above
// this layer signs through it and takes AlgorithmIdentifiers from it (RFC 5280 §4.1.1.2). A signer must never give the
// private key away, nor say more about a failure than what failed.

/** A signature over octets that come piece by piece; `finish` once, after the last `update`. */
export type OpenSignature = {
  /** Takes the next octets; they may change afterwards. */
  update(chunk: Uint8Array): void;
  /** The signature over all octets. @throws {SignerError} or rejects with it, when no signature could be made */
  finish(): Uint8Array | Promise<Uint8Array>;
};

/** A private key that signs. */
export type Signer = {
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly keyFingerprint: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** For logs and people: 'ECDSA P-256', 'RSA 3072', 'RSA-PSS 3072', 'Ed25519', 'ML-DSA-65'. */
  readonly algorithm: string;
  /** AlgorithmIdentifier of the signatures it makes, DER; goes into the TBSCertificate and around it. */
  readonly signatureAlgorithm: Uint8Array;
  /** False for a token: the intent is then committed before the signature is asked for (CORE.md, step 7). */
  readonly isSynchronous: boolean;
  /**
   * Signs `data` (not a digest of it). The signature is in the form that stands in a certificate: ECDSA as DER.
   *
   * @throws {SignerError} or rejects with it, when no signature could be made
   */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * Signs what is too large to hold, such as a CRL with a million entries: the same form of signature as {@link sign}.
   * EdDSA and ML-DSA read the data twice, so their keys keep it in memory all the same.
   */
  openSignature(): OpenSignature;
  /**
   * Signs random octets and verifies them with the public key.
   *
   * @throws {SignerError} when the key cannot sign or the signature does not verify
   */
  selfTest(): Promise<void>;
};

/** A key that cannot sign, or whose signature does not verify. The message names the key by its fingerprint. */
export class SignerError extends Error {
  override readonly name = 'SignerError';
  readonly code = 'signer';
}
