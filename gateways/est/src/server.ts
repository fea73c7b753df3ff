// The surface of EST, RFC 7030 §3.2.2: which operation answers which path, method and media type. Routes and nothing
// else: what an operation does is in its own room, who may use it in authenticate.ts, what a refusal becomes in errors.ts.

import { bodyAnswer } from '@gatehouse/gateway-kit/answer';
import { BodyError } from '@gatehouse/gateway-kit/body';
import { noteCoreError } from '@gatehouse/gateway-kit/error-table';
import { simpleEnroll } from '@gatehouse/gateway-kit/est/enroll';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { isOperationName, type OperationName } from '@gatehouse/gateway-kit/est/operation-names';
import { simpleReenroll } from '@gatehouse/gateway-kit/est/reenroll';
import { generateServerKey } from '@gatehouse/gateway-kit/est/server-key-generation';
import type { Exchange, GateEnvironment } from '@gatehouse/gateway-kit/exchange';
import { ProxyHeaderError, resolvePeer } from '@gatehouse/gateway-kit/proxy';
import { CertificationRequestError } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Logger } from '@gatehouse/runtime/log';
import { type Context, Hono } from 'hono';
import { authenticate, type EstIdentity, type Identify, type MessageProofs } from './authenticate.ts';
import { fullCmc, maximumMessageOctets } from './cmc/full-cmc.ts';
import { withContentTransferEncoding } from './content-transfer-encoding.ts';
import { answerCoreError, answerEstError, answerInternal, HttpRefusal } from './errors.ts';
import type { EstAnswer, EstExchange } from './exchange.ts';
import type { EstGate } from './gate.ts';
import { readMediaType } from './media-type.ts';
import { routePath } from './router.ts';
import {
  answerCaCertificates,
  answerCsrAttributes,
  answerGeneratedKey,
  answerOutcome,
  readRequestBody,
} from './translate.ts';

/** One row of the table. */
type Operation =
  | {
      readonly method: 'GET';
      /** Whether the label wants a proof for it. */
      readonly isProtected: (exchange: EstExchange) => boolean;
      readonly answer: (gate: EstGate, exchange: EstExchange) => Promise<EstAnswer>;
    }
  | {
      readonly method: 'POST';
      readonly mediaType: string;
      /** Largest body, octets as they come. */
      readonly maximumBody: number;
      readonly answer: (gate: EstGate, exchange: EstExchange, identity: EstIdentity) => Promise<EstAnswer>;
    }
  | {
      readonly method: 'POST';
      readonly mediaType: string;
      readonly maximumBody: number;
      /** For messages that bring proofs of their own: the operation says by what else the client is identified. */
      readonly answerMessage: (gate: EstGate, exchange: EstExchange, identify: Identify) => Promise<EstAnswer>;
    };

const pkcs10 = { method: 'POST', mediaType: 'application/pkcs10', maximumBody: 32_768 } as const;

/** The operations of this gate. */
const operations: Readonly<Record<OperationName, Operation>> = {
  cacerts: {
    method: 'GET',
    isProtected: () => false,
    answer: answerCaCertificates,
  },
  csrattrs: {
    method: 'GET',
    isProtected: ({ label }) => label.authentication.csrAttributes,
    answer: answerCsrAttributes,
  },
  simpleenroll: {
    ...pkcs10,
    answer: async (gate, exchange, identity) =>
      answerOutcome(await simpleEnroll(gate, exchange, identity, readRequestBody(exchange.body))),
  },
  simplereenroll: {
    ...pkcs10,
    answer: async (gate, exchange, identity) =>
      answerOutcome(await simpleReenroll(gate, exchange, identity, readRequestBody(exchange.body))),
  },
  serverkeygen: {
    ...pkcs10,
    answer: async (gate, exchange, identity) =>
      await answerGeneratedKey(await generateServerKey(gate, exchange, identity, readRequestBody(exchange.body))),
  },
  fullcmc: {
    method: 'POST',
    mediaType: 'application/pkcs7-mime',
    maximumBody: maximumMessageOctets,
    answerMessage: fullCmc,
  },
};

/** What is counted: answers by operation, label and status. */
export type CountAnswer = (operation: string, label: string, status: number) => void;

/** Makes the app of the gate. */
export function createApp(gate: EstGate, log: Logger, count: CountAnswer): Hono<GateEnvironment> {
  const app = new Hono<GateEnvironment>();
  app.all('*', async (context) => {
    const { exchange } = context.env;
    const limited = gate.limits.takeForAddress(exchange.peer.remoteAddress);
    if (limited !== undefined) return limited;
    let wasUndelivered = false;
    let onUndelivered: (() => Promise<void>) | undefined;
    // Registered before any work: the client may be gone before there is an answer.
    exchange.onUndelivered(() => {
      wasUndelivered = true;
      onUndelivered?.().catch((error: unknown) => log.error({ err: error }, 'clearing up after a lost answer failed'));
    });
    const answer = await answerRequest(gate, context, log, count);
    onUndelivered = answer.onUndelivered;
    if (wasUndelivered) await onUndelivered?.();
    return toResponse(exchange, answer);
  });
  return app;
}

