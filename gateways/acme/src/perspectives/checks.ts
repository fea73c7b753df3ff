// Checks of one name from several perspectives (BR §3.2.2.9, mpic.md §4): the primary inside of this gate first, then the
// remote ones, chosen before anybody is asked. What it finds decides whether an order becomes ready; it never decides about
// a certificate: the keep judges the same signed statements again.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { Attempt, Perspective } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import type { Problem } from '../problem.ts';
import { askRemotes } from './ask-remotes.ts';
import { createBreaker } from './breaker.ts';
import { ask, type CheckKind, type Finding, passes, problemOf, type ValidationSubject } from './check.ts';
import { readStatement } from './judge-statement.ts';
import { createValidationMetrics } from './metrics.ts';
import { isSignedZone } from './proof.ts';
import type { PerspectiveRegistry, RemotePerspective } from './registry.ts';
import { describeFindings, formatReport, remoteProblem } from './report.ts';
import { selectPerspectives } from './selection.ts';

/** The statements of a check that passed. */
export type PassedCheck = {
  readonly attempt: string;
  /** Compact JWS of all who answered, whatever they say. */
  readonly statements: readonly string[];
  /** When the first of them was made. */
  readonly madeAt: Date;
  /** Whether one of them shows that the zone of the name is signed. */
  readonly isSigned: boolean;
};

/** How a validation came out. */
export type ControlOutcome =
  | {
      readonly kind: 'passed';
      readonly dcv: PassedCheck;
      /** Nothing where no permission is asked for: addresses, and profiles without CAA. */
      readonly caa: PassedCheck | undefined;
      /** dns-persist-01: until when the record lets this be used. */
      readonly persistUntil: Date | undefined;
    }
  | FailedCheck;

/** A check that did not pass. */
export type FailedCheck = {
  readonly kind: 'failed';
  readonly problem: Problem;
  /** Our part of the network did not work: it may be tried again. */
  readonly isOurFault: boolean;
};

/** Checks names. */
export type Checks = {
  /** Validates control of a name, and looks for permission to issue where the rules demand it. Never fails. */
  validate(subject: ValidationSubject, rules: ValidationRules | undefined): Promise<ControlOutcome>;
  /** Looks for permission alone: once more, before issuance. Never fails. */
  checkCaa(
    subject: ValidationSubject,
    rules: ValidationRules,
  ): Promise<{ readonly kind: 'passed'; readonly caa: PassedCheck } | FailedCheck>;
  /** Ends all connections. */
  close(): Promise<void>;
};

/** What {@link createChecks} takes. */
export type CheckOptions = {
  /** Inside of this gate. Its statements never count towards a quorum. */
  readonly primary: Perspective;
  readonly registry: PerspectiveRegistry;
  /** Chooses among perspectives; shared by all copies of the gate. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** For the primary, and then for the remote ones; 20 000 unless told. */
  readonly timeoutMs?: number | undefined;
};

/** Whether permission to issue is looked for (RFC 8659 §3: for names, never for addresses). */
export function caaDemand(
  { identifier }: Pick<ValidationSubject, 'identifier'>,
  rules: ValidationRules | undefined,
): 'on' | 'off' | 'where-signed' {
  if (identifier.type !== 'dns') return 'off';
  return rules?.caa === 'on' || rules?.caa === 'where-signed' ? rules.caa : 'off';
}

