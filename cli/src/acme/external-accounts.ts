/** What `gatehouse acme eab` does: keys of external accounts (RFC 8555 §7.3.4), with what each allows. */
import { randomBytes } from 'node:crypto';
import {
  type ExternalAccountPolicy,
  externalAccountPolicySchema,
  type NamePatterns,
} from '@gatehouse/gateway-acme/external-account-policy';
import {
  type ExternalAccountKey,
  insertExternalAccountKey,
  listExternalAccountKeys,
  readExternalAccountKey,
  revokeExternalAccountKey,
} from '@gatehouse/gateway-acme/state/external-account-keys';
import { suggestion } from '@gatehouse/runtime/configuration/nearest';
import { FatalError } from '@gatehouse/runtime/fatal';
import { type Column, formatFields, formatTime, note, print, printJson, printTable, shorten } from '../output.ts';
import { timeToCome } from '../times.ts';
import { type AcmeListOptions, type AcmeOptions, type AcmeState, defaultLimit, withAcmeState } from './state.ts';

/** Of `acme eab add`. */
export type AddExternalAccountOptions = AcmeOptions & {
  readonly name: readonly string[];
  readonly suffix: readonly string[];
  readonly ip: readonly string[];
  readonly wildcards?: boolean | undefined;
  readonly profiles: readonly string[];
  readonly preAuthorized?: boolean | undefined;
  readonly singleUse?: boolean | undefined;
  readonly maxAccounts?: number | undefined;
  readonly expires?: string | undefined;
  readonly description: string;
};

/** Of `acme eab list`. */
export type ListExternalAccountsOptions = AcmeListOptions & { readonly after?: string | undefined };

/** Octets of a secret: as many as the longest MAC that needs no more (RFC 7518 §3.2, HS256). */
const secretOctets = 32;

/** Mints a key and prints its secret, which is not shown again. */
export async function addExternalAccount(options: AddExternalAccountOptions): Promise<void> {
  const policy = policyOf(options);
  const expiresAt = options.expires === undefined ? undefined : timeToCome('--expires', options.expires);
  if (options.singleUse === true && (options.maxAccounts ?? 1) > 1) {
    throw new FatalError('--single-use and --max-accounts exclude each other');
  }
  const keyId = randomBytes(10).toString('hex');
  const secret = newSecret();
  await withAcmeState(options, async (state) => {
    checkProfiles(options.profiles, state);
    await state.store.commit([
      insertExternalAccountKey({
        keyId,
        secret,
        description: options.description,
        policy: JSON.stringify(policy),
        isSingleUse: options.singleUse ?? false,
        maximumAccounts: options.maxAccounts,
        createdAt: new Date(),
        expiresAt,
      }),
    ]);
  });
  const text = secret.toString('base64url');
  if (options.json === true) {
    printJson({ keyId, secret: text, expiresAt, policy });
    return;
  }
  print(
    formatFields([
      ['key id', keyId],
      ['secret', text],
    ]),
  );
  note('the secret is not shown again');
  note(`  certbot register --eab-kid ${keyId} --eab-hmac-key SECRET …`);
  if (policy.names === undefined) note('  its accounts may order any name that the gate lets be ordered');
}

const columns: readonly Column<ExternalAccountKey>[] = [
  ['key id', ({ keyId }) => keyId],
  ['state', stateOf],
  [
    'accounts',
    ({ accounts, maximumAccounts, isSingleUse }) => `${accounts}/${isSingleUse ? 1 : (maximumAccounts ?? '∞')}`,
  ],
  ['made', ({ createdAt }) => formatTime(createdAt)],
  ['until', ({ expiresAt }) => formatTime(expiresAt)],
  ['names', (key) => shorten(describeNames(readPolicy(key).names))],
  ['description', ({ description }) => shorten(description) || '-'],
];

/** Lists keys; never a secret. */
export async function listExternalAccounts(options: ListExternalAccountsOptions): Promise<void> {
  const limit = options.limit ?? defaultLimit;
  const found = await withAcmeState(options, ({ store }) =>
    listExternalAccountKeys(store, options.after ?? '', limit + 1),
  );
  const keys = found.slice(0, limit);
  if (options.json === true) printJson(keys.map(describe));
  else printTable(keys, columns, "there is no key; make one with 'gatehouse acme eab add'");
  const last = keys.at(-1);
  if (found.length > limit && last !== undefined) note(`There are more; go on with --after ${last.keyId}.`);
}

