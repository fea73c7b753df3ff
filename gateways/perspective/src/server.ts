// The surface of a remote perspective: the three calls of PerspectiveService, for the gates on its list alone. The caller is
// the URI in the certificate of its connection; how much one of them may ask at once is bounded, and so is how long.

import { CoreError } from '@gatehouse/ra-client/core-error';
import { type Party, readParties } from '@gatehouse/ra-client/identity';
import { type PerspectiveServiceServer, toServiceError } from '@gatehouse/ra-client/perspective-service';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import type { PerspectiveConfiguration } from './config.ts';
import type { LocalPerspective } from './perspective.ts';

/** What {@link perspectiveService} takes. */
export type PerspectiveServiceOptions = {
  readonly perspective: LocalPerspective;
  readonly configuration: Pick<PerspectiveConfiguration, 'callers' | 'limits'>;
  /** The caller behind a call's `getPeer()`. */
  readonly callerOf: (peer: string) => Party | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/**
 * Who a connection is, by its verified certificate (DER).
 *
 * @throws {CoreError} `unauthorized` when the certificate names no party of Gatehouse, or more than one
 */
export function identifyParty(certificate: Uint8Array): Party {
  const [party, ...others] = readParties(certificate);
  if (party !== undefined && others.length === 0) return party;
  throw new CoreError('unauthorized', 'the client certificate must name exactly one party of Gatehouse');
}

/** The handlers. */
export function perspectiveService(options: PerspectiveServiceOptions): PerspectiveServiceServer {
  const { perspective } = options;
  const admit = createGuard(options);
  return {
    checkDomainControl: admit('CheckDomainControl', async (request, deadline) => ({
      jws: await perspective.checkDomainControl(request, deadline),
    })),
    checkCaa: admit('CheckCaa', async (request, deadline) => ({ jws: await perspective.checkCaa(request, deadline) })),
    describe: admit('Describe', (_request, deadline) => perspective.describe(deadline)),
  };
}

/** What all calls have in common: who asks, whether there is room, until when, and the one form of error. */
function createGuard({ configuration, callerOf, clock, log, metrics }: PerspectiveServiceOptions) {
  const { limits } = configuration;
  const callers = new Set(configuration.callers);
  const busy = createOccupancy(limits);
  const refusals = metrics.counter({
    name: 'perspective_refused_calls_total',
    help: 'Calls that were answered with an error instead of a statement, by procedure and error.',
    labels: ['procedure', 'error'],
  });
  metrics.gauge({
    name: 'perspective_calls_in_flight',
    help: 'Calls that are being answered.',
    collect: (gauge) => gauge.set(busy.total()),
  });

  const admitted = (peer: string): Party => {
    const caller = callerOf(peer);
    if (caller === undefined)
      throw new CoreError('unauthorized', 'the connection has no caller, or its certificate ended');
    if (caller.kind === 'ra' && callers.has(caller.name)) return caller;
    throw new CoreError('unauthorized', `${caller.uri} is not on the list of callers of this perspective`);
  };

  return <Request, Response>(
    procedure: string,
    answer: (request: Request, deadline: Date) => Promise<Response>,
  ): handleUnaryCall<Request, Response> =>
    async (call, callback) => {
      try {
        const leave = busy.enter(admitted(call.getPeer()).name);
        try {
          callback(null, await answer(call.request, deadlineOf(call, clock, limits.longest)));
        } finally {
          leave();
        }
      } catch (thrown) {
        const error = asCoreError(thrown);
        refusals.inc({ procedure, error: error.code });
        const facts = { procedure, caller: callerOf(call.getPeer())?.uri, peer: call.getPeer(), code: error.code };
        if (error.code === 'internal') log.error({ ...facts, err: thrown }, 'a call failed unexpectedly');
        else log.warn({ ...facts, err: error.cause }, error.detail);
        callback(toServiceError(error));
      }
    };
}

type Occupancy = {
  total(): number;
  /** @returns the function to call at the end. @throws {CoreError} `rate-limited` when there is no room */
  enter(caller: string): () => void;
};

function createOccupancy({ atOnce, atOncePerCaller }: PerspectiveConfiguration['limits']): Occupancy {
  const calls = new Map<string, number>();
  let total = 0;
  return {
    total: () => total,
    enter: (caller) => {
      const own = calls.get(caller) ?? 0;
      if (total >= atOnce || own >= atOncePerCaller) {
        const whose = own >= atOncePerCaller ? `${own} of this caller` : `${total}`;
        throw new CoreError('rate-limited', `${whose} checks are under way`, { retryAfterSeconds: 1 });
      }
      calls.set(caller, own + 1);
      total++;
      return () => {
        total--;
        calls.set(caller, (calls.get(caller) ?? 1) - 1);
      };
    },
  };
}

/** The caller's deadline, and never later than our own limit. */
function deadlineOf(call: ServerUnaryCall<unknown, unknown>, clock: Clock, longestMs: number): Date {
  const latest = clock.now().getTime() + longestMs;
  const wanted = call.getDeadline();
  return new Date(Math.min(wanted instanceof Date ? wanted.getTime() : wanted, latest));
}

function asCoreError(thrown: unknown): CoreError {
  if (thrown instanceof CoreError) return thrown;
  return new CoreError('internal', 'the perspective could not answer', { cause: thrown });
}
