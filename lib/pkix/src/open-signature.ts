// Signatures over what is too large to hold: octets go in piece by piece, the signature comes out at the end. It is the
// one that `sign` would give for all pieces together.
import { createSign, type SignKeyObjectInput } from 'node:crypto';

/** A signature that is being made; `finish` once, after the last `update`. */
export type OpenSignature = {
  /** Takes the next octets; they may change afterwards. */
  update(chunk: Uint8Array): void;
  /** The signature over all octets. */
  finish(): Uint8Array;
};

/** For algorithms that sign a digest (ECDSA, RSA): no octets are kept. */
export function openDigestSignature(digest: string, input: SignKeyObjectInput): OpenSignature {
  const signature = createSign(digest);
  return {
    update: (chunk) => {
      signature.update(chunk);
    },
    finish: () => signature.sign(input),
  };
}

/** For algorithms that read the data twice (RFC 8032 §5.1.6, FIPS 204): all octets are kept until the end. */
export function openWholeSignature(sign: (data: Uint8Array) => Uint8Array): OpenSignature {
  const chunks: Uint8Array[] = [];
  return {
    update: (chunk) => {
      chunks.push(Uint8Array.from(chunk));
    },
    finish: () => sign(Buffer.concat(chunks)),
  };
}
