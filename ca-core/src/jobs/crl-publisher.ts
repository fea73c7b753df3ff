/**
 * Sees to it that every CRL is there, shows what has changed, and is replaced before it is over. Small ones are made beside
 * each other, and one large one at a time; a change is on the next CRL, whichever way it was heard of.
 */
import { CoreError } from '@gatehouse/proto/core-error';
import type { Logger } from '@gatehouse/runtime/log';
import { hasChanged } from '../store/crl-entries.ts';
import { lastCrlNumber, type StoredCrl } from '../store/crls.ts';
import { buildCrl, type CrlBuildParts } from './crl-build.ts';
import { crlName } from './crl-files.ts';
import { loadTarget } from './crl-loading.ts';
import { type CrlPlan, comparePlans } from './crl-plan.ts';
import { nextCrlNumber } from './crl-schedule.ts';
import {
  buildAt,
  type CrlTarget,
  compareTurns,
  isInTrouble,
  isQuick,
  newTarget,
  noteChange,
  noteFailure,
  notePublished,
} from './crl-target.ts';
import type { StatusWorker } from './status-worker.ts';

/** A CRL that is published. */
export type PublishedCrl = { readonly plan: Pick<CrlPlan, 'scope' | 'isDelta' | 'authority'>; readonly crl: StoredCrl };

/** What the publisher works with. */
export type CrlPublisherParts = Omit<CrlBuildParts, 'nextNumber'> & {
  readonly worker: Pick<StatusWorker, 'run' | 'isReady'>;
  readonly log: Logger;
  /** Actor of what happens by itself. */
  readonly actor: string;
  /** Told after each CRL that was published, with how long it took. */
  onPublished(plan: CrlPlan, durationMs: number): void;
};

/** Publishes CRLs. */
export type CrlPublisher = {
  /** Takes CRLs in; those that are there already are left as they are. Resolves when what lies on the disk was looked at. */
  add(plans: readonly CrlPlan[]): Promise<void>;
  /** Leaves out a scope that no certificate names any more. */
  remove(scope: string): void;
  scopes(): ReadonlySet<string>;
  /** Another number: {@link CrlPublisher.list} is another one. */
  version(): number;
  /** What is published, by scope; a full CRL stands before its delta. */
  list(): readonly PublishedCrl[];
  find(scope: string, isDelta: boolean): PublishedCrl | undefined;
  /** Makes a CRL now. Rejects with CoreError `not-found`, or why it could not be made. */
  generate(scope: string, isDelta: boolean, actor: string): Promise<PublishedCrl>;
  /** Changes of status up to a position belong onto the CRLs of these scopes. */
  noteChanges(scopes: readonly string[], position: number): void;
  /** The file of a CRL is not there: it is made anew. */
  noteLost(scope: string, isDelta: boolean): void;
  /** Compares all CRLs with what the database says: for what was missed. */
  compare(): void;
  /** Looks what is to be made. To be called often; it also says in the log what is late. */
  look(): void;
  /** Names of CRLs that are missing or late. */
  late(): readonly string[];
  /** Makes no other one. */
  stop(): void;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
};

/** More at once would only wait for the same disk. */
const quickAtOnce = 4;

