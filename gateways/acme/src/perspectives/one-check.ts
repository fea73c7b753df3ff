// One check of a name within an attempt: by the primary, then by the remote perspectives that were chosen for it. Each outcome
// is logged with its quorum and with who saw what, because an operator finds out from it which path or name server is wrong.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { Attempt, Perspective } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { Problem } from '../problem.ts';
import { askRemotes } from './ask-remotes.ts';
import type { Breaker } from './breaker.ts';
import { ask, type CheckKind, type Finding, passes, problemOf, type ValidationSubject } from './check.ts';
import { readStatement } from './judge-statement.ts';
import type { ValidationMetrics } from './metrics.ts';
import { isSignedZone } from './proof.ts';
import type { PerspectiveRegistry, RemotePerspective } from './registry.ts';
import { describeFindings, formatReport, remoteProblem } from './report.ts';

/** An attempt: its id, and who is asked. */
export type Begun = { readonly attempt: Attempt; readonly chosen: readonly RemotePerspective[] };

/** The statements of a check that passed. */
export type PassedCheck = {
  readonly kind: 'passed';
  readonly attempt: string;
  /** Compact JWS of all who answered, whatever they say. */
  readonly statements: readonly string[];
  /** When the first of them was made. */
  readonly madeAt: Date;
  /** Whether one of them shows that the zone of the name is signed. */
  readonly isSigned: boolean;
  /** dns-persist-01: until when the record lets this be used, by the earliest word of any. */
  readonly persistUntil: Date | undefined;
};

/** A check that did not pass. */
export type FailedCheck = {
  readonly kind: 'failed';
  readonly problem: Problem;
  /** Our part of the network did not work: it may be tried again. */
  readonly isOurFault: boolean;
};

/** What {@link createOneCheck} takes. */
export type OneCheckParts = {
  readonly primary: Perspective;
  readonly registry: Pick<PerspectiveRegistry, 'doubt'>;
  readonly breaker: Breaker;
  readonly metrics: ValidationMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the primary, and then for the remote ones. */
  readonly timeoutMs: number;
};

/** The two halves of a check. Neither fails. */
export type OneCheck = {
  /** The primary looks. */
  askPrimary(check: CheckKind, { attempt }: Begun, subject: ValidationSubject): Promise<Finding>;
  /** What the primary's finding amounts to when it did not pass. */
  primaryFailure(check: CheckKind, own: Finding, subject: ValidationSubject): FailedCheck | undefined;
  /** The remote perspectives look. @param rules nothing where the primary decides alone */
  corroborate(
    check: CheckKind,
    own: Finding,
    begun: Begun,
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<PassedCheck | FailedCheck>;
};

/** Makes it. */
export function createOneCheck(parts: OneCheckParts): OneCheck {
  const { primary, registry, breaker, metrics, clock, log, timeoutMs } = parts;
  const deadline = (): Date => new Date(clock.now().getTime() + timeoutMs);

  const count = (check: CheckKind, findings: readonly Finding[]): void => {
    for (const finding of findings) {
      const { name } = finding;
      if (finding.kind === 'stated') {
        if (!passes(finding)) metrics.disagreements.labels(name, check).inc();
        continue;
      }
      metrics.unanswered.labels(name).inc();
      registry.doubt();
      if (finding.kind !== 'unbelievable') continue;
      log.error(
        { perspective: name, cause: finding.cause, check },
        'a perspective gave a statement that is not believed',
      );
    }
  };

  return {
    askPrimary: async (check, { attempt }, subject) => {
      const name = 'primary';
      try {
        const statement = await ask(primary, check, attempt, subject, deadline());
        const payload = readStatement(statement);
        return payload === undefined
          ? { kind: 'unbelievable', name, statement, cause: 'its payload is no statement' }
          : { kind: 'stated', name, statement, payload };
      } catch (error) {
        log.error({ err: error, check }, 'the primary perspective does not work');
        return { kind: 'silent', name, cause: error instanceof CoreError ? error.detail : 'asking it failed' };
      }
    },
    primaryFailure: (check, own, { identifier, method }) => {
      if (passes(own)) return undefined;
      metrics.checks.labels(check, 'primary').inc();
      const report = formatReport(describeFindings([own]));
      log.info({ identifier: identifier.value, method, check, verdict: 'fail', report }, 'mpic');
      if (own.kind !== 'stated') return fault('this server could not look at the name');
      const problem = problemOf(own.payload);
      return { kind: 'failed', problem, isOurFault: problem.type === 'serverInternal' };
    },
    corroborate: async (check, own, { attempt, chosen }, subject, rules) => {
      if (rules === undefined) {
        metrics.checks.labels(check, 'pass').inc();
        return passed(attempt, [own]);
      }
      const { findings, quorum } = await askRemotes({
        ...{ check, attempt, subject, rules, chosen, own, clock, breaker },
        deadline: deadline(),
      });
      count(check, findings);
      const isMet = quorum.verdict === 'met';
      const failed = findings.filter((finding) => !passes(finding)).map(({ name }) => name);
      const facts = {
        ...{ identifier: subject.identifier.value, method: subject.method, check, attempt: attempt.id },
        ...{ quorum: `${quorum.corroborating}/${quorum.used}`, policy: rules.version, mode: rules.mode },
        verdict: isMet ? 'pass' : 'fail',
      };
      if (failed.length === 0 && isMet) log.info(facts, 'mpic');
      else {
        const report = formatReport(describeFindings([own, ...findings]));
        log.warn({ ...facts, failed, shortfall: quorum.shortfall, report }, 'mpic');
      }
      metrics.checks.labels(check, isMet ? 'pass' : 'quorum').inc();
      if (isMet || rules.mode !== 'enforce') return passed(attempt, [own, ...findings]);
      const problem = remoteProblem(findings, quorum);
      return { kind: 'failed', problem, isOurFault: problem.type === 'serverInternal' };
    },
  };
}

/** A failure that is none of the client's doing. */
export function fault(detail: string): FailedCheck {
  return { kind: 'failed', problem: { type: 'serverInternal', detail }, isOurFault: true };
}

function passed(attempt: Attempt, findings: readonly Finding[]): PassedCheck {
  const stated = findings.flatMap((finding) => (finding.kind === 'stated' ? [finding] : []));
  const payloads = stated.map(({ payload }) => payload);
  const ends = payloads.flatMap(({ result, persistUntil }) =>
    result === 'pass' && persistUntil !== undefined ? [Date.parse(persistUntil)] : [],
  );
  return {
    kind: 'passed',
    attempt: attempt.id,
    statements: stated.map(({ statement }) => statement),
    madeAt: new Date(Math.min(...payloads.map(({ finished }) => Date.parse(finished)))),
    isSigned: isSignedZone(payloads),
    persistUntil: ends.length === 0 ? undefined : new Date(Math.min(...ends)),
  };
}
