// The surface of EST-coaps, RFC 9148 §4.1: which resource answers which path, method and formats, and in which order a request
// is refused. Resources and nothing else: what an operation does is in the kit, who may use it in authenticate.ts, what an
// outcome becomes in translate.ts, what a refusal becomes in errors.ts.

import { noteCoreError } from '@gatehouse/gateway-kit/error-table';
import type { Label } from '@gatehouse/gateway-kit/est/configuration';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { PeerFacts } from '@gatehouse/gateway-kit/peer';
import { CertificationRequestError } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Logger } from '@gatehouse/runtime/log';
import { contentFormats } from './content-formats.ts';
import {
  answerBusy,
  answerCoreError,
  answerEstError,
  answerInternal,
  answerNotAcceptable,
  NotAcceptableError,
} from './errors.ts';
import type { CoapExchange } from './exchange.ts';
import type { CoapGate } from './gate.ts';
import { methods } from './message/codes.ts';
import { answerDiscovery, answerResource } from './operations.ts';
import type { CoapRequest, CoapResponse, ResourceHandler } from './request.ts';
import { type Resource, resources } from './resources.ts';
import { routePath } from './router.ts';

/** The client at the other end of a session. */
export type Client = { readonly sessionId: string; readonly peer: PeerFacts };

/** What is told of each answer. */
export type AnswerRecord = {
  readonly client: Client;
  readonly request: CoapRequest;
  readonly response: CoapResponse;
  /** `none` where no resource, or no label, was found. */
  readonly operation: string;
  readonly label: string;
  readonly durationMs: number;
  readonly facts: Readonly<Record<string, unknown>>;
};

/** What {@link createResourceHandler} takes beside the gate. */
export type ServerOptions = {
  readonly log: Logger;
  /** Counts and logs an answer. */
  readonly record: (answer: AnswerRecord) => void;
};

type Context = {
  readonly gate: CoapGate;
  readonly client: Client;
  readonly request: CoapRequest;
  readonly log: Logger;
  note(facts: Readonly<Record<string, unknown>>): void;
  /** Where the request was routed to, for the record. */
  routed(operation: string, label: string): void;
};

/** Makes the handler of one client's requests. */
export function createResourceHandler(gate: CoapGate, client: Client, options: ServerOptions): ResourceHandler {
  const { log, record } = options;
  return async (request) => {
    const begun = performance.now();
    let route = { operation: 'none', label: 'none' };
    let facts: Readonly<Record<string, unknown>> = {};
    const context: Context = {
      gate,
      client,
      request,
      log,
      note: (more) => {
        facts = { ...facts, ...more };
      },
      routed: (operation, label) => {
        route = { operation, label };
      },
    };
    const response = await answerRequest(context);
    record({ client, request, response, ...route, facts, durationMs: performance.now() - begun });
    return response;
  };
}

async function answerRequest(context: Context): Promise<CoapResponse> {
  const end = context.gate.limits.begin(context.client.peer.remoteAddress);
  if (end === undefined) return answerBusy();
  try {
    return await answerRoute(context);
  } catch (error) {
    return answerError(error, context);
  } finally {
    end();
  }
}

// The order of refusals is that of coaps.md §5: path, method, format of the request, format of the response, then who asks.
async function answerRoute(context: Context): Promise<CoapResponse> {
  const { gate, client, request } = context;
  const { configuration, limits } = gate;
  limits.takeForAddress(client.peer.remoteAddress);
  const route = routePath(request.path, configuration.root);
  if (route?.kind === 'discovery' && configuration.discovery) {
    context.routed('discovery', 'none');
    demandMethod(request, methods.get);
    chooseFormat(request.accept, [contentFormats.linkFormat]);
    return await answerDiscovery(gate, { requestId: request.requestId, peer: client.peer, query: request.query });
  }
  const label = route?.kind === 'resource' ? findLabel(gate, route.label) : undefined;
  const resource = route?.kind === 'resource' ? resources[route.resource] : undefined;
  if (route?.kind !== 'resource' || label === undefined || resource === undefined) throw nothingThere();
  if (!label.operations.includes(resource.operation)) throw nothingThere();
  context.routed(route.resource, label.name);
  return await answerResource(gate, route.resource, toExchange(context, label, resource));
}

const nothingThere = () => new EstError('not-found', 'there is no such resource or label');

// RFC 7252 §6.4: paths are compared octet by octet; only EST over HTTPS forgives another case.
function findLabel({ labels }: CoapGate, name: string | undefined): Label | undefined {
  const label = labels.find(name);
  return name === undefined || label?.name === name ? label : undefined;
}

function toExchange(context: Context, label: Label, resource: Resource): CoapExchange {
  const { client, request, log, note } = context;
  demandMethod(request, resource.method);
  if (resource.takes !== undefined && request.contentFormat !== resource.takes) {
    throw new EstError('unsupported-media-type', `the content format must be ${resource.takes}`);
  }
  return {
    requestId: request.requestId,
    log,
    operation: resource.operation,
    label,
    peer: client.peer,
    payload: request.payload,
    format: chooseFormat(request.accept, resource.formats),
    note,
  };
}

function demandMethod(request: CoapRequest, method: number): void {
  if (request.method !== method) throw new EstError('method-not-allowed', 'this resource has another method');
}

/** RFC 7252 §5.10.4: what the client accepts, or 4.06; without a wish the first, RFC 9148 §4.3. */
export function chooseFormat(accept: number | undefined, formats: readonly [number, ...number[]]): number {
  if (accept === undefined) return formats[0];
  if (formats.includes(accept)) return accept;
  throw new NotAcceptableError(`this resource has content format ${formats.join(' or ')}`);
}

function answerError(error: unknown, { request, log, note }: Context): CoapResponse {
  if (error instanceof EstError) {
    if (error.cause !== undefined) note({ cause: String(error.cause) });
    return answerEstError(error);
  }
  if (error instanceof NotAcceptableError) return answerNotAcceptable(error);
  // A field that is only read on the way, such as a name that is none.
  if (error instanceof CertificationRequestError) return answerEstError(new EstError('malformed', error.detail));
  if (error instanceof CoreError) {
    note(noteCoreError(error));
    return answerCoreError(error);
  }
  log.error({ err: error, requestId: request.requestId }, 'a request failed unexpectedly');
  return answerInternal(request.requestId);
}