/** Makes a publisher without CRLs. */
export function createCrlPublisher(parts: CrlPublisherParts): CrlPublisher {
  const { store, clock, log, worker } = parts;
  const targets = new Map<string, CrlTarget>();
  const numbers = new Map<string, number>();
  const underWay = new Map<CrlTarget, Promise<void>>();
  let version = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosing = false;

  const now = (): number => clock.now().getTime();

  function nextNumber(scope: string): number {
    // Also by a clock that was set back: a CRL that is made now says what is said since then.
    const number = nextCrlNumber(
      Math.max(now(), parts.plansSince),
      Math.max(numbers.get(scope) ?? 0, lastCrlNumber(store, scope)),
    );
    numbers.set(scope, number);
    return number;
  }

  function find(scope: string, isDelta: boolean): CrlTarget | undefined {
    const target = targets.get(crlName(scope, isDelta));
    return target?.plan.isDelta === isDelta ? target : undefined;
  }

  function look(): void {
    clearTimeout(timer);
    noteLate();
    if (isClosing || !worker.isReady()) return;
    const nowMono = performance.now();
    let next = Number.POSITIVE_INFINITY;
    const ready: CrlTarget[] = [];
    for (const target of targets.values()) {
      const at = buildAt(target, now(), nowMono);
      if (at === undefined) continue;
      if (at > nowMono) next = Math.min(next, at);
      else ready.push(target);
    }
    for (const target of ready.sort(compareTurns)) if (hasRoom(target)) begin(target);
    if (next === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(look, next - nowMono);
    timer.unref();
  }

  function hasRoom(target: CrlTarget): boolean {
    // A delta starts from a full CRL that says the same of itself.
    const base = target.plan.isDelta ? targets.get(target.plan.scope)?.crl : undefined;
    if (target.plan.isDelta && (base === undefined || base.number < parts.plansSince)) return false;
    const others = [...underWay.keys()];
    return isQuick(target) ? others.filter(isQuick).length < quickAtOnce : others.every(isQuick);
  }

  function begin(target: CrlTarget): void {
    target.state = 'building';
    const build = make(target).finally(() => {
      target.state = 'idle';
      underWay.delete(target);
      look();
    });
    underWay.set(target, build);
  }

  async function make(target: CrlTarget): Promise<void> {
    const { plan } = target;
    const { wishes, changedAtMono } = target;
    target.wishes = [];
    target.changedAtMono = undefined;
    const startedAt = performance.now();
    try {
      await buildCrl(
        { ...parts, nextNumber },
        {
          plan,
          previous: target.crl,
          actor: wishes[0]?.actor ?? parts.actor,
          onPublished(crl) {
            const endedAt = performance.now();
            const durationMs = endedAt - startedAt;
            notePublished(target, crl, { endedAt, durationMs, entries: crl.entries });
            version += 1;
            for (const { resolve } of wishes) resolve(crl);
            parts.onPublished(plan, durationMs);
          },
        },
      );
    } catch (error) {
      noteFailure(target, changedAtMono, performance.now());
      if (!isClosing) log.error({ err: error, crl: crlName(plan.scope, plan.isDelta) }, 'a CRL could not be made');
      for (const { reject } of wishes) reject(error);
    }
  }

  function noteLate(): void {
    for (const [name, target] of targets) {
      const isInTroubleNow = target.crl !== undefined && isInTrouble(target, now());
      if (isInTroubleNow === target.isKnownLate) continue;
      target.isKnownLate = isInTroubleNow;
      const nextUpdate = new Date(target.crl?.nextUpdate ?? 0).toISOString();
      if (isInTroubleNow) log.error({ crl: name, nextUpdate }, 'a CRL was not replaced in time');
      else log.info({ crl: name, nextUpdate }, 'a CRL that was late is replaced');
    }
  }

  function stop(): void {
    isClosing = true;
    clearTimeout(timer);
    const error = new CoreError('unavailable', 'the CA is stopping', { retryAfterSeconds: 5 });
    for (const target of targets.values()) for (const { reject } of target.wishes.splice(0)) reject(error);
  }

  return {
    async add(plans) {
      const added = plans.filter(({ scope, isDelta }) => find(scope, isDelta) === undefined).map(newTarget);
      for (const target of added) targets.set(crlName(target.plan.scope, target.plan.isDelta), target);
      for (const target of added) {
        await loadTarget(parts, target);
        version += 1;
      }
      look();
    },
    remove(scope) {
      for (const isDelta of [false, true]) {
        for (const { reject } of find(scope, isDelta)?.wishes.splice(0) ?? []) reject(noSuchCrl(scope, isDelta));
        targets.delete(crlName(scope, isDelta));
      }
      version += 1;
    },
    scopes: () => new Set([...targets.values()].map(({ plan }) => plan.scope)),
    version: () => version,
    list() {
      const byName = [...targets.values()].sort((a, b) => comparePlans(a.plan, b.plan));
      return byName.flatMap(({ plan, crl }) => (crl === undefined ? [] : [{ plan, crl }]));
    },
    find(scope, isDelta) {
      const { plan, crl } = find(scope, isDelta) ?? {};
      return plan === undefined || crl === undefined ? undefined : { plan, crl };
    },
    async generate(scope, isDelta, actor) {
      const target = find(scope, isDelta);
      if (target === undefined) throw noSuchCrl(scope, isDelta);
      const { promise, resolve, reject } = Promise.withResolvers<StoredCrl>();
      target.wishes.push({ actor, resolve, reject });
      look();
      return { plan: target.plan, crl: await promise };
    },
    noteChanges(scopes, position) {
      const nowMono = performance.now();
      for (const scope of scopes) {
        for (const isDelta of [false, true]) {
          const target = find(scope, isDelta);
          if (target !== undefined) noteChange(target, position, nowMono);
        }
      }
      look();
    },
    noteLost(scope, isDelta) {
      const target = find(scope, isDelta);
      // Whoever asks again before it is made tells nothing new.
      if (target === undefined || target.isStale) return;
      log.error({ crl: crlName(scope, isDelta) }, 'the file of a CRL is gone; it is made anew');
      target.isStale = true;
      look();
    },
    compare() {
      for (const target of targets.values()) {
        const { crl, plan } = target;
        if (crl !== undefined && hasChanged(store, plan.coverage, crl.changePosition)) target.isStale = true;
      }
      look();
    },
    look,
    late: () => [...targets].filter(([, target]) => isInTrouble(target, now())).map(([name]) => name),
    stop,
    async close() {
      stop();
      await Promise.all(underWay.values());
    },
  };
}

function noSuchCrl(scope: string, isDelta: boolean): CoreError {
  return new CoreError('not-found', `there is no CRL '${crlName(scope.slice(0, 64), isDelta)}'`);
}
