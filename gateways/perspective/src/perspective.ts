// One vantage point of domain validation (mpic.md §2): it looks, and signs what it saw, a failure like a success. The same
// code runs alone as a remote perspective, and inside of the ACME gate as its primary. It keeps nothing between checks, and
// takes no expected text, address or URL from whoever asks.

import { CoreError } from '@gatehouse/ra-client/core-error';
import type { DomainValidationClient } from '@gatehouse/ra-client/domain-validation';
import type { Party } from '@gatehouse/ra-client/identity';
import type { CheckCaaRequest, CheckDomainControlRequest, Perspective } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { Metrics } from '@gatehouse/runtime/metrics';
import { createAddressPolicy } from './address-policy.ts';
import { build } from './build.ts';
import { checkCaa } from './check-caa.ts';
import { checkDomainControl } from './check-domain-control.ts';
import type { ValidationConfiguration } from './config.ts';
import { createDnsResolver } from './dns/resolver.ts';
import type { Finding } from './finding.ts';
import { answersForLocalhost } from './localhost.ts';
import type { LookingParts } from './looking.ts';
import { createCheckMetrics } from './metrics.ts';
import { MalformedRequestError } from './request.ts';
import { startSelfTest } from './self-test.ts';
import { SigningKeys } from './signing-keys.ts';
import { signStatement } from './statement.ts';

/** What {@link createPerspective} takes. */
export type PerspectiveOptions = {
  /** Who it is, by its credential: a perspective, or the gate that it runs inside of. */
  readonly holder: Party;
  /** `host:port` where gates reach it; empty inside of a gate. */
  readonly address: string;
  /** How it looks at names. */
  readonly validation: ValidationConfiguration;
  /** Asks the resolvers for names below localhost too: those of test suites have records for them. */
  readonly asksForLocalhost?: boolean | undefined;
  /** File with the key of its statements, made when it is not there. */
  readonly keyFile: string;
  /** How long a key is used, milliseconds; 90 days unless told. */
  readonly keyLife?: number | undefined;
  /** Where its key is registered. */
  readonly core: DomainValidationClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
};

/** A perspective in this process. */
export type LocalPerspective = Perspective & {
  /** Why it should not be asked now; looked at for readiness. */
  problems(): readonly ReadinessProblem[];
};

/** The answer needs some time to be signed and to get back before the asker gives up. */
const reserveMs = 250;

/** Opens the key, begins to register it and to test the resolvers. @throws {FatalError} when the file of the key cannot be used */
export function createPerspective(options: PerspectiveOptions): LocalPerspective {
  const { holder, address, validation, keyFile, keyLife = 90 * 86_400_000, core, clock, log } = options;
  const metrics = createCheckMetrics(options.metrics);
  const keys = new SigningKeys({ file: keyFile, holder, address, build, keyLife, core, clock, log });
  const selfTest = startSelfTest({ validation, log });
  const parts = createParts(options);
  let isClosed = false;

  const problems = (): readonly ReadinessProblem[] => {
    const ofKey = keys.problem;
    return [...(ofKey === undefined ? [] : [ofKey]), ...describeResolvers(selfTest.problems(), validation)];
  };

  const check = async (
    look: (deadline: Date) => Promise<Finding>,
    perspectives: readonly string[] | undefined,
    deadline: Date,
  ): Promise<string> => {
    const startedAt = performance.now();
    if (isClosed) throw new CoreError('unavailable', 'the perspective is being closed');
    refuseForeignAttempt(holder, perspectives);
    const until = earlier(deadline, clock.now());
    // Before anything is looked at: what could not be signed need not be seen.
    const { site, rir, keyId, key } = await keys.signer(until);
    const finding = await look(until).catch((error: unknown) => {
      if (error instanceof MalformedRequestError) throw new CoreError('malformed', error.detail);
      throw error;
    });
    const statement = signStatement(finding, { holder: holder.uri, site, rir, build, keyId, key });
    const seconds = (performance.now() - startedAt) / 1000;
    metrics.checked(finding, seconds);
    // What is proved is kept with the certificate; what is not, somebody will ask for.
    log[finding.result === 'pass' ? 'debug' : 'info']({ ...describeFinding(finding), seconds }, 'looked at a name');
    return statement;
  };

  return {
    checkDomainControl: (request: CheckDomainControlRequest, deadline) =>
      check((until) => checkDomainControl(parts, request, until), request.attempt?.perspectives, deadline),
    checkCaa: (request: CheckCaaRequest, deadline) =>
      check((until) => checkCaa(parts, request, until), request.attempt?.perspectives, deadline),
    describe: async () => {
      const { keyId, registration } = keys.current;
      return {
        name: holder.name,
        site: registration?.site ?? '',
        rir: registration?.rir ?? '',
        build,
        keyId,
        now: clock.now(),
        problems: problems().map(({ detail }) => detail),
        validatesDnssec: selfTest.validatesDnssec(),
      };
    },
    problems,
    close: async () => {
      isClosed = true;
      keys.close();
      selfTest.close();
    },
  };
}

function createParts({ validation, asksForLocalhost = false, clock, log }: PerspectiveOptions): LookingParts {
  const { resolver, resolverTimeout, zones, allow, refuse, httpPort, tlsPort } = validation;
  const zoneResolvers = zones.flatMap(({ zone, resolver: own }) => [{ zone, resolvers: own ?? resolver }]);
  const asked = createDnsResolver({ resolvers: resolver, zones: zoneResolvers, tryMs: resolverTimeout });
  return {
    resolver: asksForLocalhost ? asked : answersForLocalhost(asked),
    addressPolicy: createAddressPolicy({ allow, zones, refuse }),
    httpPort,
    tlsPort,
    // Inside of a gate they are those of the keep's profiles, which may be heard of later.
    get issuerDomainNames() {
      return validation.issuerDomainNames;
    },
    accountHashPrefix: validation.accountHashPrefix,
    clock,
    log,
  };
}

/** BR §3.2.2.9: an attempt names those that it uses beforehand; a remote one that is not among them was not meant. */
function refuseForeignAttempt(holder: Party, perspectives: readonly string[] | undefined): void {
  if (holder.kind !== 'perspective' || perspectives === undefined || perspectives.includes(holder.name)) return;
  throw new CoreError('malformed', `attempt: it does not use the perspective ${holder.name}`);
}

function earlier(deadline: Date, now: Date): Date {
  const leftMs = deadline.getTime() - now.getTime();
  if (leftMs <= 0) throw new CoreError('unavailable', 'the deadline is over');
  return new Date(deadline.getTime() - Math.min(reserveMs, leftMs / 4));
}

/** Resolvers that fail their test spoil only what relies on DNSSEC, unless the operator says otherwise. */
function describeResolvers(
  problems: readonly string[],
  { requireDnssec }: ValidationConfiguration,
): readonly ReadinessProblem[] {
  return problems.map((detail) => ({ check: 'resolver', detail, isTolerable: !requireDnssec }));
}

function describeFinding(finding: Finding): Readonly<Record<string, unknown>> {
  const { attempt, check, identifier, isWildcard, method, result, problem, used } = finding;
  return { attempt, check, identifier: identifier.value, isWildcard, method, result, problem, used };
}
