// ACME profiles (draft-ietf-acme-profiles) as this gate offers them, each bound to a profile of the keep. What the keep says
// of its profiles is asked for at the start and every minute, and the last answer counts while the keep is away: it tells
// clients what to ask for, and the keep itself judges every certificate anew.

import type { CoreClient, Profile } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { NameKind, type ValidationRules } from '@gatehouse/ra-client/profile';
import type { Logger } from '@gatehouse/runtime/log';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { AcmeConfiguration, ChallengeType, ProfileSettings } from './config.ts';
import { AcmeError } from './errors.ts';
import type { IdentifierRules } from './identifier.ts';
import type { Account } from './state/accounts.ts';

/** A profile that can be ordered now. */
export type AcmeProfile = {
  /** As clients call it. */
  readonly name: string;
  readonly settings: ProfileSettings;
  /** The keep's profile behind it. */
  readonly core: Profile;
  /** How the keep wants names validated; undefined leaves it to this gate, like mode `off`. */
  readonly rules: ValidationRules | undefined;
  /** Challenges that are offered. */
  readonly methods: readonly ChallengeType[];
  readonly identifiers: IdentifierRules;
  /** For how long a valid authorization serves further orders; 0: never. */
  readonly reuseMs: number;
  /** Longest period of a certificate, both ends and the backdating included. */
  readonly maximumValidityMs: number;
};

/** The profiles as they are now. */
export type AcmeProfiles = {
  /** `meta.profiles` of the directory: text for people by name. */
  readonly meta: Readonly<Record<string, string>>;
  /** Issuer Domain Names of all of them, RFC 8659 §4.2. */
  readonly issuerDomainNames: readonly string[];
  /**
   * The profile of a new order; the default one unless `name` is given.
   *
   * @throws {AcmeError} `invalidProfile` when it is unknown, withdrawn or not for this account
   * @throws {CoreError} `unavailable` when the keep was never reached
   */
  pick(name: string | undefined, account: Account): AcmeProfile;
  /**
   * The profile of an order that exists; undefined when it was withdrawn.
   *
   * @throws {CoreError} `unavailable` when the keep was never reached: nobody knows what was withdrawn
   */
  find(name: string): AcmeProfile | undefined;
  /** Resolves when the keep was reached for the first time. */
  readonly known: Promise<void>;
  /** Asks the keep now. Never fails: what was known before stays. */
  refresh(): Promise<void>;
  /** Why orders cannot be taken. */
  readiness(): readonly ReadinessProblem[];
  close(): void;
};

/** What {@link createProfiles} takes. */
export type AcmeProfilesOptions = {
  readonly configuration: Pick<AcmeConfiguration, 'profiles' | 'defaultProfile' | 'blockedNames'>;
  readonly core: Pick<CoreClient, 'listProfiles'>;
  readonly log: Logger;
  /** Whether valid authorizations serve further orders, asked for each order; they do unless told. */
  readonly reusesAuthorizations?: (() => boolean) | undefined;
};

const refreshMs = 60_000;
/** While there is nothing to offer yet. */
const retryMs = 1_000;

/** Offered unless a profile says which; the others are by choice, since some clients stumble over what they do not know. */
const usualMethods: readonly ChallengeType[] = ['http-01', 'dns-01', 'tls-alpn-01'];

