// Asks all chosen remote perspectives at once, in random order, and judges as the answers come. Once it is decided, late ones
// get a moment to be recorded; whoever answers after that is as good as silent. Nothing is asked twice in one attempt.

import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { Attempt } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Breaker } from './breaker.ts';
import { ask, type CheckKind, type Finding, type ValidationSubject } from './check.ts';
import { judgeStatement } from './judge-statement.ts';
import { judgeQuorum, type Quorum } from './quorum.ts';
import type { RemotePerspective } from './registry.ts';

/** What {@link askRemotes} takes. */
export type RemoteCheck = {
  readonly check: CheckKind;
  readonly attempt: Attempt;
  readonly subject: ValidationSubject;
  readonly rules: ValidationRules;
  readonly chosen: readonly RemotePerspective[];
  /** What the primary found. */
  readonly own: Finding;
  readonly deadline: Date;
  readonly clock: Clock;
  readonly breaker: Breaker;
};

/** How a check came out. */
export type RemoteOutcome = {
  /** One for each chosen perspective, by name. */
  readonly findings: readonly Finding[];
  readonly quorum: Quorum;
};

/** How long late answers are waited for once it is decided (mpic.md §4). */
const graceMs = 500;

/** What is left of the time when it is not worth asking again. */
const leastTimeMs = 2_000;

/** Asks. Never fails: who cannot be asked is silent. */
export async function askRemotes(remote: RemoteCheck): Promise<RemoteOutcome> {
  const { rules, chosen, own, subject, deadline, clock } = remote;
  const findings = new Map<string, Finding>();
  const judge = (): Quorum => judgeQuorum(rules, { chosen, findings, own, name: subject.identifier.value });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const lastTimer = setTimeout(end, Math.max(0, deadline.getTime() - clock.now().getTime()));
  let graceTimer: NodeJS.Timeout | undefined;
  const take = (finding: Finding): void => {
    findings.set(finding.name, finding);
    if (findings.size === chosen.length) end();
    else if (judge().verdict !== 'open') graceTimer ??= setTimeout(end, graceMs);
  };
  for (const perspective of shuffle(chosen)) void askOne(perspective, remote).then(take);
  if (chosen.length === 0) end();
  await ended;
  clearTimeout(lastTimer);
  clearTimeout(graceTimer);
  const quorum = judge();
  return {
    findings: chosen.map(
      ({ name }) => findings.get(name) ?? { kind: 'silent', name, cause: 'it had not answered when it was decided' },
    ),
    quorum,
  };
}

async function askOne(perspective: RemotePerspective, remote: RemoteCheck): Promise<Finding> {
  const { check, attempt, subject, deadline, clock, breaker } = remote;
  const { name, client } = perspective;
  const askedAt = clock.now();
  const asking = untilAdmitted(() => ask(client, check, attempt, subject, deadline), deadline, clock);
  const finding = await asking.then(
    (statement) => judgeStatement(perspective, { check, attempt, subject, askedAt }, statement, clock.now()),
    (error: unknown): Finding => ({
      kind: 'silent',
      name,
      cause: error instanceof CoreError ? error.detail : `asking it failed: ${String(error)}`,
    }),
  );
  if (finding.kind === 'stated') breaker.answered(name, check);
  else breaker.missed(name, check);
  return finding;
}

/** One that is busy with others has not looked yet: it is asked again, while there is time for an answer. */
async function untilAdmitted(work: () => Promise<string>, deadline: Date, clock: Clock): Promise<string> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isBusy = error instanceof CoreError && error.code === 'rate-limited';
      if (!isBusy || deadline.getTime() - clock.now().getTime() < leastTimeMs) throw error;
      await sleep(randomInt(100, 400));
    }
  }
}

function shuffle<T>(list: readonly T[]): readonly T[] {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    const [a, b] = [shuffled[i], shuffled[j]];
    if (a !== undefined && b !== undefined) [shuffled[i], shuffled[j]] = [b, a];
  }
  return shuffled;
}
