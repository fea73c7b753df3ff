/**
 * Word in the audit log of callers that were turned away: unknown, disabled, or asking for what their kind may not. Each
 * caller is recorded at most once a minute for each rpc, so that nobody can fill the log by knocking.
 */
import type { CoreError } from '@gatehouse/proto/core-error';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import type { Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';

/** Records callers that were turned away. */
export type RefusedCallers = {
  /** Never rejects: a store that cannot record it is logged, and the caller still gets the first error. */
  record(caller: Caller, call: { readonly rpc: string; readonly requestId: string }, error: CoreError): Promise<void>;
};

const oncePerMinute = 1 / 60;

/** Starts with an empty memory. */
export function createRefusedCallers({ store, clock, log }: Pick<Keep, 'store' | 'clock' | 'log'>): RefusedCallers {
  const limiter = new RateLimiter({ ratePerSecond: oncePerMinute, burst: 1, clock, maximumKeys: 10_000 });
  return {
    async record(caller, { rpc, requestId }, error) {
      if (!limiter.take(`${caller.uri} ${rpc}`).ok) return;
      try {
        await store.commit({
          operations: [],
          events: [
            {
              action: 'caller-refused',
              actor: caller.uri,
              registrationAuthority: caller.kind === 'gate' ? caller.name : undefined,
              outcome: error.code,
              body: { rpc, detail: error.detail, credential: caller.serialNumber, requestId },
            },
          ],
        });
      } catch (cause) {
        log.error({ err: cause, requestId }, 'could not record that a caller was refused');
      }
    },
  };
}
