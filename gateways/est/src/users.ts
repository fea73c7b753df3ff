// The users of the gate: names, hashed passwords, and what each may enrol, in a file that is followed while the gate
// runs. A file that cannot be used does not take the users in use away; passwords are only ever stored as hashes.

import { existsSync } from 'node:fs';
import {
  compileNamePatterns,
  NamePatternError,
  type NamePolicy,
  namePatternsSchema,
} from '@gatehouse/gateway-kit/est/name-policy';
import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { followFile } from '@gatehouse/runtime/follow-file';
import type { Logger } from '@gatehouse/runtime/log';
import { readPrivateFile } from '@gatehouse/runtime/private-file';
import { z } from 'zod';
import { type PasswordHash, PasswordHashError, parsePasswordHash } from './password-hash.ts';

/** Names of users: no colon (RFC 7617 §2), no quotes (RFC 7616 §3.4), nothing that a terminal would obey. */
export const userNameForm = /^[^\p{C}\p{Z}:"\\]{1,128}$/u;

const entrySchema = z.strictObject({
  name: z.string().regex(userNameForm, 'a user name has 1 to 128 characters and no space, colon, quote or backslash'),
  /** PHC string; argon2id or scrypt. Basic needs it. */
  password: z.string().max(512).optional(),
  /** SHA-256 of `name:realm:password`, hexadecimal, RFC 7616 §3.4.2. Digest needs it; it is worth as much as the password. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
  /** Labels that the user may use; `*` for all. */
  labels: z.array(z.string()).default(['*']),
  names: namePatternsSchema.prefault({}),
  /** How many enrollments the password is good for; without it, any number. */
  uses: z.number().int().min(1).max(1_000_000).optional(),
  /** After this instant the password is no longer accepted. */
  expires: z.iso.datetime({ offset: true }).optional(),
  isDisabled: z.boolean().default(false),
});

/** Schema of users.yaml. */
export const usersFileSchema = z.strictObject({ users: z.array(entrySchema).default([]) });

/** One entry of users.yaml, defaults filled in. */
export type UserEntry = z.output<typeof entrySchema>;

/** A user as the gate knows it. */
export type User = {
  readonly name: string;
  readonly password: PasswordHash | undefined;
  /** HA1 of RFC 7616 §3.4.2, lower-case hexadecimal. */
  readonly digest: string | undefined;
  readonly labels: readonly string[];
  readonly names: NamePolicy;
  readonly uses: number | undefined;
  readonly expires: Date | undefined;
  /** Changes whenever the secret does; counted uses belong to a secret, not to a name. */
  readonly secretId: string;
};

/** The users as they stand now. */
export type Users = {
  /** The user of this name, unless there is none or it is disabled. */
  find(name: string): User | undefined;
  /** Counts reloads: what was derived from an older generation is void. */
  generation(): number;
  /** Stops following the file. */
  close(): void;
};

/**
 * Reads users.yaml.
 *
 * @param fileName for messages
 * @throws {FatalError} with all problems and their lines
 */
export function parseUsers(text: string, fileName: string): readonly UserEntry[] {
  const result = parseYamlWithSchema(text, usersFileSchema, fileName);
  if (!result.ok) throw new FatalError(result.message, { exitCode: 78 });
  const names = new Set<string>();
  for (const entry of result.value.users) {
    if (names.has(entry.name))
      throw new FatalError(`${fileName}: user '${entry.name}' stands there twice`, { exitCode: 78 });
    names.add(entry.name);
    // Refused when the file is read, not when the user comes.
    toUser(entry, fileName);
  }
  return result.value.users;
}

/**
 * Opens users.yaml and follows it.
 *
 * @param pollIntervalMs how often the file is looked at; looking also works on file systems without notifications
 * @throws {FatalError} when it is missing, readable by others, or wrong
 */
export function openUsers(file: string, log: Logger, pollIntervalMs = 1_000): Users {
  let generation = 0;
  const followed = followFile({
    file,
    intervalMs: pollIntervalMs,
    read: () => loadUsers(file),
    changed: (changed) => {
      users = changed;
      generation++;
      log.info({ file, users: users.size }, 'the users file changed and is taken');
    },
    failed: (error) => log.warn({ err: error, file }, 'the changed users file cannot be used; the users in use stay'),
  });
  let users = followed.first;
  return {
    find: (name) => {
      // Whoever was just added may come at once, and whoever was just removed may not.
      followed.look();
      return users.get(name);
    },
    generation: () => generation,
    close: () => followed.close(),
  };
}

/** Users that stand in no file; for a gate without a users file, and for tests. */
export function holdUsers(entries: readonly UserEntry[]): Users {
  const users = collect(entries, 'users');
  return { find: (name) => users.get(name), generation: () => 0, close: () => {} };
}

function loadUsers(file: string): ReadonlyMap<string, User> {
  if (!existsSync(file)) {
    throw new FatalError(`the users file ${file} does not exist`, {
      hint: 'it is made with the first user: gatehouse est user add NAME',
    });
  }
  return collect(parseUsers(readPrivateFile(file).toString('utf8'), file), file);
}

function collect(entries: readonly UserEntry[], fileName: string): ReadonlyMap<string, User> {
  const enabled = entries.filter(({ isDisabled }) => !isDisabled);
  return new Map(enabled.map((entry) => [entry.name, toUser(entry, fileName)]));
}

function toUser(entry: UserEntry, fileName: string): User {
  try {
    return {
      name: entry.name,
      password: entry.password === undefined ? undefined : parsePasswordHash(entry.password),
      digest: entry.digest,
      labels: entry.labels,
      names: compileNamePatterns(entry.names),
      uses: entry.uses,
      expires: entry.expires === undefined ? undefined : new Date(entry.expires),
      secretId: entry.password ?? entry.digest ?? '',
    };
  } catch (error) {
    if (!(error instanceof PasswordHashError || error instanceof NamePatternError)) throw error;
    throw new FatalError(`${fileName}: user '${entry.name}': ${error.message}`, { exitCode: 78, cause: error });
  }
}
