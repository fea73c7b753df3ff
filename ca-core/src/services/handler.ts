/**
 * What every call has in common: who calls, whether that kind of caller may, how long it took, how it ended, and the one
 * form of error. A service hands over a function of caller and request; it never sees a connection.
 */
import type { EventEmitter } from 'node:events';
import { CoreError, toServiceError } from '@gatehouse/proto/core-error';
import { isRequestId, newRequestId } from '@gatehouse/runtime/identifiers';
import type { Logger } from '@gatehouse/runtime/log';
import type { handleServerStreamingCall, handleUnaryCall, Metadata } from '@grpc/grpc-js';
import type { Keep } from '../keep.ts';
import { authorize } from '../registry/authorization.ts';
import type { Caller } from '../registry/caller.ts';
import type { RefusedCallers } from './refused-callers.ts';

/** What a service knows about a call. */
export type CallContext = {
  readonly caller: Caller;
  /** The same in the gate's log and in ours. */
  readonly requestId: string;
  readonly log: Logger;
};

/** Finds the caller of a connection. */
export type CallerLookup = (peer: string) => Caller | undefined;

/** What handlers need besides the keep. */
export type HandlerOptions = {
  readonly keep: Keep;
  readonly callerOf: CallerLookup;
  readonly refusedCallers: RefusedCallers;
};

/** Name of the metadata that carries the request id over the bridge. */
const requestIdKey = 'gatehouse-request-id';

/** A handler of a unary rpc. `path` is its full name: `/gatehouse.ca.v1.CertificateAuthority/Enroll`. */
export function unary<Request, Response>(
  options: HandlerOptions,
  path: string,
  handle: (context: CallContext, request: Request) => Response | Promise<Response>,
  profileOf: (request: Request) => string = () => '',
): handleUnaryCall<Request, Response> {
  const { keep } = options;
  const rpc = rpcOf(path);
  return (call, callback) => {
    const startedAt = performance.now();
    const requestId = readRequestId(call.metadata);
    const finish = (outcome: string, profile: string): void => {
      keep.metrics.requests.inc({ rpc, profile: keep.profiles.has(profile) ? profile : '', outcome });
      keep.metrics.requestDuration.observe({ rpc }, (performance.now() - startedAt) / 1000);
    };
    admitted(options, path, call.getPeer(), requestId)
      .then((context) => handle(context, call.request))
      .then(
        (response) => {
          finish('ok', profileOf(call.request));
          callback(null, response);
        },
        (thrown: unknown) => {
          const error = asCoreError(keep, thrown, rpc, requestId, options.callerOf(call.getPeer()));
          finish(error.code, profileOf(call.request));
          callback(toServiceError(error));
        },
      );
  };
}

/** A handler of an rpc that streams its answer; a slow reader slows the source down. */
export function serverStreaming<Request, Response>(
  options: HandlerOptions,
  path: string,
  handle: (context: CallContext, request: Request) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  const { keep } = options;
  const rpc = rpcOf(path);
  return async (call) => {
    const startedAt = performance.now();
    const requestId = readRequestId(call.metadata);
    let outcome = 'ok';
    try {
      const context = await admitted(options, path, call.getPeer(), requestId);
      for await (const message of handle(context, call.request)) {
        if (call.cancelled) break;
        if (!call.write(message)) await drained(call);
      }
      call.end();
    } catch (thrown) {
      // A reader that is gone is told nothing, and that it could not be told is no failure.
      if (call.cancelled && isRefusal(thrown)) outcome = 'cancelled';
      else {
        const error = asCoreError(keep, thrown, rpc, requestId, options.callerOf(call.getPeer()));
        outcome = error.code;
        call.emit('error', toServiceError(error));
      }
    }
    keep.metrics.requests.inc({ rpc, profile: '', outcome });
    keep.metrics.requestDuration.observe({ rpc }, (performance.now() - startedAt) / 1000);
  };
}

async function admitted(options: HandlerOptions, path: string, peer: string, requestId: string): Promise<CallContext> {
  const { keep, refusedCallers } = options;
  const caller = options.callerOf(peer);
  if (caller === undefined) throw new CoreError('unauthorized', 'the connection has no caller');
  try {
    authorize(path, caller);
    keep.registry.admitCall(caller);
  } catch (error) {
    if (error instanceof CoreError) await refusedCallers.record(caller, { rpc: rpcOf(path), requestId }, error);
    throw error;
  }
  return { caller, requestId, log: keep.log };
}

/** Whether somebody was refused on purpose: with a cause it is a failure. */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof CoreError && thrown.code !== 'internal' && thrown.cause === undefined;
}

function rpcOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function asCoreError(keep: Keep, thrown: unknown, rpc: string, requestId: string, caller?: Caller): CoreError {
  if (thrown instanceof CoreError && thrown.code !== 'internal') {
    const level = thrown.code === 'unavailable' ? 'error' : 'info';
    keep.log[level]({ rpc, requestId, caller: caller?.uri, code: thrown.code, err: thrown.cause }, thrown.detail);
    return thrown;
  }
  const incident = newRequestId();
  keep.log.error({ rpc, requestId, caller: caller?.uri, incident, err: thrown }, 'a call failed unexpectedly');
  return new CoreError('internal', 'the CA could not answer', { incident });
}

function readRequestId(metadata: Metadata): string {
  const [given] = metadata.get(requestIdKey);
  // A gate's id is taken over only in our own form, so that nobody can write into our log.
  return typeof given === 'string' && isRequestId(given) ? given : newRequestId();
}

/** Until the reader has taken what was written, or is gone. */
function drained(call: Pick<EventEmitter, 'once' | 'off'>): Promise<void> {
  const events = ['drain', 'cancelled', 'close'];
  return new Promise((resolve) => {
    const done = (): void => {
      // A long answer waits thousands of times, and whatever stayed behind would be there each time.
      for (const event of events) call.off(event, done);
      resolve();
    };
    for (const event of events) call.once(event, done);
  });
}
