// The life of the keys of statements: registered with the keep before anything counts, replaced in good time with an
// overlap, registered again with a keep that does not know them (one that was restored), made anew when an operator revoked
// them. What was signed with a former key stays good; it is retired when nobody can be waiting for its statements.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { DomainValidationClient, SigningKey } from '@gatehouse/ra-client/domain-validation';
import type { Party } from '@gatehouse/ra-client/identity';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import {
  newStatementKey,
  openSigningKeyFile,
  type Registration,
  type SigningKeyState,
  type StatementKey,
  saveSigningKeyFile,
} from './signing-key-file.ts';
import { signKeyProof } from './statement.ts';

/** What {@link openSigningKeys} takes. */
export type SigningKeysOptions = {
  /** Made when it is not there. */
  readonly file: string;
  /** Whose keys they are: a perspective, or the gate that it is inside of. */
  readonly holder: Party;
  /** `host:port` where gates reach the perspective; empty in a gate. */
  readonly address: string;
  readonly build: string;
  /** How long a key is used, milliseconds. */
  readonly keyLife: number;
  readonly core: DomainValidationClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often the registry is asked whether all is well; a minute unless told. */
  readonly intervalMs?: number | undefined;
};

/** A key that is registered, and the labels of its holder. */
export type Signer = StatementKey & Pick<Registration, 'site' | 'rir'>;

/** The keys of one holder. */
export type SigningKeys = {
  /** What to sign with. Waits for the first registration. @throws {CoreError} `unavailable` when it does not come in time */
  signer(deadline: Date): Promise<Signer>;
  /** The key that is used, and what the registry said about it last. */
  current(): StatementKey & { readonly registration: Registration | undefined };
  /** Why statements do not count now, or may not count for long; undefined when they do as far as is known. */
  problem(): ReadinessProblem | undefined;
  /** Registers, replaces and retires what is due. Called by itself; never rejects. */
  maintain(): Promise<void>;
  close(): void;
};

/** Attempts and their evidence are over long before. */
const overlapMs = 3_600_000;
const firstPauseMs = 500;