/** Makes the checks. */
export function createChecks(options: CheckOptions): Checks {
  const { primary, registry, secret, clock, log, timeoutMs = 20_000 } = options;
  const breaker = createBreaker(clock, log);
  const metrics = createValidationMetrics(options.metrics, () => breaker.open());

  /** Nothing where too few perspectives are registered. */
  const begin = async (
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<Begun | FailedCheck> => {
    const chosen =
      rules === undefined
        ? []
        : selectPerspectives({
            registered: await registry.list(),
            rules,
            name: subject.identifier.value,
            secret,
            isOpen: (name) => breaker.isOpen(name),
          });
    if (rules !== undefined && chosen.length < rules.remotes && rules.mode === 'enforce') {
      log.error(
        { policy: rules.version, needed: rules.remotes, registered: chosen.map(({ name }) => name) },
        'too few distinct perspectives are registered and enabled',
      );
      return fault(`${chosen.length} of ${rules.remotes} remote perspectives are available`);
    }
    return {
      chosen,
      attempt: {
        id: newUnguessableId(),
        order: subject.orderId,
        authorization: subject.authorizationId,
        perspectives: chosen.map(({ name }) => name),
      },
    };
  };

  const askPrimary = async (check: CheckKind, attempt: Attempt, subject: ValidationSubject): Promise<Finding> => {
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
  };

  const deadline = (): Date => new Date(clock.now().getTime() + timeoutMs);

  const corroborate = async (
    check: CheckKind,
    own: Finding,
    { attempt, chosen }: Begun,
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<PassedCheck | FailedCheck> => {
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
    const sights = describeFindings([own, ...findings]);
    const failed = findings.filter((finding) => !passes(finding)).map(({ name }) => name);
    const facts = {
      ...{ identifier: subject.identifier.value, method: subject.method, check, attempt: attempt.id },
      ...{ quorum: `${quorum.corroborating}/${quorum.used}`, policy: rules.version, mode: rules.mode },
      verdict: isMet ? 'pass' : 'fail',
    };
    if (failed.length === 0 && isMet) log.info(facts, 'mpic');
    else log.warn({ ...facts, failed, shortfall: quorum.shortfall, report: formatReport(sights) }, 'mpic');
    metrics.checks.labels(check, isMet ? 'pass' : 'quorum').inc();
    if (isMet || rules.mode !== 'enforce') return passed(attempt, [own, ...findings]);
    const problem = remoteProblem(findings, quorum.used);
    return { kind: 'failed', problem, isOurFault: problem.type === 'serverInternal' };
  };

  const count = (check: CheckKind, findings: readonly Finding[]): void => {
    for (const finding of findings) {
      if (finding.kind !== 'stated') metrics.unanswered.labels(finding.name).inc();
      else if (!passes(finding)) metrics.disagreements.labels(finding.name, check).inc();
      if (finding.kind === 'unbelievable') {
        log.error(
          { perspective: finding.name, cause: finding.cause, check },
          'a perspective gave a statement that is not believed',
        );
      }
    }
  };

  const primaryFailure = (check: CheckKind, own: Finding, subject: ValidationSubject): FailedCheck | undefined => {
    if (passes(own)) return undefined;
    metrics.checks.labels(check, 'primary').inc();
    const saw = formatReport(describeFindings([own]));
    log.info(
      { identifier: subject.identifier.value, method: subject.method, check, verdict: 'fail', report: saw },
      'mpic',
    );
    if (own.kind !== 'stated') return fault('this server could not look at the name');
    const problem = problemOf(own.payload);
    return { kind: 'failed', problem, isOurFault: problem.type === 'serverInternal' };
  };

  const checkPermission = async (
    begun: Begun,
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<PassedCheck | FailedCheck> => {
    const own = await askPrimary('caa', begun.attempt, subject);
    return primaryFailure('caa', own, subject) ?? (await corroborate('caa', own, begun, subject, rules));
  };

  return {
    validate: async (subject, rules) => {
      try {
        const begun = await begin(subject, remoteRules(rules));
        if ('kind' in begun) return begun;
        const demand = caaDemand(subject, rules);
        const counted = remoteRules(rules);
        // Remote perspectives are asked when the primary passed everything that is sure to be demanded.
        const [control, permission] = await Promise.all([
          askPrimary('dcv', begun.attempt, subject),
          demand === 'on' ? askPrimary('caa', begun.attempt, subject) : undefined,
        ]);
        const failure =
          primaryFailure('dcv', control, subject) ??
          (permission === undefined ? undefined : primaryFailure('caa', permission, subject));
        if (failure !== undefined) return failure;
        const [dcv, caaAlongside] = await Promise.all([
          corroborate('dcv', control, begun, subject, counted),
          permission === undefined ? undefined : corroborate('caa', permission, begun, subject, counted),
        ]);
        if ('kind' in dcv) return dcv;
        const caa =
          demand === 'where-signed' && dcv.isSigned ? await checkPermission(begun, subject, counted) : caaAlongside;
        if (caa !== undefined && 'kind' in caa) return caa;
        return { kind: 'passed', dcv, caa, persistUntil: persistUntil(control) };
      } catch (error) {
        log.warn({ err: error }, 'the perspectives could not be asked');
        return fault('the perspectives of this server could not be asked');
      }
    },
    checkCaa: async (subject, rules) => {
      try {
        const begun = await begin(subject, remoteRules(rules));
        if ('kind' in begun) return begun;
        const caa = await checkPermission(begun, subject, remoteRules(rules));
        return 'kind' in caa ? caa : { kind: 'passed', caa };
      } catch (error) {
        log.warn({ err: error }, 'the perspectives could not be asked');
        return fault('the perspectives of this server could not be asked');
      }
    },
    close: async () => {
      await registry.close();
      await primary.close();
    },
  };
}

type Begun = { readonly attempt: Attempt; readonly chosen: readonly RemotePerspective[] };

/** What the remote perspectives count by; nothing with mode `off` and where a profile leaves it to the gate: the primary looks alone. */
function remoteRules(rules: ValidationRules | undefined): ValidationRules | undefined {
  return rules?.mode === 'enforce' || rules?.mode === 'monitor' ? rules : undefined;
}

function passed(attempt: Attempt, findings: readonly Finding[]): PassedCheck {
  const stated = findings.flatMap((finding) => (finding.kind === 'stated' ? [finding] : []));
  const made = stated.map(({ payload }) => Date.parse(payload.finished));
  return {
    attempt: attempt.id,
    statements: stated.map(({ statement }) => statement),
    madeAt: new Date(Math.min(...made)),
    isSigned: isSignedZone(stated.map(({ payload }) => payload)),
  };
}

function persistUntil(own: Finding): Date | undefined {
  const until = own.kind === 'stated' ? own.payload.persistUntil : undefined;
  return until === undefined ? undefined : new Date(until);
}

function fault(detail: string): FailedCheck {
  return { kind: 'failed', problem: { type: 'serverInternal', detail }, isOurFault: true };
}