/** Shows one key with its policy; never its secret. */
export async function showExternalAccount(keyId: string, options: AcmeOptions): Promise<void> {
  const key = await withAcmeState(options, (state) => keyOf(state, keyId));
  if (options.json === true) {
    printJson(describe(key));
    return;
  }
  const { names, profiles, preAuthorized } = readPolicy(key);
  print(
    formatFields([
      ['key id', key.keyId],
      ['state', stateOf(key)],
      ['description', key.description],
      ['names', describeNames(names)],
      ['profiles', profiles?.join(' ') ?? 'all'],
      ['without challenge', preAuthorized === undefined ? 'none' : describeNames(preAuthorized)],
      ['accounts', String(key.accounts)],
      ['at most', key.isSingleUse ? '1, once' : String(key.maximumAccounts ?? 'any number')],
      ['made', formatTime(key.createdAt)],
      ['until', key.expiresAt === undefined ? undefined : formatTime(key.expiresAt)],
      ['revoked', key.revokedAt === undefined ? undefined : formatTime(key.revokedAt)],
    ]),
  );
}

/** Revokes a key: no account can be made with it, and those that were can order nothing more. */
export async function revokeExternalAccount(keyId: string, options: AcmeOptions): Promise<void> {
  const key = await withAcmeState(options, async (state) => {
    const known = await keyOf(state, keyId);
    const otherwise = () => new FatalError(`the key ${keyId} is revoked already`);
    await state.store.commit([revokeExternalAccountKey(known.keyId, new Date(), otherwise)]);
    return await keyOf(state, keyId);
  });
  if (options.json === true) printJson(describe(key));
  else print(`the key ${keyId} is revoked; its ${key.accounts} accounts can order nothing more`);
}

/** Programs that take it as an argument would read a hyphen at its beginning as an option. */
function newSecret(): Buffer {
  let secret = randomBytes(secretOctets);
  while (secret.toString('base64url').startsWith('-')) secret = randomBytes(secretOctets);
  return secret;
}

function policyOf(options: AddExternalAccountOptions): ExternalAccountPolicy {
  const { name, suffix, ip, wildcards, profiles, preAuthorized } = options;
  const hasNames = name.length + suffix.length + ip.length > 0;
  if (!hasNames && (wildcards === true || preAuthorized === true)) {
    throw new FatalError(`--${wildcards === true ? 'wildcards' : 'pre-authorized'} needs names`, {
      hint: 'give --name, --suffix or --ip',
    });
  }
  const lower = (names: readonly string[]) => names.map((one) => one.toLowerCase());
  const names = { exact: lower(name), suffixes: lower(suffix), wildcards: wildcards ?? false, ipRanges: [...ip] };
  const parsed = externalAccountPolicySchema.safeParse({
    ...(hasNames ? { names } : {}),
    ...(profiles.length === 0 ? {} : { profiles }),
    ...(preAuthorized === true ? { preAuthorized: names } : {}),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [, member, index] = issue?.path ?? [];
  const [option, values] = optionOf(member, options);
  throw new FatalError(`${option}: '${values[Number(index)] ?? ''}' ${issue?.message ?? 'is not in order'}`);
}

/** The option that a part of the policy comes from. */
function optionOf(
  member: PropertyKey | undefined,
  { name, suffix, ip }: AddExternalAccountOptions,
): readonly [option: string, values: readonly string[]] {
  if (member === 'suffixes') return ['--suffix', suffix];
  return member === 'ipRanges' ? ['--ip', ip] : ['--name', name];
}

function checkProfiles(profiles: readonly string[], { configuration }: AcmeState): void {
  const known = Object.keys(configuration.profiles);
  const unknown = profiles.find((profile) => !known.includes(profile));
  if (unknown === undefined) return;
  throw new FatalError(`the gate has no profile '${unknown}'${suggestion(unknown, known)}`, {
    hint: 'profiles are configured under acme.profiles in gatehouse.yaml',
  });
}

async function keyOf({ store }: AcmeState, keyId: string): Promise<ExternalAccountKey> {
  const key = await readExternalAccountKey(store, keyId);
  if (key !== undefined) return key;
  throw new FatalError(`there is no key '${keyId}'`, { hint: "'gatehouse acme eab list' shows those that there are" });
}

function readPolicy({ policy }: ExternalAccountKey): ExternalAccountPolicy {
  return externalAccountPolicySchema.parse(JSON.parse(policy));
}

function describe(key: ExternalAccountKey): unknown {
  const { secret: _secret, ...rest } = key;
  return { ...rest, state: stateOf(key), policy: readPolicy(key) };
}

function describeNames(names: NamePatterns | undefined): string {
  if (names === undefined) return 'all';
  const { exact, suffixes, ipRanges, wildcards } = names;
  const all = [...exact, ...suffixes.map((suffix) => `[*.]${suffix}`), ...ipRanges];
  return `${all.join(' ')}${wildcards ? ' (wildcards)' : ''}`;
}

function stateOf({ revokedAt, expiresAt, isSingleUse, maximumAccounts, accounts }: ExternalAccountKey): string {
  if (revokedAt !== undefined) return 'revoked';
  if (expiresAt !== undefined && expiresAt <= new Date()) return 'expired';
  const most = isSingleUse ? 1 : (maximumAccounts ?? Number.POSITIVE_INFINITY);
  return accounts >= most ? 'spent' : 'active';
}
