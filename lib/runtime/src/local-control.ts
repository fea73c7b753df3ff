// The local control of a process: what an operator on the same machine may ask of it and tell it while it runs, as JSON over
// HTTP on a unix socket that only the owner of the process (and root) can open. It is for facts that live in the process's
// memory alone; whatever a database or the core knows is asked there. It must never listen on a network, and never show a
// secret.

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { FatalError } from './fatal.ts';
import { LocalControlError, statusOfError } from './local-control/error.ts';
import { openSocketPath, prepareSocket } from './local-control/socket.ts';
import type { Logger } from './log.ts';

export { LocalControlError } from './local-control/error.ts';
export { localControlSocket } from './local-control/socket.ts';

/** What was asked. */
export type LocalControlCall = {
  /** What stood in place of `:name` in the path of the route, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Parsed JSON, which the route checks; undefined when there is no body. */
  readonly body: unknown;
};

/** One thing that can be asked of the process. */
export type LocalControlRoute = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/sessions`, `/sessions/:id`. */
  readonly path: string;
  /**
   * @returns what is answered as JSON; undefined: nothing
   * @throws {LocalControlError} for the one who asks; anything else is logged and answered as internal
   */
  handle(call: LocalControlCall): unknown;
};

/** What {@link startLocalControl} takes. */
export type LocalControlOptions = {
  /** The socket, as {@link localControlSocket} names it. Its folder is made, and closed to others. */
  readonly file: string;
  readonly routes: readonly LocalControlRoute[];
  readonly log: Logger;
};

/** A running local control. */
export type LocalControl = { close(): Promise<void> };

const maximumBodyOctets = 64 * 1024;
const maximumConnections = 16;

/**
 * Listens on the socket.
 *
 * @throws {FatalError} when it cannot be made, or another process answers on it
 */
export async function startLocalControl(options: LocalControlOptions): Promise<LocalControl> {
  const { file, routes, log } = options;
  await prepareSocket(file);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 1_000 },
    (request, response) => {
      answer(routes, request)
        .catch((error: unknown) => refusal(error, request, log))
        .then((result) => {
          if (request.method !== 'GET') {
            log.info({ method: request.method, path: request.url, status: result.status }, 'local control');
          }
          send(request, response, result);
        });
    },
  );
  server.maxConnections = maximumConnections;
  const { path, release } = openSocketPath(file);
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen({ path }, listening.resolve);
  try {
    await listening.promise;
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    release();
    throw new FatalError(`cannot listen on ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  server.removeListener('error', listening.reject);
  return {
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
      rmSync(file, { force: true });
      release();
    },
  };
}

type Answer = { readonly status: number; readonly body: string | undefined; readonly allow?: string };

async function answer(routes: readonly LocalControlRoute[], request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const here = routes.flatMap((route) => {
    const parameters = matchPath(route.path, path);
    return parameters === undefined ? [] : [{ route, parameters }];
  });
  const chosen = here.find(({ route }) => route.method === request.method);
  if (chosen === undefined && here.length > 0) {
    const allow = here.map(({ route }) => route.method).join(', ');
    return { ...json(405, { error: 'bad-request', detail: `${path} takes ${allow}` }), allow };
  }
  if (chosen === undefined) throw new LocalControlError('not-found', `this process has no ${path}`);
  const { route, parameters } = chosen;
  const result = await route.handle({ parameters, body: await readBody(request) });
  return result === undefined ? { status: 204, body: undefined } : json(200, result);
}

/** The parameters in the path, or undefined when it is not the pattern's. */
function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const text = decodeSegment(given[index] ?? '');
    if (text === undefined) return undefined;
    if (part.startsWith(':')) parameters[part.slice(1)] = text;
    else if (part !== text) return undefined;
  }
  return parameters;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

async function readBody(request: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > maximumBodyOctets) {
      throw new LocalControlError('bad-request', `the body is larger than ${maximumBodyOctets} octets`);
    }
    parts.push(part);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new LocalControlError('bad-request', 'the body is no JSON', { cause: error });
  }
}

function refusal(error: unknown, request: IncomingMessage, log: Logger): Answer {
  const { method, url } = request;
  if (error instanceof LocalControlError) {
    log.info({ method, path: url, code: error.code, detail: error.message }, 'a local control call was refused');
    return json(statusOfError[error.code], { error: error.code, detail: error.message });
  }
  log.error({ err: error, method, path: url }, 'a local control call failed');
  return json(500, { error: 'internal', detail: 'the log of the process names the cause' });
}

function json(status: number, value: unknown): Answer {
  return { status, body: `${JSON.stringify(value)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, allow }: Answer): void {
  // A body that was refused is not read to its end.
  if (!request.complete) response.setHeader('connection', 'close');
  if (allow !== undefined) response.setHeader('allow', allow);
  if (body !== undefined) {
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-length', Buffer.byteLength(body));
  }
  response.writeHead(status);
  response.end(body);
}
