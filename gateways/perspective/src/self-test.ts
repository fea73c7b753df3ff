// Whether the resolvers can be relied upon (mpic.md §2.4): one that validates DNSSEC answers for a signed name with AD set,
// and not at all (SERVFAIL) for one whose signature is known to be wrong. Each resolver is asked by itself, again and again;
// what was found last counts.

import type { Logger } from '@gatehouse/runtime/log';
import type { ValidationConfiguration } from './config.ts';
import { createDnsResolver, type DnsResolver } from './dns/resolver.ts';
import { parseUpstream } from './dns/upstream.ts';

/** What {@link startSelfTest} takes. */
export type SelfTestOptions = {
  readonly validation: Pick<ValidationConfiguration, 'resolver' | 'resolverTimeout' | 'requireDnssec' | 'selfTest'>;
  readonly log: Logger;
  /** Five minutes unless told; half a minute while something is wrong. */
  readonly intervalMs?: number | undefined;
};

/** What was found last. */
export type SelfTest = {
  /** Sentences for the operator; none when all is well. */
  problems(): readonly string[];
  /** Whether every resolver proved that it validates. */
  validatesDnssec(): boolean;
  /** Tests now. Called by itself; never rejects. */
  run(): Promise<void>;
  close(): void;
};

type Finding = { readonly problems: readonly string[]; readonly validatesDnssec: boolean };

const troubledIntervalMs = 30_000;

/** Begins to test. */
export function startSelfTest({ validation, log, intervalMs = 300_000 }: SelfTestOptions): SelfTest {
  const { signed, bogus } = validation.selfTest;
  const resolvers = validation.resolver.map((text) => ({
    text,
    isLoopback: parseUpstream(text)?.isLoopback === true,
    resolver: createDnsResolver({ resolvers: [text], tryMs: validation.resolverTimeout }),
  }));
  let found: Finding = untested(validation);
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const testAll = async (): Promise<Finding> => {
    const problems = await Promise.all(
      resolvers.map(async ({ text, resolver, isLoopback }) => [
        ...(isLoopback || !validation.requireDnssec
          ? []
          : [`resolver ${text} is not on a loopback address: its word on DNSSEC does not count`]),
        ...(signed === undefined ? [] : await testSigned(resolver, text, signed, isLoopback)),
        ...(bogus === undefined ? [] : await testBogus(resolver, text, bogus)),
      ]),
    );
    const all = [...problems.flat(), ...missingNames(validation)];
    const isTested = signed !== undefined && bogus !== undefined && resolvers.every(({ isLoopback }) => isLoopback);
    return { problems: all, validatesDnssec: isTested && all.length === 0 };
  };

  const run = (): Promise<void> => {
    clearTimeout(timer);
    running ??= testAll()
      .then((finding) => {
        if (finding.problems.join() !== found.problems.join()) tell(log, finding);
        found = finding;
      })
      .finally(() => {
        running = undefined;
        if (isClosed || (signed === undefined && bogus === undefined)) return;
        timer = setTimeout(run, found.problems.length === 0 ? intervalMs : Math.min(intervalMs, troubledIntervalMs));
        timer.unref();
      });
    return running;
  };
  run();

  return {
    problems: () => found.problems,
    validatesDnssec: () => found.validatesDnssec,
    run,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

function untested({ selfTest: { signed, bogus } }: SelfTestOptions['validation']): Finding {
  const isDue = signed !== undefined || bogus !== undefined;
  return { problems: isDue ? ['the resolvers have not been tested yet'] : [], validatesDnssec: false };
}

function missingNames({ requireDnssec, selfTest }: SelfTestOptions['validation']): readonly string[] {
  if (!requireDnssec || (selfTest.signed !== undefined && selfTest.bogus !== undefined)) return [];
  return ['requireDnssec needs both names of selfTest: without them nothing proves that the resolvers validate'];
}

async function testSigned(
  resolver: DnsResolver,
  text: string,
  name: string,
  isLoopback: boolean,
): Promise<readonly string[]> {
  const answer = await resolver.query(name, 'A', longest());
  if (answer.outcome === 'failed') return [`resolver ${text}: ${answer.detail}`];
  if (answer.lookup.isAuthenticated || !isLoopback) return [];
  return [`resolver ${text} does not validate DNSSEC: its answer for ${name}, which is signed, comes without AD`];
}

async function testBogus(resolver: DnsResolver, text: string, name: string): Promise<readonly string[]> {
  const { outcome, lookup } = await resolver.query(name, 'A', longest());
  if (outcome === 'failed' && lookup.rcode === 'SERVFAIL') return [];
  return [
    `resolver ${text} does not validate DNSSEC: ${name}, whose signature is wrong, gives ${lookup.rcode} instead of SERVFAIL`,
  ];
}

/** Each try has its own limit; this bounds them all. */
function longest(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

function tell(log: Logger, { problems, validatesDnssec }: Finding): void {
  const facts = { problems, validatesDnssec };
  if (problems.length === 0) log.info(facts, 'the resolvers passed their test');
  else log.error(facts, 'the resolvers did not pass their test');
}
