// The living view of who may call and what each RA may ask for: read from the store at start, changed only together
// with it.
// Every call asks here first, so nothing here waits for the database; a change counts for the next call.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import { type CompiledScope, compileScope } from '../enrollment/name-scope.ts';
import { findCertificate } from '../store/certificates.ts';
import type { Store } from '../store/open-store.ts';
import { disableOperator, insertOperator, listOperators } from '../store/operators.ts';
import {
  disableRegistrationAuthority,
  insertRegistrationAuthority,
  listRegistrationAuthorities,
  type NewRegistrationAuthority,
  type StoredRegistrationAuthority,
} from '../store/registration-authorities.ts';
import { listRevokedCredentials } from '../store/revocations.ts';
import type { WriteSet } from '../store/write-set.ts';
import { type Caller, callerNameForm } from './caller.ts';
import { createPerspectiveView, type PerspectiveRegistry } from './perspectives.ts';

/** A registration authority, ready to judge by. */
export type RegistrationAuthority = Omit<StoredRegistrationAuthority, 'profiles' | 'scope'> & {
  /** Names of the profiles that it may use. */
  readonly profiles: ReadonlySet<string>;
  readonly scope: CompiledScope;
  /** The scope as it was registered. */
  readonly declaredScope: NewRegistrationAuthority['scope'];
  /** Nothing when it has no limit. */
  readonly limiter: RateLimiter | undefined;
};

/** Who may call, and whose statements count. */
export type Registry = PerspectiveRegistry & {
  /**
   * The RA with this name. Throws CoreError `unauthorized` when it is unknown or disabled: for judging what it asks.
   */
  registrationAuthority(name: string): RegistrationAuthority;
  /** The RA with this name, also a disabled one. */
  findRegistrationAuthority(name: string): RegistrationAuthority | undefined;
  /** All RAs by name. */
  listRegistrationAuthorities(): readonly RegistrationAuthority[];
  /**
   * Registers an RA, together with `also` (a join token for it).
   *
   * @param actor URI of the operator
   * @throws {CoreError} `malformed` for a name or rate that is none, `conflict` when the name is taken, `unavailable`
   */
  addRegistrationAuthority(
    ra: NewRegistrationAuthority,
    actor: string,
    also?: WriteSet,
  ): Promise<RegistrationAuthority>;
  /** Shuts an RA out. Throws CoreError `not-found`, `unavailable`. */
  disableRegistrationAuthority(name: string, actor: string): Promise<RegistrationAuthority>;
  /** Makes an operator known. Throws CoreError `malformed`, `conflict`, `unavailable`. */
  addOperator(name: string, actor: string): Promise<void>;
  /** Shuts an operator out. Throws CoreError `not-found`, `unavailable`. */
  disableOperator(name: string, actor: string): Promise<void>;
  /** Refuses a caller that is unknown or disabled, or whose credential was revoked. Throws CoreError `unauthorized`. */
  admitCall(caller: Caller): void;
  /**
   * Counts one enrollment against the RA's rate. Throws CoreError `rate-limited` with the time after which to try
   * again.
   */
  admitEnrollment(ra: RegistrationAuthority): void;
  /**
   * A certificate was revoked, held or released: if it is a credential, the next call of its holder is judged by that.
   * Throws CoreError `unavailable`.
   */
  statusChanged(serialNumber: string): void;
  /**
   * Reads everything from the store again: after a set that changed an RA, a perspective, a key or an operator. Throws CoreError
   * `unavailable`.
   */
  reload(): void;
};

