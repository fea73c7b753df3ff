// The MACs of CMC over a shared secret, RFC 5272 §6.2.1 and §6.3.1.1: a hash makes the key of the secret, HMAC makes the
// witness. SHA-1 is here because RFC 5274 §4.2 makes it a must and the version 1 controls know nothing else; as HMAC it
// rests on no collision resistance, and what it proves is never kept.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { tags } from '@gatehouse/pkix/der/reader';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import type { AlgorithmIdentifier } from '@gatehouse/pkix/signature-algorithms';
import { CmcFailure } from './failure.ts';

type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** How a witness is made of a secret. */
export type KeyedDigest = { readonly hash: Digest; readonly mac: Digest };

/** What the version 1 controls are fixed to, RFC 5272 §6.2.2 and §6.3.1.2. */
export const versionOneDigest: KeyedDigest = { hash: 'sha1', mac: 'sha1' };

const hashes: ReadonlyMap<string, Digest> = new Map<string, Digest>([
  [algorithms.sha1, 'sha1'],
  [algorithms.sha256, 'sha256'],
  [algorithms.sha384, 'sha384'],
  [algorithms.sha512, 'sha512'],
]);

const macs: ReadonlyMap<string, Digest> = new Map<string, Digest>([
  ['1.3.6.1.5.5.8.1.2', 'sha1'], // RFC 3370 §3.1: the older identifier of HMAC with SHA-1
  [algorithms.hmacWithSHA1, 'sha1'],
  [algorithms.hmacWithSHA256, 'sha256'],
  [algorithms.hmacWithSHA384, 'sha384'],
  [algorithms.hmacWithSHA512, 'sha512'],
]);

/** Reads the two algorithms of a control. @throws {CmcFailure} `badAlg` */
export function readKeyedDigest(
  hashAlgorithm: AlgorithmIdentifier,
  macAlgorithm: AlgorithmIdentifier,
  bodyPartId: number,
): KeyedDigest {
  return { hash: find(hashes, hashAlgorithm, bodyPartId), mac: find(macs, macAlgorithm, bodyPartId) };
}

/** Whether the witness over `message` was made with this secret. */
export function isWitness(
  { hash, mac }: KeyedDigest,
  secret: Uint8Array,
  message: Uint8Array,
  witness: Uint8Array,
): boolean {
  const key = createHash(hash).update(secret).digest();
  const expected = createHmac(mac, key).update(message).digest();
  return expected.length === witness.length && timingSafeEqual(expected, witness);
}

function find(
  table: ReadonlyMap<string, Digest>,
  { oid, parameters }: AlgorithmIdentifier,
  bodyPartId: number,
): Digest {
  const digest = table.get(oid);
  const isPlain = parameters === undefined || (parameters.length === 2 && parameters[0] === tags.null);
  if (digest !== undefined && isPlain) return digest;
  throw new CmcFailure('badAlg', `algorithm ${oid} is not accepted here`, { bodyParts: [bodyPartId] });
}
