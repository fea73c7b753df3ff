// What the operations of this gate know of validation: an authorization is validated, and before issuance what was signed
// about it is handed out fresh. Results are statements that the keep judges; who is asked, and how, stands in checks.ts.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StateStore } from '@gatehouse/runtime/database/state-store';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import { AcmeError } from '../errors.ts';
import type { Problem } from '../problem.ts';
import type { AcmeProfile, AcmeProfiles } from '../profiles.ts';
import { type Account, readAccount, readAccountKeys } from '../state/accounts.ts';
import type { Authorization } from '../state/authorizations.ts';
import { putStatements, readStatements, type StatementSet } from '../state/statements.ts';
import type { ValidationSubject } from './check.ts';
import { type Checks, caaDemand } from './checks.ts';
import type { PassedCheck } from './one-check.ts';

/** What came of a validation. */
export type ValidationOutcome =
  | {
      readonly kind: 'passed';
      readonly statements: readonly StatementSet[];
      /** Until when the authorization holds. */
      readonly expiresAt: Date;
    }
  | {
      readonly kind: 'failed';
      readonly problem: Problem;
      /** Our part of the network did not work: it may be tried again. */
      readonly isOurFault: boolean;
    };

/** Validation, as the operations see it. */
export type Validation = {
  /** Validates the challenge of an authorization that was attempted. Fails only when the state cannot be read. */
  validate(authorization: Authorization): Promise<ValidationOutcome>;
  /**
   * What was signed about a valid authorization, for the keep: control of the name, and permission to issue, which is
   * looked for once more when it is older than 7 hours (RFC 8659 §3 with BR §3.2.2.8: 8 hours). None for a name that an
   * external account authorised beforehand.
   *
   * @throws {AcmeError} when the authorization does not hold any more, or issuance is not permitted now
   * @throws {CoreError} `unavailable` when permission could not be looked for: try again
   */
  freshStatements(authorization: Authorization): Promise<readonly string[]>;
  /** Profiles whose names cannot be validated now. The gate serves the others. */
  readiness(): readonly ReadinessProblem[];
  /** Ends all connections. */
  close(): Promise<void>;
};

/** What {@link createValidation} takes. */
export type ValidationOptions = {
  readonly checks: Checks;
  readonly store: StateStore;
  readonly profiles: Pick<AcmeProfiles, 'find' | 'known' | 'meta'>;
  readonly clock: Clock;
  /** An authorization holds at least until its order ends, as far as the keep lets it. */
  readonly orderLifeMs: number;
};

const hourMs = 3_600_000;

/** BR §3.2.2.8: issuance follows within 8 hours of the check; one of them is left for waiting. */
const caaAgeMs = 7 * hourMs;

/** Where the keep sets no bound. */
const usualReuseMs = 30 * 24 * hourMs;

/** BR §3.2.2.4.22: a persistent record is looked at again after 10 days. */
const publicPersistMs = 10 * 24 * hourMs;

/** Perspectives take so many beside the present key; the newest ones count. */
const mostFormerKeys = 31;