/** Creates the registry from what is stored. Throws CoreError `unavailable` when it cannot be read. */
export function createRegistry(store: Store, clock: Clock): Registry {
  let registrationAuthorities: ReadonlyMap<string, RegistrationAuthority> = new Map();
  let activeOperators: ReadonlySet<string> = new Set();
  let revokedCredentials = new Set<string>();
  const perspectives = createPerspectiveView(store, clock, change);

  function reload(): void {
    const known = registrationAuthorities;
    registrationAuthorities = new Map(
      listRegistrationAuthorities(store).map((stored) => [stored.name, compile(stored, known.get(stored.name), clock)]),
    );
    activeOperators = new Set(listOperators(store).flatMap(({ name, isDisabled }) => (isDisabled ? [] : [name])));
    revokedCredentials = new Set(listRevokedCredentials(store, clock.now()));
    perspectives.reload();
  }

  async function change(set: WriteSet, also: WriteSet = { operations: [], events: [] }): Promise<void> {
    await store.commit({
      operations: [...set.operations, ...also.operations],
      events: [...set.events, ...also.events],
    });
    reload();
  }

  function stored(name: string): RegistrationAuthority {
    const ra = registrationAuthorities.get(name);
    if (ra === undefined) throw new CoreError('not-found', `there is no RA ${name}`);
    return ra;
  }

  reload();
  return {
    ...perspectives,
    registrationAuthority: (name) => {
      const ra = registrationAuthorities.get(name);
      if (ra === undefined) throw new CoreError('unauthorized', `RA ${name} is not registered`);
      if (ra.isDisabled) throw new CoreError('unauthorized', `RA ${name} is disabled`);
      return ra;
    },
    findRegistrationAuthority: (name) => registrationAuthorities.get(name),
    listRegistrationAuthorities: () => [...registrationAuthorities.values()],
    addRegistrationAuthority: async (ra, actor, also) => {
      checkRegistrationAuthority(ra);
      const { name, profiles, scope, maximumValidityMs, ratePerSecond } = ra;
      const body = { profiles, scope, maximumValidityMs, ratePerSecond };
      const event = { action: 'ra-added', actor, registrationAuthority: name, outcome: 'success', body } as const;
      await change({ operations: [insertRegistrationAuthority(ra)], events: [event] }, also);
      return stored(name);
    },
    disableRegistrationAuthority: async (name, actor) => {
      const event = { action: 'ra-disabled', actor, registrationAuthority: name, outcome: 'success' } as const;
      await change({ operations: [disableRegistrationAuthority(name)], events: [event] });
      return stored(name);
    },
    addOperator: async (name, actor) => {
      checkName(name);
      const event = { action: 'operator-added', actor, outcome: 'success', body: { operator: name } } as const;
      await change({ operations: [insertOperator(name, clock.now())], events: [event] });
    },
    disableOperator: async (name, actor) => {
      const event = { action: 'operator-disabled', actor, outcome: 'success', body: { operator: name } } as const;
      await change({ operations: [disableOperator(name)], events: [event] });
    },
    admitCall: (caller) => {
      if (revokedCredentials.has(caller.serialNumber)) {
        throw new CoreError('unauthorized', `the credential ${caller.serialNumber} was revoked`);
      }
      if (caller.kind === 'operator' && !activeOperators.has(caller.name)) {
        throw new CoreError('unauthorized', `operator ${caller.name} is unknown or disabled`);
      }
      if (caller.kind === 'perspective') perspectives.perspective(caller.name);
      if (caller.kind !== 'gate') return;
      const ra = registrationAuthorities.get(caller.name);
      if (ra === undefined || ra.isDisabled) {
        throw new CoreError('unauthorized', `RA ${caller.name} is unknown or disabled`);
      }
    },
    admitEnrollment: ({ name, limiter }) => {
      const decision = limiter?.take(name);
      if (decision === undefined || decision.ok) return;
      const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000);
      throw new CoreError('rate-limited', `RA ${name} enrolls faster than it may`, { retryAfterSeconds });
    },
    statusChanged: (serialNumber) => {
      const certificate = findCertificate(store, serialNumber);
      if (certificate?.authority !== 'service') return;
      if (certificate.revocation === undefined) revokedCredentials.delete(serialNumber);
      else revokedCredentials.add(serialNumber);
    },
    reload,
  };
}

function checkRegistrationAuthority(ra: NewRegistrationAuthority): void {
  checkName(ra.name);
  if (!Number.isFinite(ra.ratePerSecond) || ra.ratePerSecond < 0) {
    throw new CoreError('malformed', 'the rate must be a number of enrollments per second, or 0 for no limit');
  }
  if (ra.maximumValidityMs !== undefined && !(Number.isSafeInteger(ra.maximumValidityMs) && ra.maximumValidityMs > 0)) {
    throw new CoreError('malformed', 'the maximum validity must be longer than nothing');
  }
  // Refuses entries that could never match.
  const { boundProfiles } = compileScope(ra.scope);
  const stray = boundProfiles.difference(new Set(ra.profiles)).values().next().value;
  if (stray !== undefined) {
    throw new CoreError('malformed', `scope: there are names for profile ${stray}, which the RA may not use`);
  }
}

function checkName(name: string): void {
  if (callerNameForm.test(name)) return;
  throw new CoreError('malformed', 'a name must be 1 to 63 lower-case letters, digits and inner hyphens');
}

function compile(
  stored: StoredRegistrationAuthority,
  known: RegistrationAuthority | undefined,
  clock: Clock,
): RegistrationAuthority {
  const { ratePerSecond } = stored;
  // What was taken before the reload still counts.
  const limiter = known?.ratePerSecond === ratePerSecond ? known.limiter : createLimiter(ratePerSecond, clock);
  return {
    ...stored,
    profiles: new Set(stored.profiles),
    scope: compileScope(stored.scope),
    declaredScope: stored.scope,
    limiter,
  };
}

function createLimiter(ratePerSecond: number, clock: Clock): RateLimiter | undefined {
  if (ratePerSecond === 0) return undefined;
  // One second's worth at once: devices do not come evenly.
  return new RateLimiter({ ratePerSecond, burst: Math.max(1, ratePerSecond), clock, maximumKeys: 1 });
}