async function answerRequest(
  gate: EstGate,
  context: Context<GateEnvironment>,
  log: Logger,
  count: CountAnswer,
): Promise<EstAnswer> {
  const { exchange } = context.env;
  const { requestId, target } = exchange;
  let routed: { readonly operation: string; readonly label: string } | undefined;
  let answer: EstAnswer;
  try {
    const { name, operation, label } = findOperation(gate, target);
    routed = { operation: name, label: label.name };
    exchange.note(routed);
    if (context.req.method !== operation.method) {
      throw new HttpRefusal('method-not-allowed', `${name} takes ${operation.method}`, {
        headers: { allow: operation.method },
      });
    }
    if (operation.method === 'POST') demandMediaType(context.req.header('content-type'), operation.mediaType, label);
    const estExchange: EstExchange = {
      requestId,
      log,
      operation: name,
      label,
      authorization: context.req.header('authorization'),
      method: context.req.method,
      target,
      // Read before anything is refused for want of a proof: the connection then stays usable for the second attempt,
      // and a CSR that is bound to it stays right.
      body: operation.method === 'POST' ? await exchange.readBody(operation.maximumBody) : new Uint8Array(0),
      peer: resolvePeer(exchange.peer, (field) => context.req.header(field), gate.configuration.proxies),
      note: (facts) => exchange.note(facts),
    };
    answer = await answerOperation(gate, estExchange, operation);
    if (label.sendsContentTransferEncoding) answer = withContentTransferEncoding(answer);
  } catch (error) {
    answer = answerError(error, exchange, log);
  }
  count(routed?.operation ?? 'none', routed?.label ?? 'none', answer.status);
  return answer;
}

async function answerOperation(gate: EstGate, exchange: EstExchange, operation: Operation): Promise<EstAnswer> {
  if (operation.method === 'GET') {
    if (operation.isProtected(exchange)) await identify(gate, exchange);
    return await operation.answer(gate, exchange);
  }
  if ('answer' in operation) return await operation.answer(gate, exchange, await identify(gate, exchange));
  return await operation.answerMessage(gate, exchange, (as, proofs) => identify(gate, as, proofs));
}

async function identify(gate: EstGate, exchange: EstExchange, message?: MessageProofs): Promise<EstIdentity> {
  const identity = await authenticate(gate.authentication, exchange, message);
  const { kind, id } = identity.requester;
  exchange.note({ requester: id, requesterKind: kind });
  const limited = gate.limits.takeForRequester(`${kind} ${id}`);
  if (limited !== undefined) {
    const retryAfterSeconds = Number(limited.headers.get('retry-after'));
    throw new EstError('too-many-requests', 'too many requests', { retryAfterSeconds });
  }
  return identity;
}

function findOperation(gate: EstGate, target: string) {
  const route = routePath(target);
  const label = route === undefined ? undefined : gate.labels.find(route.label);
  const name = route?.operation ?? '';
  const operation = isOperationName(name) ? operations[name] : undefined;
  if (label === undefined || operation === undefined || !isOperationName(name) || !label.operations.includes(name)) {
    throw new EstError('not-found', 'there is no such operation or label');
  }
  return { name, operation, label };
}

// Compared without case and parameters; a missing one is refused unless the label says otherwise.
function demandMediaType(value: string | undefined, mediaType: string, label: EstExchange['label']): void {
  if (value === undefined ? label.acceptsMissingContentType : readMediaType(value) === mediaType) return;
  throw new EstError('unsupported-media-type', `the body must be ${mediaType}`);
}

function answerError(error: unknown, exchange: Exchange, log: Logger): EstAnswer {
  if (error instanceof EstError) {
    if (error.cause !== undefined) exchange.note({ cause: String(error.cause) });
    // What exceeds a limit after it was read must not be followed by more of it.
    if (error.code === 'too-large') exchange.closeConnection();
    return answerEstError(error);
  }
  // A field that is only read on the way, such as a name that is none.
  if (error instanceof CertificationRequestError) return answerEstError(new EstError('malformed', error.detail));
  if (error instanceof CoreError) {
    exchange.note(noteCoreError(error));
    return answerCoreError(error);
  }
  if (error instanceof ProxyHeaderError) return answerEstError(new EstError('malformed', error.message));
  if (error instanceof BodyError)
    return answerEstError(new EstError(error.code === 'aborted' ? 'malformed' : error.code, error.message));
  log.error({ err: error, requestId: exchange.requestId }, 'a request failed unexpectedly');
  return answerInternal(exchange.requestId);
}

function toResponse(exchange: Exchange, { status, contentType, body, headers, outcome }: EstAnswer): Response {
  if (outcome !== undefined) exchange.note({ outcome });
  if (body === undefined || contentType === undefined) return new Response(null, { status, headers: { ...headers } });
  return bodyAnswer(status, contentType, body, headers);
}
