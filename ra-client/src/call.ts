// Making calls: the deadline, the request id, and repeating a call where repeating is safe, on another address first.
// A call that is not idempotent is never sent twice. Every failure comes out as CoreError.

import { CoreError, fromServiceError } from '@gatehouse/proto/core-error';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { CallMetrics } from './call-metrics.ts';
import type { CoreConnections } from './connections.ts';
import type { Endpoint } from './endpoint.ts';
import { startUnaryCall } from './unary-call.ts';

/** What a caller may say about one call. */
export type CallOptions = {
  /** Goes along to the keep's log and audit. */
  readonly requestId?: string | undefined;
  /** Time for the call with all its repetitions; the client's default unless told. */
  readonly timeoutMs?: number | undefined;
  /** For how long the call is repeated while no address answers; 0: each address is tried once. The client's default unless told. */
  readonly retryWindowMs?: number | undefined;
};

/** What a caller may say about a call that is answered by a stream. */
export type StreamOptions = CallOptions & {
  /** Ends the call; the iteration then ends as if the stream had. */
  readonly signal?: AbortSignal | undefined;
};

/** One remote procedure, as the generated service definitions describe it. */
export type Method<Request, Response> = {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (value: Buffer) => Response;
};

/** What calls need. */
export type Caller = {
  readonly connections: CoreConnections;
  readonly metrics: CallMetrics | undefined;
  readonly timeoutMs: number;
  /** For how long a call is repeated while no address answers: long enough for a keep that restarts, short enough for a client that waits. */
  readonly retryWindowMs: number;
};

const requestIdKey = 'gatehouse-request-id';
const firstPauseMs = 25;
const longestPauseMs = 500;
// An address that swallows packets must not use up the time in which another one could answer.
const connectTimeoutMs = 2_000;
const streamTimeoutMs = 600_000;

/**
 * Makes a unary call.
 *
 * @param isIdempotent whether the keep gives the same answer to a repetition
 * @throws {CoreError}
 */
export function callUnary<Request, Response>(
  caller: Caller,
  method: Method<Request, Response>,
  request: Request,
  isIdempotent: boolean,
  options: CallOptions | undefined,
): Promise<Response> {
  const { connections, metrics } = caller;
  const retryWindowMs = options?.retryWindowMs ?? caller.retryWindowMs;
  const start = Date.now();
  const deadline = start + (options?.timeoutMs ?? caller.timeoutMs);
  const metadata = createMetadata(options);
  const message = method.requestSerialize(request);
  const observe = metrics?.begin(method.path);
  return new Promise((resolve, reject) => {
    let tried: Set<Endpoint> | undefined;
    let pauseMs = firstPauseMs;

    const attempt = (): void => {
      if (connections.isClosed) {
        reject(new CoreError('unavailable', 'the client of the CA core was closed'));
        return;
      }
      const endpoint = connections.pick(tried);
      const { channel } = endpoint;
      channel.enter();
      const until = attemptDeadline(caller, endpoint, deadline, isIdempotent);
      startUnaryCall(channel.client, method.path, message, metadata, until, (failure, response) => {
        channel.leave();
        if (failure === undefined) succeeded(endpoint, response);
        else failed(endpoint, failure);
      });
    };

    const succeeded = (endpoint: Endpoint, encoded: Buffer): void => {
      endpoint.succeeded();
      let response: Response;
      try {
        response = method.responseDeserialize(encoded);
      } catch (cause) {
        observe?.('internal');
        reject(new CoreError('internal', 'the answer of the CA core cannot be read', { cause }));
        return;
      }
      observe?.('success');
      resolve(response);
    };

    const failed = (endpoint: Endpoint, cause: ServiceError): void => {
      const error = fromServiceError(cause);
      const isGone = isUnreachable(cause, error);
      if (isGone) endpoint.failed(cause.details);
      else endpoint.succeeded();
      const pause = isIdempotent && isGone ? nextPause(endpoint) : undefined;
      if (pause === undefined) {
        observe?.(error.code);
        reject(error);
      } else if (pause === 0) {
        attempt();
      } else {
        setTimeout(attempt, pause);
      }
    };

    /** Milliseconds until the next attempt, or undefined when it would come too late. */
    const nextPause = (endpoint: Endpoint): number | undefined => {
      tried ??= new Set();
      tried.add(endpoint);
      const now = Date.now();
      if (tried.size < connections.size) return now < deadline ? 0 : undefined;
      tried.clear();
      const pause = pauseMs * (0.5 + Math.random() / 2);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      return now + pause < Math.min(deadline, start + retryWindowMs) ? pause : undefined;
    };

    attempt();
  });
}

/**
 * Makes a call that is answered by a stream. Nothing is sent before the first record is asked for; ending the iteration ends the call.
 *
 * @throws {CoreError} from the iteration
 */
export async function* callStream<Request, Response>(
  caller: Caller,
  method: Method<Request, Response>,
  request: Request,
  options: StreamOptions | undefined,
): AsyncGenerator<Response, void, undefined> {
  const { connections, metrics } = caller;
  const signal = options?.signal;
  const observe = metrics?.begin(method.path);
  const deadline = Date.now() + (options?.timeoutMs ?? streamTimeoutMs);
  const tried = new Set<Endpoint>();
  for (;;) {
    if (isAborted(signal)) return;
    const endpoint = connections.pick(tried.size === 0 ? undefined : tried);
    const { channel } = endpoint;
    let hasBegun = false;
    channel.enter();
    const stream: ClientReadableStream<Response> = channel.client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      createMetadata(options),
      { deadline },
    );
    const cancel = (): void => stream.cancel();
    signal?.addEventListener('abort', cancel);
    try {
      for await (const record of stream) {
        hasBegun = true;
        yield record;
      }
      endpoint.succeeded();
      observe?.('success');
      return;
    } catch (cause) {
      if (!isServiceError(cause)) throw cause;
      if (isAborted(signal)) {
        observe?.('success');
        return;
      }
      const error = fromServiceError(cause);
      const isGone = isUnreachable(cause, error);
      if (isGone) endpoint.failed(cause.details);
      tried.add(endpoint);
      // What was delivered cannot be taken back: only a stream that gave nothing is begun again.
      if (!isGone || hasBegun || tried.size >= connections.size) {
        observe?.(error.code);
        throw error;
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
      stream.cancel();
      channel.leave();
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

function createMetadata(options: CallOptions | undefined): Metadata {
  const metadata = new Metadata();
  if (options?.requestId !== undefined) metadata.set(requestIdKey, options.requestId);
  return metadata;
}

function attemptDeadline({ connections }: Caller, endpoint: Endpoint, deadline: number, isIdempotent: boolean): number {
  if (connections.size === 1 || !isIdempotent) return deadline;
  const now = Date.now();
  // Half of the time is left for the others when this one turns out to be silent.
  const half = now + (deadline - now) / 2;
  return endpoint.health().state === 'ready' ? half : Math.min(half, now + connectTimeoutMs);
}

/** Whether the failure says that the address, not the request, is the trouble. */
function isUnreachable(cause: ServiceError, error: CoreError): boolean {
  if (error.code === 'unavailable') return true;
  // A connection that breaks in the middle of a call; the keep's own errors always carry their type.
  return (
    (cause.code === status.INTERNAL || cause.code === status.UNKNOWN) &&
    cause.metadata?.get('gatehouse-error-bin').length === 0
  );
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}