/** Opens the file and begins to register. @throws {FatalError} when the file cannot be used */
export function openSigningKeys(options: SigningKeysOptions): SigningKeys {
  const { file, holder, address, build, keyLife, core, clock, log, intervalMs = 60_000 } = options;
  let state = openSigningKeyFile(file);
  let problem: { readonly detail: string; readonly isTolerable: boolean } | undefined;
  let failures = 0;
  let maintaining: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const registered = Promise.withResolvers<void>();
  if (state.registration !== undefined) registered.resolve();

  const save = (changed: SigningKeyState): void => {
    saveSigningKeyFile(file, changed);
    state = changed;
  };

  const register = (key: StatementKey): Promise<SigningKey> =>
    core.registerSigningKey({ proof: signKeyProof(holder.uri, key.key, clock.now()), address, build });

  const registerCurrent = async (): Promise<SigningKey> => {
    try {
      return await register(state.current);
    } catch (error) {
      if (!isOver(error, state)) throw error;
      log.warn(
        { keyId: state.current.keyId, reason: error.detail },
        'the key of statements is over; a new one is made',
      );
      save({ current: newStatementKey(), former: state.former });
      return await register(state.current);
    }
  };

  const keepRegistered = async (): Promise<Registration> => {
    const { keyId, activeFrom } = await registerCurrent();
    if (keyId !== state.current.keyId || activeFrom === undefined) {
      throw new CoreError('internal', 'the CA core registered another key than the one that was proven');
    }
    const known = state.registration;
    const registration = { activeFrom, ...(await findLabels(core, holder)) };
    const isNews = known?.site !== registration.site || known.rir !== registration.rir;
    if (!isNews && known.activeFrom.getTime() === activeFrom.getTime()) return registration;
    save({ ...state, registration });
    log.info({ keyId, site: registration.site, rir: registration.rir }, 'the key of statements is registered');
    return registration;
  };

  const rollOver = async (registration: Registration): Promise<void> => {
    // Kept before it is registered: a process that stops in between goes on with it instead of leaving it behind.
    const next = state.next ?? newStatementKey();
    if (state.next === undefined) save({ ...state, next });
    const { activeFrom = clock.now() } = await register(next);
    const former = [...state.former, state.current.keyId];
    log.info({ keyId: next.keyId, former: state.current.keyId }, 'a new key of statements takes over');
    save({ current: next, registration: { ...registration, activeFrom }, former });
  };

  const retireFormer = async (): Promise<void> => {
    for (const keyId of state.former) {
      await core.retireSigningKey(keyId).catch((error: unknown) => {
        // A keep that was restored does not know it: then it counts for nothing anyway.
        if (!(error instanceof CoreError) || error.code !== 'not-found') throw error;
      });
      save({ ...state, former: state.former.filter((one) => one !== keyId) });
      log.info({ keyId }, 'a former key of statements is retired');
    }
  };

  const maintainOnce = async (): Promise<void> => {
    const registration = await keepRegistered();
    registered.resolve();
    const age = clock.now().getTime() - registration.activeFrom.getTime();
    if (age >= keyLife) await rollOver(registration);
    else if (age >= overlapMs) await retireFormer();
  };

  const note = (error: unknown): void => {
    const detail = error instanceof CoreError ? error.detail : error instanceof Error ? error.message : String(error);
    // One line for each cause, not one for each minute.
    if (detail !== problem?.detail) {
      log.warn({ err: error, keyId: state.current.keyId }, 'the key of statements could not be kept registered');
    }
    // While the keep is away, nothing that it knows changes.
    const isAway = error instanceof CoreError && error.code === 'unavailable';
    problem = { detail, isTolerable: isAway && state.registration !== undefined };
    failures++;
  };

  const schedule = (): void => {
    if (isClosed) return;
    const pauseMs = failures === 0 ? intervalMs : Math.min(intervalMs, firstPauseMs * 2 ** Math.min(failures - 1, 10));
    timer = setTimeout(maintain, pauseMs * (0.75 + Math.random() / 2));
    timer.unref();
  };

  const maintain = (): Promise<void> => {
    clearTimeout(timer);
    maintaining ??= maintainOnce()
      .then(() => {
        problem = undefined;
        failures = 0;
      }, note)
      .finally(() => {
        maintaining = undefined;
        schedule();
      });
    return maintaining;
  };
  maintain();

  return {
    signer: async (deadline) => {
      if (state.registration === undefined)
        await within(registered.promise, deadline.getTime() - clock.now().getTime());
      const { current, registration } = state;
      if (registration === undefined) {
        const why = problem === undefined ? '' : `: ${problem.detail}`;
        throw new CoreError('unavailable', `the key of statements is not registered${why}`);
      }
      return { ...current, site: registration.site, rir: registration.rir };
    },
    current: () => ({ ...state.current, registration: state.registration }),
    problem: () => {
      if (problem !== undefined) return { check: 'signing-key', ...problem };
      if (state.registration !== undefined) return undefined;
      return { check: 'signing-key', detail: 'the key of statements is not registered yet' };
    },
    maintain,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Whether this key can never be used again: revoked or retired, or somebody else's. */
function isOver(error: unknown, { registration }: SigningKeyState): error is CoreError {
  if (!(error instanceof CoreError)) return false;
  // A fresh key that conflicts is one too many, and another one would be as well.
  return error.code === 'bad-key' || (error.code === 'conflict' && registration !== undefined);
}

/** The labels that the operator gave the perspective; those of a gate are empty. */
async function findLabels(core: DomainValidationClient, holder: Party): Promise<Pick<Registration, 'site' | 'rir'>> {
  if (holder.kind !== 'perspective') return { site: '', rir: '' };
  const own = (await core.listPerspectives()).find(({ name }) => name === holder.name);
  if (own === undefined) throw new CoreError('not-found', `the CA core does not list the perspective ${holder.name}`);
  return { site: own.site, rir: own.rir };
}

async function within(promise: Promise<void>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, ms));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
