// The file with the keys of statements: made at the first start, readable by its owner alone, the old contents or the new
// at every instant. What the registry said last is kept with the key, so that a perspective that starts while the keep is
// away goes on.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import { z } from 'zod';

/** A key with its id. */
export type StatementKey = {
  /** RFC 7638 thumbprint, base64url: `kid` of its statements. */
  readonly keyId: string;
  /** P-256. */
  readonly key: KeyObject;
};

/** What the registry knows about the key that is used. */
export type Registration = {
  readonly activeFrom: Date;
  /** Labels of the holder; empty for a gate. */
  readonly site: string;
  readonly rir: string;
};

/** What the file holds. */
export type SigningKeyState = {
  readonly current: StatementKey;
  /** Absent before the key was ever registered. */
  readonly registration?: Registration | undefined;
  /** Takes over once it is registered. */
  readonly next?: StatementKey | undefined;
  /** Ids of keys that are not used any more, and not retired yet. */
  readonly former: readonly string[];
};

const privateKey = z.string().transform((pem, context) => {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return keyOf(key);
  } catch {
    // Told below: whatever is wrong with it, it is no such key.
  }
  context.addIssue({ code: 'custom', message: 'is no private key on P-256' });
  return z.NEVER;
});

const schema = z.strictObject({
  v: z.literal(1),
  current: privateKey,
  registration: z
    .strictObject({
      activeFrom: z.iso.datetime().transform((text) => new Date(text)),
      site: z.string(),
      rir: z.string(),
    })
    .optional(),
  next: privateKey.optional(),
  former: z.array(z.string()),
});

/** A fresh key. */
export function newStatementKey(): StatementKey {
  return keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/**
 * Reads the file, or makes it with a fresh key where there is none.
 *
 * @throws {FatalError} when others may read it, or it is no such file: it is never replaced
 */
export function openSigningKeyFile(file: string): SigningKeyState {
  if (existsSync(file)) return read(file);
  const state = { current: newStatementKey(), former: [] };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  saveSigningKeyFile(file, state);
  return state;
}

/** Writes the file. @throws {FatalError} when it cannot be written */
export function saveSigningKeyFile(file: string, { current, registration, next, former }: SigningKeyState): void {
  const text = JSON.stringify(
    { v: 1, current: pemOf(current), registration, next: next === undefined ? undefined : pemOf(next), former },
    undefined,
    2,
  );
  writePrivateFile(file, `${text}\n`);
}

function read(file: string): SigningKeyState {
  let value: unknown;
  try {
    value = JSON.parse(readPrivateFile(file).toString('utf8'));
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    throw damaged(file, 'it is not JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it has another form'}`, parsed.error);
}

function damaged(file: string, why: string, cause: unknown): FatalError {
  return new FatalError(`${file} does not hold the keys of statements: ${why}`, {
    hint: 'restore it from a backup, or move it away: a new key is made then, and what the lost one signed stays good',
    cause,
  });
}

function keyOf(key: KeyObject): StatementKey {
  return { key, keyId: jwkOfKey(key).thumbprint };
}

function pemOf({ key }: StatementKey): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
