/** What `gatehouse ra` does, but for joining. */
import { durationFromMs, durationToMs } from '@gatehouse/proto/duration';
import type { RegistrationAuthority } from '@gatehouse/ra-client/administration';
import { formatDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { printToken, type TokenOptions, tokenLifeOf } from './join.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { type NameOptions, toNamePatterns } from './options.ts';
import { formatFields, formatTime, print, printJson, printTable, shorten } from './output.ts';
import { durationOf } from './times.ts';

/** Of `ra add`. */
export type AddOptions = TokenOptions &
  NameOptions & {
    readonly profiles: readonly string[];
    readonly statusOnly?: boolean | undefined;
    readonly maxValidity?: string | undefined;
    readonly rate?: number | undefined;
  };

/** Registers an RA. */
export async function addRegistrationAuthority(name: string, options: AddOptions): Promise<void> {
  const { profiles, maxValidity } = options;
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
    tokenLife: tokenLifeOf(options),
  };
  await asOperator(options, async ({ administration }) => {
    printToken('ra', name, await administration.addRegistrationAuthority(request), options);
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
  const tokenLife = tokenLifeOf(options);
  await asOperator(options, async ({ administration }) => {
    printToken('ra', name, await administration.createJoinToken({ name, tokenLife }), options);
  });
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
