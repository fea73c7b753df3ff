// Checks of one name from several perspectives (BR §3.2.2.9, mpic.md §4): the primary inside of this gate first, then the
// remote ones, chosen before anybody is asked. What it finds decides whether an order becomes ready; it never decides about
// a certificate: the keep judges the same signed statements again.

import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { Perspective } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import { createBreaker } from './breaker.ts';
import type { ValidationSubject } from './check.ts';
import { createValidationMetrics } from './metrics.ts';
import { type Begun, createOneCheck, type FailedCheck, fault, type PassedCheck } from './one-check.ts';
import type { PerspectiveRegistry } from './registry.ts';
import { selectPerspectives } from './selection.ts';

/** How a validation came out. */
export type ControlOutcome =
  | {
      readonly kind: 'passed';
      readonly dcv: PassedCheck;
      /** Nothing where no permission is asked for: addresses, and profiles without CAA. */
      readonly caa: PassedCheck | undefined;
    }
  | FailedCheck;

/** Checks names. */
export type Checks = {
  /** Validates control of a name, and looks for permission to issue where the rules demand it. Never fails. */
  validate(subject: ValidationSubject, rules: ValidationRules | undefined): Promise<ControlOutcome>;
  /** Looks for permission alone: once more, before issuance. Never fails. */
  checkCaa(subject: ValidationSubject, rules: ValidationRules): Promise<PassedCheck | FailedCheck>;
  /** Why names cannot be validated by these rules now; nothing when they can, as far as is known. */
  shortage(rules: ValidationRules): string | undefined;
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
  /** For the primary, and then for the remote ones; 15 000 unless told. */
  readonly timeoutMs?: number | undefined;
};

/** How often the list of perspectives is looked at without a reason. */
const followMs = 10_000;

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
  const { primary, registry, secret, clock, log, timeoutMs = 15_000 } = options;
  const breaker = createBreaker(clock, log);
  const metrics = createValidationMetrics(options.metrics, () => breaker.open());
  const one = createOneCheck({ primary, registry, breaker, metrics, clock, log, timeoutMs });

  // Connections stand before the first name needs them, and follow perspectives that come, move and go.
  const follow = (): void =>
    void registry.list().catch((err: unknown) => log.debug({ err }, 'no list of perspectives'));
  const following = setInterval(follow, followMs).unref();
  follow();

  // BR §3.2.2.9: what an attempt uses is fixed before anybody is asked.
  const begin = async (
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<Begun | FailedCheck> => {
    const isOpen = (name: string): boolean => breaker.isOpen(name);
    const { value: name } = subject.identifier;
    const chosen =
      rules === undefined ? [] : selectPerspectives({ registered: await registry.list(), rules, name, secret, isOpen });
    const names = chosen.map((perspective) => perspective.name);
    if (rules !== undefined && chosen.length < rules.remotes && rules.mode === 'enforce') {
      const text = 'too few distinct perspectives are registered and enabled';
      log.error({ policy: rules.version, needed: rules.remotes, available: names }, text);
      registry.doubt();
      return fault(`${chosen.length} of ${rules.remotes} remote perspectives are available`);
    }
    const { orderId: order, authorizationId: authorization } = subject;
    return { chosen, attempt: { id: newUnguessableId(), order, authorization, perspectives: names } };
  };

  const checkPermission = async (
    begun: Begun,
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
  ): Promise<PassedCheck | FailedCheck> => {
    const own = await one.askPrimary('caa', begun, subject);
    return one.primaryFailure('caa', own, subject) ?? (await one.corroborate('caa', own, begun, subject, rules));
  };

  const validate = async (
    subject: ValidationSubject,
    rules: ValidationRules | undefined,
    demand: ReturnType<typeof caaDemand>,
  ): Promise<ControlOutcome> => {
    const begun = await begin(subject, rules);
    if ('kind' in begun) return begun;
    // Remote perspectives are asked when the primary passed everything that is sure to be demanded.
    const [control, permission] = await Promise.all([
      one.askPrimary('dcv', begun, subject),
      demand === 'on' ? one.askPrimary('caa', begun, subject) : undefined,
    ]);
    const failure =
      one.primaryFailure('dcv', control, subject) ??
      (permission === undefined ? undefined : one.primaryFailure('caa', permission, subject));
    if (failure !== undefined) return failure;
    const [dcv, alongside] = await Promise.all([
      one.corroborate('dcv', control, begun, subject, rules),
      permission === undefined ? undefined : one.corroborate('caa', permission, begun, subject, rules),
    ]);
    if (dcv.kind === 'failed') return dcv;
    const isLate = demand === 'where-signed' && dcv.isSigned;
    const caa = isLate ? await checkPermission(begun, subject, rules) : alongside;
    return caa?.kind === 'failed' ? caa : { kind: 'passed', dcv, caa };
  };

  const unlessBroken = async <Outcome>(work: () => Promise<Outcome>): Promise<Outcome | FailedCheck> => {
    try {
      return await work();
    } catch (error) {
      log.warn({ err: error }, 'the perspectives could not be asked');
      return fault('the perspectives of this server could not be asked');
    }
  };

  return {
    validate: (subject, rules) => unlessBroken(() => validate(subject, remoteRules(rules), caaDemand(subject, rules))),
    checkCaa: (subject, rules) =>
      unlessBroken(async () => {
        const counted = remoteRules(rules);
        const begun = await begin(subject, counted);
        return 'kind' in begun ? begun : await checkPermission(begun, subject, counted);
      }),
    shortage: (rules) => {
      if (remoteRules(rules) === undefined) return undefined;
      const available = selectPerspectives({
        registered: registry.known(),
        rules,
        name: '',
        secret,
        isOpen: () => false,
      });
      const [has, needs] = [available.length, rules.remotes];
      return has >= needs ? undefined : `${has} of ${needs} distinct perspectives are registered and enabled`;
    },
    close: async () => {
      clearInterval(following);
      await registry.close();
      await primary.close();
    },
  };
}

/** What the remote perspectives count by; nothing with mode `off` and where a profile leaves it to the gate. */
function remoteRules(rules: ValidationRules | undefined): ValidationRules | undefined {
  return rules?.mode === 'enforce' || rules?.mode === 'monitor' ? rules : undefined;
}
