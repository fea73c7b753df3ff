// The management listener: is the process alive, is it ready, what are its metrics. Plain HTTP on loopback by default,
// reading only. It must never change anything, never show configuration or secrets, and never be the reason why the
// process stops.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type ListenAddress, listen } from './listen.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** One reason why the process should not get traffic. */
export type ReadinessProblem = {
  /** What was looked at: 'database', 'disk-space', 'core', 'signer'. */
  readonly check: string;
  /** One sentence for the operator. */
  readonly detail: string;
  /** The process does its work without it: it is degraded, and should still get traffic. */
  readonly isTolerable?: boolean | undefined;
};

/** Looks at what the process needs to do its work; nothing that is not tolerable means ready. */
export type ReadinessCheck = () => readonly ReadinessProblem[] | Promise<readonly ReadinessProblem[]>;

/** What {@link startManagement} takes. */
export type ManagementOptions = {
  readonly host?: string | undefined;
  /** 0 takes any free port. */
  readonly port: number;
  readonly readiness: ReadinessCheck;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Configuration key of the port, for the message when it is taken. */
  readonly setting?: string | undefined;
};

/** A running management listener. */
export type Management = {
  readonly address: ListenAddress;
  close(): Promise<void>;
};

type Answer = { readonly status: number; readonly contentType: string; readonly body: string };

const readinessTimeoutMs = 5_000;

/**
 * Starts the listener: `GET /livez` (200), `GET /readyz` (200 with `ready` or `degraded`, or 503, with the problems as
 * JSON), `GET /metrics`.
 *
 * @throws {FatalError} when the address cannot be bound
 */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const routes = new Map<string, () => Answer | Promise<Answer>>([
    ['/livez', () => json(200, { status: 'alive' })],
    ['/readyz', () => readyz(options)],
    ['/metrics', () => metricsPage(options.metrics)],
  ]);
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 },
    (request, response) => {
      answer(routes, request)
        .catch((error: unknown) => {
          options.log.error({ err: error, path: request.url }, 'management request failed');
          return json(500, { error: 'internal' });
        })
        .then((result) => send(request, response, result));
    },
  );
  server.maxConnections = 64;
  const address = await listen(server, {
    host: options.host ?? '127.0.0.1',
    port: options.port,
    setting: options.setting,
  });
  return {
    address,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function answer(
  routes: ReadonlyMap<string, () => Answer | Promise<Answer>>,
  request: IncomingMessage,
): Promise<Answer> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const route = routes.get(path);
  if (route === undefined) return json(404, { error: 'not found', paths: [...routes.keys()] });
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'method not allowed' });
  return await route();
}

async function readyz({ readiness, log }: ManagementOptions): Promise<Answer> {
  let problems: readonly ReadinessProblem[];
  try {
    problems = await withTimeout(readiness);
  } catch (error) {
    // A check that fails is a reason not to be ready, not a reason to answer 500 without one.
    log.error({ err: error }, 'readiness check failed');
    problems = [{ check: 'readiness', detail: 'a readiness check failed; the log names the cause' }];
  }
  if (problems.length === 0) return json(200, { status: 'ready' });
  const told = problems.map(({ check, detail }) => ({ check, detail }));
  if (problems.every(({ isTolerable }) => isTolerable === true))
    return json(200, { status: 'degraded', problems: told });
  return json(503, { status: 'not ready', problems: told });
}

async function withTimeout(readiness: ReadinessCheck): Promise<readonly ReadinessProblem[]> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`readiness took longer than ${readinessTimeoutMs} ms`)),
    readinessTimeoutMs,
  );
  try {
    return await Promise.race([readiness(), expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function metricsPage(metrics: Metrics): Promise<Answer> {
  return { status: 200, contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, result: Answer): void {
  response.writeHead(result.status, {
    'content-type': result.contentType,
    'content-length': Buffer.byteLength(result.body),
    'cache-control': 'no-store',
    ...(result.status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : result.body);
}
