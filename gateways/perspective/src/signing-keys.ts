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

/** What {@link SigningKeys} takes. */
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

/** Attempts and their evidence are over long before. */
const overlapMs = 3_600_000;
const firstPauseMs = 500;

/** The keys of one holder. */
export class SigningKeys {
  readonly #options: SigningKeysOptions;
  readonly #intervalMs: number;
  readonly #registered = Promise.withResolvers<void>();
  #state: SigningKeyState;
  #problem: { readonly detail: string; readonly isTolerable: boolean } | undefined;
  #failures = 0;
  #maintaining: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Opens the file and begins to register. @throws {FatalError} when the file cannot be used */
  constructor(options: SigningKeysOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 60_000;
    this.#state = openSigningKeyFile(options.file);
    this.maintain();
  }

  /** The key that is used, and what the registry said about it last. */
  get current(): StatementKey & { readonly registration: Registration | undefined } {
    return { ...this.#state.current, registration: this.#state.registration };
  }

  /** Why statements do not count now, or may not count for long; undefined when they do as far as is known. */
  get problem(): ReadinessProblem | undefined {
    if (this.#problem !== undefined) return { check: 'signing-key', ...this.#problem };
    if (this.#state.registration !== undefined) return undefined;
    return { check: 'signing-key', detail: 'the key of statements is not registered yet' };
  }

  /** What to sign with. Waits for the first registration. @throws {CoreError} `unavailable` when it does not come in time */
  async signer(deadline: Date): Promise<Signer> {
    if (this.#state.registration === undefined) {
      await within(this.#registered.promise, deadline.getTime() - this.#options.clock.now().getTime());
    }
    const { current, registration } = this.#state;
    if (registration !== undefined) return { ...current, site: registration.site, rir: registration.rir };
    const why = this.#problem === undefined ? '' : `: ${this.#problem.detail}`;
    throw new CoreError('unavailable', `the key of statements is not registered${why}`);
  }

  /** Registers, replaces and retires what is due. Called by itself; never rejects. */
  maintain(): Promise<void> {
    clearTimeout(this.#timer);
    this.#maintaining ??= this.#maintainOnce()
      .then(
        () => {
          this.#problem = undefined;
          this.#failures = 0;
        },
        (error: unknown) => this.#note(error),
      )
      .finally(() => {
        this.#maintaining = undefined;
        this.#schedule();
      });
    return this.#maintaining;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #maintainOnce(): Promise<void> {
    const { clock, keyLife } = this.#options;
    const registration = await this.#keepRegistered();
    this.#registered.resolve();
    const age = clock.now().getTime() - registration.activeFrom.getTime();
    if (age >= keyLife) await this.#rollOver(registration);
    else if (age >= overlapMs) await this.#retireFormer();
  }

  async #keepRegistered(): Promise<Registration> {
    const { core, holder, log } = this.#options;
    const { keyId, activeFrom } = await this.#registerCurrent();
    if (keyId !== this.#state.current.keyId || activeFrom === undefined) {
      throw new CoreError('internal', 'the CA core registered another key than the one that was proven');
    }
    const registration = { activeFrom, ...(await findLabels(core, holder)) };
    if (isSame(this.#state.registration, registration)) return registration;
    this.#save({ ...this.#state, registration });
    log.info({ keyId, site: registration.site, rir: registration.rir }, 'the key of statements is registered');
    return registration;
  }

  async #registerCurrent(): Promise<SigningKey> {
    const { current, former } = this.#state;
    try {
      return await this.#register(current);
    } catch (error) {
      if (!isOver(error, this.#state)) throw error;
      const facts = { keyId: current.keyId, reason: error.detail };
      this.#options.log.warn(facts, 'the key of statements is over; a new one is made');
      const next = newStatementKey();
      this.#save({ current: next, former });
      return await this.#register(next);
    }
  }

  #register({ key }: StatementKey): Promise<SigningKey> {
    const { core, holder, clock, address, build } = this.#options;
    return core.registerSigningKey({ proof: signKeyProof(holder.uri, key, clock.now()), address, build });
  }

  async #rollOver(registration: Registration): Promise<void> {
    const { clock, log } = this.#options;
    // Kept before it is registered: a process that stops in between goes on with it instead of leaving it behind.
    const next = this.#state.next ?? newStatementKey();
    if (this.#state.next === undefined) this.#save({ ...this.#state, next });
    const { activeFrom = clock.now() } = await this.#register(next);
    const { keyId } = this.#state.current;
    const former = [...this.#state.former, keyId];
    this.#save({ current: next, registration: { ...registration, activeFrom }, former });
    log.info({ keyId: next.keyId, former: keyId }, 'a new key of statements takes over');
  }

  async #retireFormer(): Promise<void> {
    const { core, log } = this.#options;
    for (const keyId of this.#state.former) {
      await core.retireSigningKey(keyId).catch((error: unknown) => {
        // A keep that was restored does not know it: then it counts for nothing anyway.
        if (!(error instanceof CoreError) || error.code !== 'not-found') throw error;
      });
      this.#save({ ...this.#state, former: this.#state.former.filter((one) => one !== keyId) });
      log.info({ keyId }, 'a former key of statements is retired');
    }
  }

  #save(state: SigningKeyState): void {
    saveSigningKeyFile(this.#options.file, state);
    this.#state = state;
  }

  #note(error: unknown): void {
    // Whoever is being closed has no keep to ask any more.
    if (this.#isClosed) return;
    const detail = error instanceof CoreError ? error.detail : error instanceof Error ? error.message : String(error);
    // One line for each cause, not one for each minute.
    if (detail !== this.#problem?.detail) {
      const facts = { err: error, keyId: this.#state.current.keyId };
      this.#options.log.warn(facts, 'the key of statements could not be kept registered');
    }
    // While the keep is away, nothing that it knows changes.
    const isAway = error instanceof CoreError && error.code === 'unavailable';
    this.#problem = { detail, isTolerable: isAway && this.#state.registration !== undefined };
    this.#failures++;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const backOffMs = firstPauseMs * 2 ** Math.min(this.#failures - 1, 10);
    const pauseMs = this.#failures === 0 ? this.#intervalMs : Math.min(this.#intervalMs, backOffMs);
    this.#timer = setTimeout(() => this.maintain(), pauseMs * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }
}

function isSame(known: Registration | undefined, { activeFrom, site, rir }: Registration): boolean {
  return known?.activeFrom.getTime() === activeFrom.getTime() && known.site === site && known.rir === rir;
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
