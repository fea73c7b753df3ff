/**
 * One CRL as the publisher sees it: what is published, what has happened since, and so when the next one is to be made.
 * Times of `Mono` are of the clock that never jumps; the others are epoch milliseconds.
 */
import type { StoredCrl } from '../store/crls.ts';
import type { CrlPlan } from './crl-plan.ts';
import { eventBuildAt, isLate, isPeriodOver, isSmall, type LastBuild, retryDelayMs } from './crl-schedule.ts';

/** Somebody who waits for a CRL that is made from now on. */
export type CrlWish = {
  /** URI of the operator. */
  readonly actor: string;
  resolve(crl: StoredCrl): void;
  reject(error: unknown): void;
};

/** The state of one CRL. */
export type CrlTarget = {
  readonly plan: CrlPlan;
  /** What is published, and lies in its file. */
  crl: StoredCrl | undefined;
  /** Set when it must be made anew, whatever its times are. */
  isStale: boolean;
  /** When the first change came that it does not show. */
  changedAtMono: number | undefined;
  /** Position of the last change that is known. */
  changePosition: number;
  last: LastBuild | undefined;
  failures: number;
  failedAtMono: number;
  /** Looked at, made, or neither. */
  state: 'loading' | 'idle' | 'building';
  /** Whether the log knows that it is late. */
  isKnownLate: boolean;
  wishes: CrlWish[];
};

/** A CRL of which nothing is known yet. */
export function newTarget(plan: CrlPlan): CrlTarget {
  return {
    plan,
    crl: undefined,
    isStale: false,
    changedAtMono: undefined,
    changePosition: 0,
    last: undefined,
    failures: 0,
    failedAtMono: 0,
    state: 'loading',
    isKnownLate: false,
    wishes: [],
  };
}

/** When it is to be made, by the clock that never jumps; undefined: not for what is known now. */
export function buildAt(target: CrlTarget, now: number, nowMono: number): number | undefined {
  const { crl, plan, changedAtMono, failures } = target;
  if (target.state !== 'idle') return undefined;
  if (target.wishes.length > 0) return nowMono;
  const isDue = crl === undefined || target.isStale || isPeriodOver(now, crl.thisUpdate, plan.rhythm);
  const wanted = isDue ? nowMono : changedAtMono === undefined ? undefined : eventBuildAt(changedAtMono, target.last);
  if (wanted === undefined || failures === 0) return wanted;
  return Math.max(wanted, target.failedAtMono + retryDelayMs(failures));
}

/** A change of status belongs onto it. */
export function noteChange(target: CrlTarget, changePosition: number, nowMono: number): void {
  target.changePosition = changePosition;
  target.changedAtMono ??= nowMono;
}

/** It was made, and lies in its file. */
export function notePublished(target: CrlTarget, crl: StoredCrl, last: LastBuild): void {
  target.crl = crl;
  target.isStale = false;
  target.failures = 0;
  target.last = last;
  // What was heard of after it was begun may be on it all the same.
  if (target.changePosition <= crl.changePosition) target.changedAtMono = undefined;
}

/** It could not be made; what had changed has to go onto the next one. */
export function noteFailure(target: CrlTarget, changedAtMono: number | undefined, nowMono: number): void {
  target.changedAtMono = changedAtMono ?? target.changedAtMono;
  target.failures += 1;
  target.failedAtMono = nowMono;
}

/** Whether there is no CRL to serve, or its successor is late. */
export function isInTrouble({ crl, plan }: CrlTarget, now: number): boolean {
  return crl === undefined || isLate(now, crl.nextUpdate, plan.rhythm);
}

/** Whether it may be made beside others. */
export function isQuick({ crl }: CrlTarget): boolean {
  return isSmall(crl?.entries ?? 0);
}

/**
 * Whose turn is first: what somebody waits for, then what was made or tried longest ago. While more changes than can be
 * made, each is made in its turn, and none is passed by for ever.
 */
export function compareTurns(a: CrlTarget, b: CrlTarget): number {
  const isWished = ({ wishes }: CrlTarget): number => Number(wishes.length > 0);
  return isWished(b) - isWished(a) || lastTurnMono(a) - lastTurnMono(b);
}

function lastTurnMono({ last, failedAtMono }: CrlTarget): number {
  return Math.max(last?.endedAt ?? 0, failedAtMono);
}
