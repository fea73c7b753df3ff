/** What `gatehouse est user` does: edits users.yaml, which the running gate follows. No core is needed. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type EstConfiguration, estSchema } from '@gatehouse/gateway-est/config';
import type { PasswordHashFunction } from '@gatehouse/gateway-est/password-hash';
import type { UserEntry } from '@gatehouse/gateway-est/users';
import { addUser, listUsers, removeUser } from '@gatehouse/gateway-est/users-file';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { suggestion } from '@gatehouse/runtime/configuration/nearest';
import { FatalError } from '@gatehouse/runtime/fatal';
import { existingDataDirectory } from './data-directory.ts';
import { type NameOptions, toNamePatterns } from './options.ts';
import { note, print, printJson, printTable, shorten } from './output.ts';
import { askSecret, canAsk, readSecretFile } from './prompt.ts';
import { futureTime } from './times.ts';

/** Of all commands for users. */
export type UserOptions = { readonly data?: string | undefined; readonly json?: boolean | undefined };

/** Of `est user add`. */
export type AddUserOptions = UserOptions &
  NameOptions & {
    readonly labels: readonly string[];
    readonly uses?: number | undefined;
    readonly expires?: string | undefined;
    readonly passwordFile?: string | undefined;
    readonly generate?: boolean | undefined;
    readonly digest?: boolean | undefined;
    readonly hash?: PasswordHashFunction | undefined;
    readonly replace?: boolean | undefined;
  };

/** Adds a user. */
export async function addEstUser(name: string, options: AddUserOptions): Promise<void> {
  const { file, configuration } = usersOf(options);
  checkLabels(options.labels, configuration);
  const expires = options.expires === undefined ? undefined : futureTime('--expires', options.expires);
  const password = await passwordFor(name, options);
  await addUser(file, {
    name,
    password: password.text,
    hash: options.hash,
    digestRealm: options.digest === true ? configuration.realm : undefined,
    labels: options.labels.length === 0 ? undefined : options.labels,
    names: toNamePatterns(options),
    uses: options.uses,
    expires,
    replaces: options.replace,
  });
  const shown = password.isGenerated ? password.text : undefined;
  if (options.json === true) {
    printJson({ name, file, password: shown });
    return;
  }
  if (shown !== undefined) print(shown);
  note(`user '${name}' is in ${file}${shown === undefined ? '' : '; the password above is not shown again'}`);
  if (Object.values(toNamePatterns(options)).every((entries) => entries.length === 0)) {
    note('  the user may not enrol any name yet; give --dns, --ip, --uri, --email or --subject (and --replace)');
  }
  if (configuration.users === undefined) note('  the gate does not read the file yet: set est.users: est/users.yaml');
}

/** Lists the users; never a hash. */
export async function listEstUsers(options: UserOptions): Promise<void> {
  const users = listUsers(usersOf(options).file);
  if (options.json === true) {
    printJson(users.map(({ password: _password, digest: _digest, ...user }) => user));
    return;
  }
  printTable(
    users,
    [
      ['name', ({ name }) => name],
      ['state', stateOf],
      ['labels', ({ labels }) => labels.join(',')],
      ['may enrol', (user) => shorten(formatNames(user))],
      ['uses', ({ uses }) => (uses === undefined ? '-' : String(uses))],
      ['until', ({ expires }) => expires ?? '-'],
    ],
    "there is no user yet; add one with 'gatehouse est user add'",
  );
}

/** Removes a user. */
export async function removeEstUser(name: string, options: UserOptions): Promise<void> {
  const { file } = usersOf(options);
  removeUser(file, name);
  if (options.json === true) printJson({ name, file });
  else print(`user '${name}' is removed from ${file}; certificates that it enrolled stay valid`);
}

type Users = { readonly file: string; readonly configuration: EstConfiguration };

function usersOf({ data }: UserOptions): Users {
  const directory = existingDataDirectory(data);
  const configuration = loadConfiguration({ schema: estSchema, section: 'est', file: directory.configuration });
  return { configuration, file: resolve(directory.path, configuration.users ?? 'est/users.yaml') };
}

function checkLabels(labels: readonly string[], { labels: known }: EstConfiguration): void {
  const names = Object.keys(known);
  const unknown = labels.find((label) => label !== '*' && !names.includes(label));
  if (unknown === undefined) return;
  throw new FatalError(`the gate has no label '${unknown}'${suggestion(unknown, names)}`, {
    hint: 'labels are configured under est.labels in gatehouse.yaml',
  });
}

type Password = { readonly text: string; readonly isGenerated: boolean };

async function passwordFor(name: string, { passwordFile, generate }: AddUserOptions): Promise<Password> {
  if (passwordFile !== undefined && generate === true) {
    throw new FatalError('--password-file and --generate exclude each other');
  }
  if (passwordFile !== undefined) return { text: await readSecretFile(passwordFile), isGenerated: false };
  if (generate === true) return { text: randomBytes(15).toString('base64url'), isGenerated: true };
  if (!canAsk()) {
    throw new FatalError('there is no terminal to ask for the password on', {
      hint: "use --generate, or --password-file FILE ('-': standard input)",
    });
  }
  const text = await askSecret(`Password for ${name}: `);
  if ((await askSecret('The same again: ')) !== text) throw new FatalError('the two are not the same');
  return { text, isGenerated: false };
}

function stateOf({ isDisabled, expires }: UserEntry): string {
  if (isDisabled) return 'disabled';
  return expires !== undefined && new Date(expires) <= new Date() ? 'expired' : 'active';
}

function formatNames({ names }: UserEntry): string {
  const kinds = [
    ['dns', names.dnsSuffixes],
    ['ip', names.ipRanges],
    ['uri', names.uriPrefixes],
    ['email', names.emailDomains],
    ['subject', names.subjectAttributes],
  ] as const;
  return (
    kinds.flatMap(([kind, entries]) => (entries.length === 0 ? [] : `${kind}:${entries.join(',')}`)).join(' ') || '-'
  );
}
