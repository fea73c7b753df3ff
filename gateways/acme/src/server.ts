// The surface of ACME, RFC 8555 §6: methods, media type and size of requests, and what every answer carries. What is where
// stands in routes.ts, who may ask in authenticate.ts, what a refusal becomes in refusal.ts; nothing here knows an order.

import { bodyAnswer } from '@gatehouse/gateway-kit/answer';
import type { Exchange, GateEnvironment } from '@gatehouse/gateway-kit/exchange';
import type { GateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import { StateUnavailableError } from '@gatehouse/runtime/database/state-store';
import { Hono } from 'hono';
import { type AnswerContext, problemRefusal, toPreflightResponse, toProblemResponse, toResponse } from './answer.ts';
import { admit, authenticate, maximumBodyOctets } from './authenticate.ts';
import { AcmeError, notFound } from './errors.ts';
import type { AcmeAnswer, AcmeRequest } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { isJoseJson } from './media-type.ts';
import type { ProblemType } from './problem.ts';
import { toRefusal } from './refusal.ts';
import { createOriginReader } from './request-origin.ts';
import { createRouter, type Route, type RouteMatch, routes, type SignedPart } from './routes.ts';
import { isOfAccount, type SignedExchange } from './signed-exchange.ts';

/** What {@link createApp} takes. */
export type AppOptions = {
  readonly gate: AcmeGate;
  /** Of all requests of one address, and of one account. */
  readonly limits: GateRateLimits;
  /** Counts an answer. */
  readonly count: (resource: string, status: number) => void;
  /** Counts a refusal by its type. */
  readonly countProblem: (type: ProblemType) => void;
  /** Reads paths that are not spelled as {@link routes} has them. */
  readonly readPath?: ((path: string) => string) | undefined;
};

/** What every request passes. */
type Doors = Pick<AppOptions, 'gate' | 'limits'>;

/** A request with what it is about. */
type Asked = {
  readonly exchange: Exchange;
  readonly request: AcmeRequest;
  readonly match: RouteMatch | undefined;
};

/** Makes the app of the gate. */
export function createApp({
  gate,
  limits,
  count,
  countProblem,
  readPath = (path) => path,
}: AppOptions): Hono<GateEnvironment> {
  const readOrigin = createOriginReader(gate.configuration.trustedProxies);
  const findRoute = createRouter(routes());

  const locate = (exchange: Exchange): Asked => {
    const { address, origin, target } = readOrigin(exchange);
    if (address !== exchange.peer.remoteAddress) exchange.note({ client: address });
    const { base, path } = gate.urls.locate(origin, target) ?? { base: gate.urls.canonical, path: '' };
    const query = path.indexOf('?');
    const found = findRoute(readPath(query < 0 ? path : path.slice(0, query)));
    const isThere = found?.route.isOn?.(gate) !== false && (query < 0 || found?.route.takesQuery === true);
    const request: AcmeRequest = {
      requestId: exchange.requestId,
      log: gate.log,
      base,
      url: base + path,
      address,
      note: (facts) => exchange.note(facts),
    };
    return { exchange, request, match: isThere ? found : undefined };
  };

  const answer = async (asked: Asked): Promise<Response> => {
    const { exchange, request, match } = asked;
    const contextOf = (): AnswerContext => ({
      directory: match?.route.name === 'directory' ? undefined : gate.urls.directory(request.base),
      // RFC 8555 §6.5: in every answer to a POST, whatever became of it.
      nonce: exchange.method === 'POST' || match?.route.name === 'newNonce' ? gate.nonces.issue() : undefined,
      isPost: exchange.method === 'POST',
      sendLines: (name, values) => exchange.sendLines(name, values),
    });
    try {
      const limited = limits.takeForAddress(request.address);
      if (limited !== undefined) {
        // Its body is not read, and must not be taken for the next request.
        exchange.closeConnection();
        throw tooManyRequests('address', limited);
      }
      if (exchange.method === 'OPTIONS' && match !== undefined) {
        return toPreflightResponse(allowedMethods(match.route), contextOf());
      }
      const answered = await answerMethod({ gate, limits }, asked);
      return toResponse(answered, contextOf());
    } catch (error) {
      const refusal = await toRefusal(gate, exchange, error);
      countProblem(refusal.type);
      return toProblemResponse(refusal, contextOf());
    }
  };

  const app = new Hono<GateEnvironment>();
  app.all('*', async (context) => {
    const asked = locate(context.env.exchange);
    const response = await answer(asked);
    count(asked.match?.route.name ?? 'none', response.status);
    return response;
  });
  // What fails here failed while it was refused.
  app.onError((error, { env: { exchange } }) => {
    gate.log.error({ err: error, requestId: exchange.requestId }, 'a refusal failed');
    const { contentType, body } = problemRefusal(500, `internal error, incident ${exchange.requestId}`);
    return bodyAnswer(500, contentType, body);
  });
  return app;
}

async function answerMethod({ gate, limits }: Doors, { exchange, request, match }: Asked): Promise<AcmeAnswer> {
  const { method } = exchange;
  const isRead = method === 'GET' || method === 'HEAD';
  // Read before anything is refused: the connection stays usable for the next attempt.
  const body = isRead ? undefined : await exchange.readBody(maximumBodyOctets);
  if (match === undefined) throw notFound('resource');
  const { route, parameters } = match;
  exchange.note({ resource: route.name });
  if (method === 'POST' && route.post !== undefined && body !== undefined) {
    if (!isJoseJson(exchange.header('content-type'))) {
      // RFC 8555 §6.2.
      throw new AcmeError('malformed', 'the body must be application/jose+json', { status: 415 });
    }
    return await answerPost({ gate, limits }, { request, body, match, part: route.post });
  }
  if (isRead && route.get !== undefined) {
    const answer = await route.get(gate, request, parameters);
    // RFC 8555 §7.2: 204 for GET of newNonce, 200 for HEAD.
    return method === 'HEAD' && answer.status === 204 ? { ...answer, status: 200 } : answer;
  }
  const allow = allowedMethods(route);
  throw new AcmeError('malformed', `${route.name} takes ${allow}`, { status: 405, allow });
}

type Post = {
  readonly request: AcmeRequest;
  readonly body: Uint8Array;
  readonly match: RouteMatch;
  readonly part: SignedPart;
};

async function answerPost({ gate, limits }: Doors, { request, body, match, part }: Post): Promise<AcmeAnswer> {
  const signed = await authenticate(gate, request, body, part);
  try {
    admit(signed, part, gate.configuration.strict);
    const limited = signed.account === undefined ? undefined : limits.takeForRequester(signed.account.id);
    if (limited !== undefined) throw tooManyRequests('account', limited);
    const answering = run(gate, signed, match, part);
    // What only reads has nothing to commit: its nonce is redeemed meanwhile.
    const [answer] = part.payload === 'none' ? await Promise.all([answering, signed.settle()]) : [await answering];
    await signed.settle();
    return answer;
  } catch (error) {
    // The nonce is used up by what was signed, whether that was done or not. While the database is away nobody knows.
    if (!(error instanceof StateUnavailableError)) await signed.settle();
    throw error;
  }
}

async function run(
  gate: AcmeGate,
  signed: SignedExchange,
  { parameters }: RouteMatch,
  part: SignedPart,
): Promise<AcmeAnswer> {
  if (part.signer !== 'account') return await part.run(gate, signed, parameters);
  if (!isOfAccount(signed)) throw new TypeError('a request that an account must sign has none');
  return await part.run(gate, signed, parameters);
}

function allowedMethods({ get, post }: Route): string {
  return [...(get === undefined ? [] : ['GET', 'HEAD']), ...(post === undefined ? [] : ['POST'])].join(', ');
}

function tooManyRequests(whose: 'address' | 'account', limited: Response): AcmeError {
  return new AcmeError('rateLimited', `too many requests from this ${whose}`, {
    retryAfterSeconds: Number(limited.headers.get('retry-after')),
  });
}