/** Makes it. */
export function createValidation({ checks, store, profiles, clock, orderLifeMs }: ValidationOptions): Validation {
  const profileOf = (authorization: Authorization): AcmeProfile => {
    const profile = profiles.find(authorization.profile);
    if (profile === undefined) {
      throw new AcmeError('invalidProfile', `the profile '${authorization.profile}' is not offered any more`);
    }
    return profile;
  };
  const accountOf = async ({ accountId }: Authorization): Promise<Account> => {
    const account = await readAccount(store, accountId);
    if (account === undefined || account.status !== 'valid') {
      throw new AcmeError('unauthorized', 'the account is deactivated', { status: 401 });
    }
    return account;
  };
  const subjectOf = async (authorization: Authorization, profile: AcmeProfile): Promise<ValidationSubject> => {
    const { method, thumbprint } = authorization;
    if (method === undefined || thumbprint === undefined)
      throw new Error('no challenge of this authorization was attempted');
    const account = await accountOf(authorization);
    const former =
      method === 'dns-persist-01'
        ? (await readAccountKeys(store, account.id)).map((key) => key.thumbprint).filter((one) => one !== thumbprint)
        : [];
    return {
      orderId: authorization.orderId ?? '',
      authorizationId: authorization.id,
      identifier: authorization.identifier,
      method,
      token: authorization.token,
      thumbprints: [thumbprint, ...former.slice(0, mostFormerKeys)],
      accountUrl: account.url,
      variant: profile.settings.dnsPersist,
    };
  };

  const recheckCaa = async (authorization: Authorization, rules: ValidationRules): Promise<StatementSet> => {
    const outcome = await checks.checkCaa(await subjectOf(authorization, profileOf(authorization)), rules);
    if (outcome.kind === 'failed') {
      const { type, detail } = outcome.problem;
      if (outcome.isOurFault)
        throw new CoreError('unavailable', `permission to issue could not be looked for: ${detail}`);
      throw new AcmeError(type, detail, {
        subproblems: [{ type, detail, identifier: shownIdentifier(authorization) }],
      });
    }
    const set = toSet('caa', outcome, caaAgeMs);
    await store.commit([putStatements(authorization.id, set)]);
    return set;
  };

  return {
    validate: async (authorization) => {
      // A gate that starts while the keep is away finds validations to go on with; by which rules, only the keep knows.
      await profiles.known;
      try {
        const profile = profileOf(authorization);
        const { rules } = profile;
        const outcome = await checks.validate(await subjectOf(authorization, profile), rules);
        if (outcome.kind === 'failed') return outcome;
        const lifeMs = validityMs(profile, authorization, orderLifeMs);
        const until = Math.min(
          outcome.dcv.madeAt.getTime() + lifeMs,
          outcome.dcv.persistUntil?.getTime() ?? Number.POSITIVE_INFINITY,
        );
        const control = toSet('dcv', outcome.dcv, until - outcome.dcv.madeAt.getTime());
        const permission = outcome.caa === undefined ? [] : [toSet('caa', outcome.caa, caaAgeMs)];
        return { kind: 'passed', statements: [control, ...permission], expiresAt: wholeSecond(until) };
      } catch (error) {
        if (!(error instanceof AcmeError)) throw error;
        return { kind: 'failed', problem: error.problem, isOurFault: false };
      }
    },
    freshStatements: async (authorization) => {
      const now = clock.now();
      if (authorization.status !== 'valid' || authorization.expiresAt <= now) {
        const { value } = shownIdentifier(authorization);
        throw new AcmeError(
          'unauthorized',
          `the authorization for ${value} does not hold any more; make another order`,
        );
      }
      if (authorization.externalAccount !== undefined) return [];
      const { dcv, caa } = (await readStatements(store, [authorization.id])).get(authorization.id) ?? {};
      if (dcv === undefined) throw new Error(`nothing was signed about the valid authorization ${authorization.id}`);
      const { rules } = profileOf(authorization);
      const demand = caaDemand(authorization, rules);
      // Where it depends on the zone, the validation found out whether it is signed.
      if (rules === undefined || demand === 'off' || (demand === 'where-signed' && caa === undefined)) {
        return dcv.statements;
      }
      const permission = caa === undefined || caa.goodUntil <= now ? await recheckCaa(authorization, rules) : caa;
      return [...dcv.statements, ...permission.statements];
    },
    readiness: () =>
      Object.keys(profiles.meta).flatMap((name) => {
        const rules = profiles.find(name)?.rules;
        const shortage = rules === undefined ? undefined : checks.shortage(rules);
        return shortage === undefined
          ? []
          : [{ check: 'perspectives', detail: `profile ${name}: ${shortage}`, isTolerable: true }];
      }),
    close: () => checks.close(),
  };
}

// The keep lets a validation be used for so long, counted from each of its statements.
function validityMs({ rules, reuseMs }: AcmeProfile, { method }: Authorization, orderLifeMs: number): number {
  const most = rules?.reuse === undefined ? usualReuseMs : rules.reuse.seconds * 1000;
  const bound = rules?.policy === 'public-br' && method === 'dns-persist-01' ? Math.min(most, publicPersistMs) : most;
  return Math.min(bound, Math.max(reuseMs, orderLifeMs));
}

function toSet(
  check: StatementSet['check'],
  { attempt, statements, madeAt }: PassedCheck,
  goodMs: number,
): StatementSet {
  return { check, attempt, statements, checkedAt: madeAt, goodUntil: new Date(madeAt.getTime() + goodMs) };
}

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

function shownIdentifier({ identifier }: Authorization): { readonly type: string; readonly value: string } {
  return { type: identifier.type, value: identifier.isWildcard ? `*.${identifier.value}` : identifier.value };
}
