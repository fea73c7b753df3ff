/** What `gatehouse ra` does. A join token is printed once and kept nowhere. */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join as joinPath, resolve } from 'node:path';
import { durationFromMs, durationToMs } from '@gatehouse/proto/duration';
import type { JoinToken, RegistrationAuthority } from '@gatehouse/ra-client/administration';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { parseJoinToken } from '@gatehouse/ra-client/join-token';
import { formatDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import { dataDirectory } from './data-directory.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { type NameOptions, toNamePatterns } from './options.ts';
import { formatFields, formatTime, note, print, printJson, printTable, shorten } from './output.ts';
import { readSecretFile } from './prompt.ts';
import { durationOf } from './times.ts';

/** Of `ra token`. */
export type TokenOptions = OperatorOptions & { readonly tokenLife?: string | undefined };

/** Of `ra add`. */
export type AddOptions = TokenOptions &
  NameOptions & {
    readonly profiles: readonly string[];
    readonly statusOnly?: boolean | undefined;
    readonly maxValidity?: string | undefined;
    readonly rate?: number | undefined;
  };

/** Of `ra join`. */
export type JoinOptions = OperatorOptions & {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly file?: string | undefined;
  readonly core: readonly string[];
};

/** Registers an RA. */
export async function addRegistrationAuthority(name: string, options: AddOptions): Promise<void> {
  const { profiles, maxValidity, tokenLife } = options;
  checkPurpose(options);
  const request = {
    registrationAuthority: {
      name,
      profiles: [...profiles],
      scope: toNamePatterns(options),
      maximumValidity:
        maxValidity === undefined ? undefined : durationFromMs(durationOf('--max-validity', maxValidity)),
      ratePerSecond: options.rate ?? 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife: tokenLife === undefined ? undefined : durationFromMs(durationOf('--token-life', tokenLife)),
  };
  await asOperator(options, async ({ administration }) => {
    printToken(name, await administration.addRegistrationAuthority(request), options);
  });
}

/** An RA that was given no profile by mistake would be refused only when its gate asks for something. */
function checkPurpose({ profiles, statusOnly }: AddOptions): void {
  if (statusOnly === true && profiles.length > 0) {
    throw new FatalError('--status-only and --profiles exclude each other');
  }
  if (statusOnly === true || profiles.length > 0) return;
  throw new FatalError('say which profiles the RA may use: --profiles NAMES', {
    hint: "see those there are with 'gatehouse profile list'; a status gate needs none: --status-only",
  });
}

/** Makes a further join token. */
export async function createJoinToken(name: string, options: TokenOptions): Promise<void> {
  const { tokenLife } = options;
  const life = tokenLife === undefined ? undefined : durationFromMs(durationOf('--token-life', tokenLife));
  await asOperator(options, async ({ administration }) => {
    printToken(name, await administration.createJoinToken({ name, tokenLife: life }), options);
  });
}

function printToken(name: string, { token, expiresAt }: JoinToken, { json }: OperatorOptions): void {
  if (json === true) {
    printJson({ name, token, expiresAt });
    return;
  }
  print(token);
  note(`This join token works once, until ${formatTime(expiresAt)}. On the machine of the gate:`);
  note('  gatehouse ra join --token - --data DIR      # and paste it');
}

/** Lists all RAs. */
export async function listRegistrationAuthorities(options: OperatorOptions): Promise<void> {
  const list = await asOperator(options, ({ administration }) => administration.listRegistrationAuthorities());
  if (options.json === true) {
    printJson(list.map(describe));
    return;
  }
  printTable(
    list,
    [
      ['name', ({ name }) => name],
      ['state', stateOf],
      ['profiles', ({ profiles }) => profiles.join(',') || '-'],
      ['names', ({ scope }) => shorten(formatScope(scope))],
      [
        'max validity',
        ({ maximumValidity }) => (maximumValidity === undefined ? '-' : formatValidity(maximumValidity)),
      ],
      ['rate', ({ ratePerSecond }) => (ratePerSecond === 0 ? '-' : `${ratePerSecond}/s`)],
      ['credential until', ({ credentialExpiresAt }) => formatTime(credentialExpiresAt)],
    ],
    "there is no RA yet; register one with 'gatehouse ra add'",
  );
}

/** Shows one RA. */
export async function showRegistrationAuthority(name: string, options: OperatorOptions): Promise<void> {
  const list = await asOperator(options, ({ administration }) => administration.listRegistrationAuthorities());
  const ra = list.find((one) => one.name === name);
  if (ra === undefined)
    throw new FatalError(`there is no RA ${name}`, { hint: "see who there is: 'gatehouse ra list'" });
  if (options.json === true) {
    printJson(describe(ra));
    return;
  }
  const { scope, maximumValidity, ratePerSecond } = ra;
  print(
    formatFields([
      ['RA', name],
      ['State', stateOf(ra)],
      ['Profiles', ra.profiles.join(', ')],
      ...scopeKinds(scope).map(([kind, entries]) => [`Names (${kind})`, entries.join(', ')] as const),
      ['Maximal validity', maximumValidity === undefined ? undefined : formatValidity(maximumValidity)],
      ['Rate', ratePerSecond === 0 ? undefined : `${ratePerSecond} enrollments a second`],
      ['Registered', formatTime(ra.createdAt)],
      ['Credential until', ra.credentialExpiresAt === undefined ? undefined : formatTime(ra.credentialExpiresAt)],
    ]),
  );
}

/** Shuts an RA out. */
export async function disableRegistrationAuthority(name: string, options: OperatorOptions): Promise<void> {
  const ra = await asOperator(options, ({ administration }) => administration.disableRegistrationAuthority(name));
  if (options.json === true) printJson(describe(ra));
  else
    print(`RA ${name} is shut out; the certificates that it enrolled stay valid ('gatehouse cert list --ra ${name}')`);
}

/** Buys the first credential. */
export async function join(options: JoinOptions): Promise<void> {
  const token = readToken(options);
  // What is no token makes no folder.
  parseJoinToken(token);
  const data = dataDirectory(options.data);
  const folder = options.file === undefined ? joinPath(data.path, 'ra') : dirname(resolve(options.file));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Whose token it is only the core can tell: the file gets its place afterwards.
  const received = joinPath(folder, `.joining-${newRequestId()}.pem`);
  const log = createLog({ name: 'gatehouse', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'silent' });
  const addresses = options.core.length === 0 ? undefined : options.core;
  const { name, notAfter } = await joinWithToken({ token, file: received, log, addresses }).catch(explainRefusal);
  const file = options.file === undefined ? data.registrationAuthorityCredential(name) : resolve(options.file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  renameSync(received, file);
  if (options.json === true) {
    printJson({ name, file, expiresAt: notAfter });
    return;
  }
  print(`joined as RA ${name}: ${file}`);
  note(`The credential ends at ${formatTime(notAfter)}; the gate renews it by itself as long as it runs.`);
}

function explainRefusal(error: unknown): never {
  if (!(error instanceof CoreError) || error.code !== 'unauthorized') throw error;
  throw new FatalError(error.detail, {
    hint: "ask the operator for a new token ('gatehouse ra token NAME'); if nobody of yours used this one, tell them",
    cause: error,
  });
}

function readToken({ token, tokenFile }: JoinOptions): string {
  if (token !== undefined && tokenFile !== undefined) {
    throw new FatalError('--token and --token-file exclude each other');
  }
  if (token !== undefined && token !== '-') return token;
  if (token === '-' || tokenFile !== undefined) return readSecretFile(tokenFile ?? '-');
  throw new FatalError('a join token is needed', {
    hint: "get one with 'gatehouse ra add' and pass it with --token - (standard input), --token-file FILE or --token TOKEN",
  });
}

function describe(ra: RegistrationAuthority): unknown {
  const { maximumValidity, ratePerSecond, ...rest } = ra;
  return {
    ...rest,
    maximumValidity: maximumValidity === undefined ? undefined : formatValidity(maximumValidity),
    ratePerSecond: ratePerSecond === 0 ? undefined : ratePerSecond,
  };
}

function stateOf({ isDisabled, credentialExpiresAt }: RegistrationAuthority): string {
  if (isDisabled) return 'disabled';
  if (credentialExpiresAt === undefined) return 'not joined';
  return credentialExpiresAt > new Date() ? 'active' : 'expired';
}

type Scope = RegistrationAuthority['scope'];

function scopeKinds(scope: Scope): readonly (readonly [kind: string, entries: readonly string[]])[] {
  if (scope === undefined) return [];
  return [
    ['dns', scope.dnsSuffixes],
    ['ip', scope.ipRanges],
    ['uri', scope.uriPrefixes],
    ['email', scope.emailDomains],
    ['subject', scope.subjectAttributes],
  ];
}

function formatScope(scope: Scope): string {
  const given = scopeKinds(scope).filter(([, entries]) => entries.length > 0);
  return given.map(([kind, entries]) => `${kind}:${entries.join(',')}`).join(' ') || '-';
}

function formatValidity(duration: NonNullable<RegistrationAuthority['maximumValidity']>): string {
  return formatDuration(durationToMs(duration));
}
