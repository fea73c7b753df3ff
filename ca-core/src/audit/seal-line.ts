// One seal: a signature over where the chains stood, as one line of JSON that also covers the line before it.
// It must say nothing that the database does not know; its worth is that whoever edits the database cannot sign it
// again.

import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { z } from 'zod';
import type { AuditHead } from './chain.ts';

/** A seal as read. */
export type Seal = {
  readonly at: Date;
  readonly heads: readonly AuditHead[];
  /** SHA-256 of the line before, hexadecimal; zeros in the first. */
  readonly previous: string;
};

/** What stands for the line before the first. */
export const noPreviousSeal = '0'.repeat(64);

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const sealSchema = z.strictObject({
  v: z.literal(1),
  at: z.iso.datetime(),
  heads: z.array(z.strictObject({ instance: z.string().min(1), sequence: z.int().nonnegative(), mac: hash })).max(1000),
  previous: hash,
  signature: z.base64(),
});

type SignedPart = Omit<z.infer<typeof sealSchema>, 'signature'>;

/** Writes and signs a seal; one line without its end. */
export function writeSealLine(seal: Seal, key: KeyObject): string {
  const signed: SignedPart = {
    v: 1,
    at: seal.at.toISOString(),
    heads: seal.heads.map(({ instance, sequence, mac }) => ({ instance, sequence, mac: hex(mac) })),
    previous: seal.previous,
  };
  return canonicalJson({ ...signed, signature: sign(null, toBeSigned(signed), key).toString('base64') });
}

/** Reads a seal and verifies its signature; nothing when either fails. */
export function readSealLine(line: string, key: KeyObject): Seal | undefined {
  const parsed = sealSchema.safeParse(parseJson(line));
  if (!parsed.success) return undefined;
  const { signature, ...signed } = parsed.data;
  if (!verify(null, toBeSigned(signed), key, Buffer.from(signature, 'base64'))) return undefined;
  return {
    at: new Date(signed.at),
    heads: signed.heads.map(({ instance, sequence, mac }) => ({ instance, sequence, mac: Buffer.from(mac, 'hex') })),
    previous: signed.previous,
  };
}

/** By which the next line knows this one. */
export function sealLineHash(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}

// The first words keep the signature from being one over anything else that this key signs.
function toBeSigned(signed: SignedPart): Buffer {
  return Buffer.from(`gatehouse audit seal 1\n${canonicalJson(signed)}`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
