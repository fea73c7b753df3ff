// Key agreement of CMS on elliptic curves (RFC 5753): ephemeral-static ECDH, the X9.63 key derivation, and the table of
// schemes. The ephemeral key lives for one message and is never returned.
import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { explicit, objectIdentifier, octetString, sequence } from '../der/writer.ts';
import { algorithms } from '../object-identifiers.ts';
import { type Curve, describePublicKey, subjectPublicKeyOctets } from '../public-key.ts';
import type { DigestName } from '../signature-algorithms.ts';
import { CmsError } from './error.ts';
import { keyWrapOctets } from './key-wrap.ts';

/** Digest of the key derivation, by the scheme's identifier. RFC 5753 §7.1.4. */
const schemes: ReadonlyMap<string, DigestName> = new Map([
  [algorithms.dhSinglePassStdDhSha256Kdf, 'sha256'],
  [algorithms.dhSinglePassStdDhSha384Kdf, 'sha384'],
  [algorithms.dhSinglePassStdDhSha512Kdf, 'sha512'],
]);

/** Scheme by curve: the digest is as strong as the curve. RFC 5753 §8. */
const schemeOfCurve: Readonly<Record<Curve, string>> = {
  'P-256': algorithms.dhSinglePassStdDhSha256Kdf,
  'P-384': algorithms.dhSinglePassStdDhSha384Kdf,
  'P-521': algorithms.dhSinglePassStdDhSha512Kdf,
};

/** What an originator agreed on with a recipient. */
export type Agreement = {
  /** Dotted identifier of the scheme. */
  readonly scheme: string;
  /** ECPoint of the ephemeral key. */
  readonly ephemeralPoint: Uint8Array;
  readonly wrappingKey: Buffer;
};

/** Agrees on a wrapping key with the holder of an elliptic-curve key. @throws CmsError when the key is of another kind */
export function agreeWith(subjectPublicKeyInfo: Uint8Array, wrapAlgorithm: string): Agreement {
  const description = describePublicKey(subjectPublicKeyInfo);
  if (description.kind !== 'ec') throw new CmsError(`key agreement: a key of kind ${description.kind}`);
  const scheme = schemeOfCurve[description.curve];
  const publicKey = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
  const ephemeral = generateKeyPairSync('ec', { namedCurve: description.curve });
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
  const wrappingKey = derive(secret, scheme, wrapAlgorithm, undefined);
  secret.fill(0);
  const ephemeralPoint = subjectPublicKeyOctets(ephemeral.publicKey.export({ format: 'der', type: 'spki' }));
  return { scheme, ephemeralPoint, wrappingKey };
}

/** The wrapping key that an originator agreed on with `privateKey`. Throws when the point is not on its curve. */
export function recoverAgreement(
  privateKey: KeyObject,
  originatorKey: KeyObject,
  scheme: string,
  wrapAlgorithm: string,
  userKeyingMaterial: Uint8Array | undefined,
): Buffer {
  const secret = diffieHellman({ privateKey, publicKey: originatorKey });
  const wrappingKey = derive(secret, scheme, wrapAlgorithm, userKeyingMaterial);
  secret.fill(0);
  return wrappingKey;
}

// RFC 5753 §7.2 and SEC 1 §3.6.1: digests of the secret, a counter and ECC-CMS-SharedInfo, one after the other.
function derive(
  secret: Uint8Array,
  scheme: string,
  wrapAlgorithm: string,
  userKeyingMaterial: Uint8Array | undefined,
): Buffer {
  const digest = schemes.get(scheme);
  if (digest === undefined) throw new CmsError(`key agreement scheme ${scheme} is not accepted`);
  const octets = keyWrapOctets(wrapAlgorithm);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(octets * 8);
  const sharedInfo = sequence(
    sequence(objectIdentifier(wrapAlgorithm)),
    ...(userKeyingMaterial === undefined ? [] : [explicit(0, octetString(userKeyingMaterial))]),
    explicit(2, octetString(length)),
  );
  const blocks: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let made = 0; made < octets; ) {
    counter.writeUInt32BE(blocks.length + 1);
    const block = createHash(digest).update(secret).update(counter).update(sharedInfo).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, octets);
}
