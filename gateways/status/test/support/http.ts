// The surface of a gate over real HTTP, with a state that the test fills and a core that the test plays.

import { type IncomingHttpHeaders, request as sendRequest } from 'node:http';
import { type PlainServer, startPlainServer } from '@gatehouse/gateway-kit/plain-server';
import { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import { writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import type { OcspAnswer, OcspQuery, StatusIssuer } from '@gatehouse/ra-client/status';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { statusSchema } from '../../src/config.ts';
import { LiveAnswers } from '../../src/live-answers.ts';
import { createHandler } from '../../src/server.ts';
import { issuingCertificate, statusIssuer } from './signed.ts';
import { type TestState, withState } from './state.ts';

/** What a client got. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** What a client sends. */
export type HttpRequest = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

/** A gate that listens. */
export type TestGate = {
  readonly state: TestState;
  readonly server: PlainServer;
  /** Requests that were counted, as `kind outcome`. */
  readonly counted: readonly string[];
  /** What the core was asked. */
  readonly asked: readonly OcspQuery[];
  send(path: string, request?: HttpRequest): Promise<HttpAnswer>;
};

/** What a gate is made of. */
export type GateOptions = {
  readonly clock?: Clock;
  /** Keys of the section `status`. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** What is published; nothing was ever loaded when it is `nothing`. */
  readonly published?: 'nothing' | Partial<StatusIssuer>;
  /** How the core answers; it is away unless told. */
  readonly core?: (query: OcspQuery) => OcspAnswer | Promise<OcspAnswer>;
};

/** Scopes that a gate of these tests publishes. */
export const scopes = [
  { name: 'issuing', authority: 'issuing', hasDelta: true },
  { name: 'issuing-1', authority: 'issuing', hasDelta: true },
  { name: 'root', authority: 'root', hasDelta: false },
];

/** Runs a test with a gate of its own. */
export async function withGate(options: GateOptions, body: (gate: TestGate) => Promise<void>): Promise<void> {
  const { clock = systemClock, core, published = {} } = options;
  const configuration = statusSchema.parse({ core: { credential: 'x' }, ...options.configuration });
  const counted: string[] = [];
  const asked: OcspQuery[] = [];
  const stateOptions = { clock };
  await withState(async (state) => {
    if (published !== 'nothing') state.publication.replace({ issuers: [statusIssuer(published)], scopes });
    const log = new SparingLog(silentLog, clock);
    const getOcspResponses = async (queries: readonly OcspQuery[]): Promise<readonly OcspAnswer[]> => {
      asked.push(...queries);
      return await Promise.all(queries.map((query) => core?.(query) ?? Promise.reject(new Error('no core'))));
    };
    const live = new LiveAnswers({
      core: { getOcspResponses },
      isReachable: () => core !== undefined,
      limits: configuration.live,
      clock,
      log,
    });
    const gate = { configuration, ...state, live, clock };
    const handler = createHandler({
      gate,
      log,
      count: (kind, outcome) => void counted.push(`${kind} ${outcome}`),
      rate: configuration.limits.address,
    });
    const server = await startPlainServer({ host: '127.0.0.1', port: 0, handler, log: silentLog });
    const { port } = server.address;
    try {
      await body({ state, server, counted, asked, send: (path, request) => sendTo(port, path, request) });
    } finally {
      await server.close(0);
    }
  }, stateOptions);
}

/** An OCSP request for certificates of the issuing CA. */
export function ocspRequest(
  serialNumbers: readonly string[] = ['0a01'],
  { nonce, hash = 'sha1' as const, issuer = issuingCertificate }: OcspRequestOptions = {},
): Buffer {
  const certificateIds = serialNumbers.map((serialNumber) => writeCertificateId(hash, issuer, serialNumber));
  return Buffer.from(writeOcspRequest({ certificateIds, nonce }));
}

type OcspRequestOptions = {
  readonly nonce?: Uint8Array;
  readonly hash?: 'sha1' | 'sha256';
  readonly issuer?: typeof issuingCertificate;
};

/** The path of a GET. */
export function ocspPath(request: Uint8Array = ocspRequest()): string {
  return `/ocsp/${encodeURIComponent(Buffer.from(request).toString('base64'))}`;
}

/** A POST. */
export function ocspPost(body: Uint8Array | string = ocspRequest(), headers: HttpRequest['headers'] = {}): HttpRequest {
  return { method: 'POST', body, headers: { 'content-type': 'application/ocsp-request', ...headers } };
}

/** Sends a request to loopback. */
export async function sendTo(
  port: number,
  path: string,
  { method = 'GET', headers, body }: HttpRequest = {},
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const isChunked = headers?.['transfer-encoding'] !== undefined;
  const length = body === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = sendRequest(
    { host: '127.0.0.1', port, path, method, headers: { ...length, ...headers } },
    (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      );
    },
  );
  outgoing.on('error', reject);
  outgoing.end(body);
  return await promise;
}