/** Makes the profiles and goes on refreshing them until they are closed. Call `refresh` before the first use. */
export function createProfiles(options: AcmeProfilesOptions): AcmeProfiles {
  const { configuration, core, log } = options;
  const names = Object.keys(configuration.profiles);
  const defaultName = configuration.defaultProfile ?? names[0] ?? '';
  let offered: ReadonlyMap<string, AcmeProfile> | undefined;
  let meta: Readonly<Record<string, string>> = {};
  let issuerDomainNames: readonly string[] = [];
  let lastComplaint = '';
  let lastPersistenceComplaint = '';
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const { promise: known, resolve: becomeKnown } = Promise.withResolvers<void>();

  const take = (profiles: readonly Profile[]): void => {
    const byName = new Map(profiles.map((profile) => [profile.name, profile]));
    const bound = names.flatMap((name) => bindProfile(name, byName, options));
    offered = new Map(bound.map((profile) => [profile.name, profile]));
    meta = Object.fromEntries(bound.map(({ name, settings }) => [name, settings.description]));
    issuerDomainNames = [...new Set(bound.flatMap(({ rules }) => rules?.issuerDomainNames ?? []))];
    const missing = names.filter((name) => offered?.has(name) !== true);
    const complaint = missing.map((name) => `${name} (${configuration.profiles[name]?.profile})`).join(', ');
    if (complaint !== lastComplaint && complaint !== '') {
      log.error({ profiles: missing }, `the core does not let this gate use the profiles of: ${complaint}`);
    }
    lastComplaint = complaint;
    complainOfPersistence(bound);
    becomeKnown();
  };
  const complainOfPersistence = (bound: readonly AcmeProfile[]): void => {
    const useless = bound.filter((profile) => wantsPersistence(profile.settings) && !countsPersistence(profile));
    const complaint = useless.map(({ name, core }) => `${name} (${core.name})`).join(', ');
    if (complaint !== lastPersistenceComplaint && complaint !== '') {
      const detail = "their profile in the core must say 'validation: { …, dnsPersist: draft-01 }'";
      log.error(`dns-persist-01 in the form of draft-01 is not offered by: ${complaint}; ${detail}`);
    }
    lastPersistenceComplaint = complaint;
  };
  const current = (): ReadonlyMap<string, AcmeProfile> => {
    if (offered !== undefined) return offered;
    throw new CoreError('unavailable', 'the profiles of the CA core are not known yet', { retryAfterSeconds: 1 });
  };

  const refresh = async (): Promise<void> => {
    try {
      take(await core.listProfiles());
    } catch (error) {
      log.warn({ err: error }, 'the profiles of the core could not be read');
    }
  };
  const schedule = (): void => {
    if (isClosed) return;
    timer = setTimeout(() => void refresh().finally(schedule), offered === undefined ? retryMs : refreshMs);
    timer.unref();
  };
  schedule();

  return {
    get meta() {
      return meta;
    },
    get issuerDomainNames() {
      return issuerDomainNames;
    },
    pick: (name = defaultName, account) => {
      const profiles = current();
      const profile = profiles.get(name);
      if (profile !== undefined && isFor(profile.settings, account)) return profile;
      const usable = [...profiles.values()].filter(({ settings }) => isFor(settings, account));
      throw new AcmeError(
        'invalidProfile',
        `there is no profile '${name.slice(0, 64)}' for this account; there are: ${usable.map((one) => one.name).join(', ') || 'none'}`,
      );
    },
    find: (name) => current().get(name),
    known,
    refresh,
    readiness: () => {
      if (offered === undefined) return [{ check: 'profiles', detail: 'the profiles of the core are not known yet' }];
      return offered.size > 0
        ? []
        : [{ check: 'profiles', detail: 'the core lets this gate use none of the configured profiles' }];
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** BR §7.1.2.7: notBefore lies within 48 hours of the signature. */
const farthestBeginningMs = 48 * 3_600_000;

/** The keep counts from a backdated notBefore where nobody asks for another one; how far is its own matter. */
const mostBackdatingMs = 3_600_000;

/**
 * Judges the `notBefore` and `notAfter` of a new order, RFC 8555 §7.4: they are granted exactly or refused. The keep judges
 * them again when it signs.
 *
 * @throws {AcmeError} `malformed` that names the range
 */
export function checkPeriod(
  profile: Pick<AcmeProfile, 'name' | 'maximumValidityMs' | 'core'>,
  { notBefore, notAfter }: { readonly notBefore?: Date | undefined; readonly notAfter?: Date | undefined },
  now: Date,
): void {
  const refuse = (detail: string) => new AcmeError('malformed', detail);
  const text = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000', '');
  for (const [member, time] of Object.entries({ notBefore, notAfter })) {
    if (time !== undefined && time.getTime() % 1000 !== 0) throw refuse(`${member} must be a whole second`);
  }
  const [earliest, latest] = [now.getTime() - farthestBeginningMs, now.getTime() + farthestBeginningMs];
  const from = notBefore?.getTime() ?? now.getTime();
  if (from < earliest || from > latest) {
    throw refuse(`notBefore must lie between ${text(earliest)} and ${text(latest)}`);
  }
  const end = notAfter?.getTime();
  if (end === undefined) return;
  if (end <= from) throw refuse(`notAfter must come after ${notBefore === undefined ? 'now' : 'notBefore'}`);
  const backdatedMs = notBefore === undefined ? mostBackdatingMs : 0;
  const last = from - backdatedMs + profile.maximumValidityMs - 1000;
  if (end > last) throw refuse(`notAfter must be at the latest ${text(last)} in profile ${profile.name}`);
}

function bindProfile(
  name: string,
  profiles: ReadonlyMap<string, Profile>,
  { configuration, reusesAuthorizations }: AcmeProfilesOptions,
): readonly AcmeProfile[] {
  const settings = configuration.profiles[name];
  const core = settings === undefined ? undefined : profiles.get(settings.profile);
  if (settings === undefined || core === undefined) return [];
  const rules = core.validation;
  const allowed = rules === undefined || rules.methods.length === 0 ? undefined : new Set(rules.methods);
  const reuse = rules?.reuse === undefined ? Number.POSITIVE_INFINITY : rules.reuse.seconds * 1000;
  return [
    {
      name,
      settings,
      core,
      rules,
      methods: (settings.methods ?? usualMethods).filter(
        (method) =>
          allowed?.has(method) !== false && (method !== 'dns-persist-01' || countsPersistence({ settings, rules })),
      ),
      identifiers: {
        allowsDns: core.allowedNames.includes(NameKind.NAME_KIND_DNS),
        allowsIp: core.allowedNames.includes(NameKind.NAME_KIND_IP),
        allowsWildcards: core.allowsWildcards,
        allowsInternalNames: settings.allowsInternalNames,
        // BR §4.2.2.
        refusesReverseNames: rules?.policy === 'public-br',
        blockedNames: configuration.blockedNames,
      },
      get reuseMs() {
        return reusesAuthorizations?.() === false ? 0 : Math.min(settings.authorizationReuse, reuse);
      },
      maximumValidityMs: (core.maximumValidity?.seconds ?? core.defaultValidity?.seconds ?? 0) * 1000,
    },
  ];
}

function wantsPersistence({ methods }: ProfileSettings): boolean {
  return methods?.includes('dns-persist-01') === true;
}

// What the keep would refuse at the end is not offered at the beginning: records of draft-01 count only where it is told so.
function countsPersistence({ settings, rules }: Pick<AcmeProfile, 'settings' | 'rules'>): boolean {
  return settings.dnsPersist === 'draft-02' || rules?.mode !== 'enforce' || rules.dnsPersist === 'draft-01';
}

/** By the id of the account, or by the key id of its external account. */
function isFor({ accounts }: ProfileSettings, { id, externalAccount }: Account): boolean {
  if (accounts === undefined) return true;
  return accounts.includes(id) || (externalAccount !== undefined && accounts.includes(externalAccount));
}
