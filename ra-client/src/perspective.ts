// Asking a perspective to look at a name (BR §3.2.2.9): over mutually authenticated TLS, one that proves to be the perspective
// that was meant, once. A question is never repeated: what an attempt uses is fixed before it, and no answer is an answer.

import { CoreError, fromServiceError } from '@gatehouse/proto/core-error';
import {
  type Attempt,
  type CheckCaaRequest,
  type CheckDomainControlRequest,
  type Description,
  PerspectiveServiceService as procedures,
  type ValidationIdentifier,
} from '@gatehouse/proto/perspective';
import { maximumStatementOctets } from '@gatehouse/proto/perspective-statement';
import type { Logger } from '@gatehouse/runtime/log';
import { connectivityState, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Method } from './call.ts';
import { BridgeChannel, type ExpectedServer } from './channel.ts';
import type { Credential } from './credential.ts';
import type { CredentialSource } from './credential-source.ts';
import { formatPartyUri, perspectiveServerName } from './identity.ts';
import { startUnaryCall } from './unary-call.ts';

export type { Attempt, CheckCaaRequest, CheckDomainControlRequest, Description, ValidationIdentifier };

/**
 * One vantage point, inside of the gate or far away. Statements are compact JWSs; a failed validation is a statement too.
 * What could not be asked or answered fails with {@link CoreError}: `malformed`, `unauthorized`, `rate-limited`,
 * `unavailable` (late, or not reached) or `internal`.
 */
export type Perspective = {
  /** Validates control of one identifier by one method. */
  checkDomainControl(request: CheckDomainControlRequest, deadline: Date): Promise<string>;
  /** Looks for permission to issue, RFC 8659. */
  checkCaa(request: CheckCaaRequest, deadline: Date): Promise<string>;
  /** What it says about itself. */
  describe(deadline: Date): Promise<Description>;
  /** Ends it; questions that are under way fail. */
  close(): Promise<void>;
};

/** A remote perspective. */
export type PerspectiveClient = Perspective & {
  /** As it is registered. */
  readonly name: string;
  /** `host:port`. */
  readonly address: string;
  /** Whether a connection stands; begins to connect when none does. */
  isConnected(): boolean;
};

/** What {@link connectPerspective} takes. */
export type PerspectiveClientOptions = {
  /** `host:port`, as the keep lists it. */
  readonly address: string;
  /** Name of the perspective: only a server whose certificate has its URI is asked. */
  readonly name: string;
  /** The gate's own credential; a new one is used for what is asked from then on. */
  readonly credential: CredentialSource;
  readonly log: Logger;
};

// A new credential's connection should stand before the old one is left.
const swapTimeoutMs = 5_000;

/**
 * Creates the client of a perspective. It connects at once, so that the first attempt need not wait for a handshake.
 *
 * @example
 * const dublin = connectPerspective({ address: '203.0.113.7:5290', name: 'dublin', credential, log });
 * const statement = await dublin.checkCaa(request, new Date(Date.now() + 10_000));
 */
export function connectPerspective({ address, name, credential, log }: PerspectiveClientOptions): PerspectiveClient {
  const expected: ExpectedServer = {
    kind: 'uri',
    uri: formatPartyUri('perspective', name),
    name: perspectiveServerName,
  };
  const open = (held: Credential): BridgeChannel => new BridgeChannel(address, held, expected);
  let channel = open(credential.current());
  let isClosed = false;
  channel.state(true);

  const swap = async (changed: Credential): Promise<void> => {
    const next = open(changed);
    await next.connect(swapTimeoutMs);
    // Closed meanwhile, or a still newer credential came.
    if (isClosed || credential.current() !== changed) {
      next.abort();
      return;
    }
    const old = channel;
    channel = next;
    await old.retire();
  };
  const stopFollowing = credential.onChange((changed) => {
    swap(changed).catch((error: unknown) => {
      log.error({ err: error, perspective: name }, 'a new credential cannot be used with a perspective');
    });
  });

  const ask = async <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    deadline: Date,
  ): Promise<Response> => {
    if (isClosed) throw new CoreError('unavailable', `the client of the perspective ${name} was closed`);
    return await askOnce(channel, method, request, deadline, `the perspective ${name}`);
  };
  return {
    name,
    address,
    checkDomainControl: async (request, deadline) =>
      withinLimit(name, (await ask(procedures.checkDomainControl, request, deadline)).jws),
    checkCaa: async (request, deadline) => withinLimit(name, (await ask(procedures.checkCaa, request, deadline)).jws),
    describe: (deadline) => ask(procedures.describe, {}, deadline),
    isConnected: () => channel.state(true) === connectivityState.READY,
    close: async () => {
      isClosed = true;
      stopFollowing();
      channel.abort();
    },
  };
}

function askOnce<Request, Response>(
  channel: BridgeChannel,
  method: Method<Request, Response>,
  request: Request,
  deadline: Date,
  server: string,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const settle = (failure: ServiceError | undefined, encoded: Buffer): void => {
    channel.leave();
    if (failure !== undefined) {
      reject(fromServiceError(failure, server));
      return;
    }
    try {
      resolve(method.responseDeserialize(encoded));
    } catch (cause) {
      reject(new CoreError('internal', `the answer of ${server} cannot be read`, { cause }));
    }
  };
  channel.enter();
  startUnaryCall(
    channel.client,
    method.path,
    method.requestSerialize(request),
    new Metadata(),
    deadline.getTime(),
    settle,
  );
  return promise;
}

function withinLimit(name: string, jws: string): string {
  if (jws !== '' && jws.length <= maximumStatementOctets) return jws;
  throw new CoreError('internal', `the perspective ${name} gave a statement of ${jws.length} octets`);
}
