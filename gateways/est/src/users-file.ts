// Edits users.yaml for `gatehouse est user add|list|remove`: adds and removes one entry and leaves the operator's other
// entries and comments as they stand. The file is replaced as a whole, mode 0600; the running gate takes it over.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type NamePatterns, namePatternsSchema } from '@gatehouse/gateway-kit/est/name-policy';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { hashPassword, type PasswordHashFunction } from './password-hash.ts';
import { parseUsers, type UserEntry, userNameForm } from './users.ts';

/** A user to be added. */
export type NewUser = {
  readonly name: string;
  readonly password: string;
  /** Function of the stored hash; argon2id unless told. */
  readonly hash?: PasswordHashFunction | undefined;
  /** Store what Digest needs too: the realm that the gate announces. */
  readonly digestRealm?: string | undefined;
  /** All labels unless told. */
  readonly labels?: readonly string[] | undefined;
  /** What the user may enrol; nothing unless told. */
  readonly names?: Partial<NamePatterns> | undefined;
  /** How many enrollments the password is good for. */
  readonly uses?: number | undefined;
  readonly expires?: Date | undefined;
  /** Replaces a user of this name instead of refusing. */
  readonly replaces?: boolean | undefined;
};

const header = `# Users of the EST gate; the running gate takes changes over by itself.
# Edit with 'gatehouse est user add|list|remove', or by hand. Passwords are argon2id or scrypt hashes.
`;

/**
 * Adds a user; makes the file when there is none.
 *
 * @throws {FatalError} when the name is taken (unless `replaces`), the user is not in order, or the file cannot be used
 */
export async function addUser(file: string, user: NewUser): Promise<UserEntry> {
  if (!userNameForm.test(user.name)) {
    throw new FatalError(`'${user.name}' cannot be a user name`, {
      hint: 'use 1 to 128 characters without space, colon, quote or backslash',
    });
  }
  if (user.password === '') throw new FatalError('the password is empty');
  const entry = await toEntry(user);
  const document = load(file);
  const users = entriesOf(document, file);
  const index = users.items.findIndex((item) => isMap(item) && item.get('name') === user.name);
  if (index >= 0 && user.replaces !== true) {
    throw new FatalError(`user '${user.name}' exists already`, {
      hint: `remove it first: gatehouse est user remove ${user.name}`,
    });
  }
  if (index >= 0) users.items.splice(index, 1, document.createNode(entry) as YAMLMap);
  else users.items.push(document.createNode(entry) as YAMLMap);
  users.flow = false;
  return save(file, document, user.name);
}

/**
 * All users of the file, in its order; none when there is no file.
 *
 * @throws {FatalError} when the file cannot be used
 */
export function listUsers(file: string): readonly UserEntry[] {
  return existsSync(file) ? parseUsers(readPrivateFile(file).toString('utf8'), file) : [];
}

/**
 * Removes a user.
 *
 * @throws {FatalError} when there is no such user or the file cannot be used
 */
export function removeUser(file: string, name: string): void {
  const document = load(file);
  const users = entriesOf(document, file);
  const index = users.items.findIndex((item) => isMap(item) && item.get('name') === name);
  if (index < 0) {
    throw new FatalError(`there is no user '${name}' in ${file}`, {
      hint: 'see who there is: gatehouse est user list',
    });
  }
  users.items.splice(index, 1);
  save(file, document, undefined);
}

/** HA1 of RFC 7616 §3.4.2 for SHA-256, lower-case hexadecimal. */
export function digestSecret(name: string, realm: string, password: string): string {
  return createHash('sha256').update(`${name}:${realm}:${password}`, 'utf8').digest('hex');
}

async function toEntry(user: NewUser): Promise<Record<string, unknown>> {
  const patterns = user.names === undefined ? undefined : z.partialRecord(z.string(), z.unknown()).parse(user.names);
  const names = namePatternsSchema.safeParse(patterns ?? {});
  if (!names.success) throw new FatalError(`the names of user '${user.name}' are not in order: ${names.error.message}`);
  const given = Object.entries(names.data).filter(([, values]) => values.length > 0);
  return {
    name: user.name,
    password: await hashPassword(user.password, user.hash),
    ...(user.digestRealm === undefined ? {} : { digest: digestSecret(user.name, user.digestRealm, user.password) }),
    labels: user.labels ?? ['*'],
    names: Object.fromEntries(given),
    ...(user.uses === undefined ? {} : { uses: user.uses }),
    ...(user.expires === undefined ? {} : { expires: user.expires.toISOString() }),
  };
}

function load(file: string): Document {
  const text = existsSync(file) ? readPrivateFile(file).toString('utf8') : `${header}users: []\n`;
  parseUsers(text, file);
  return parseDocument(text);
}

function entriesOf(document: Document, file: string): { items: unknown[]; flow?: boolean } {
  if (document.get('users') === undefined) document.set('users', document.createNode([]));
  const users = document.get('users');
  if (!isSeq(users)) throw new FatalError(`${file}: users must be a list`);
  return users as { items: unknown[]; flow?: boolean };
}

function save(file: string, document: Document, added: string): UserEntry;
function save(file: string, document: Document, added: undefined): undefined;
function save(file: string, document: Document, added: string | undefined): UserEntry | undefined {
  const text = document.toString({ lineWidth: 0 });
  // What is written must be what the gate can read: checked before the old file is gone.
  const entries = parseUsers(text, file);
  const entry = entries.find(({ name }) => name === added);
  if (added !== undefined && entry === undefined) throw new FatalError(`${file}: user '${added}' could not be added`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writePrivateFile(file, text);
  return entry;
}
