// The surface of the gate: which method is answered at which path, and how an answer is written. For how long it may be kept
// is in freshness.ts, what is looked up in translate.ts, what a refusal becomes in errors.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { BodyError } from '@gatehouse/gateway-kit/body';
import { addressKey } from '@gatehouse/gateway-kit/connection-limits';
import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import type { PlainHandler } from '@gatehouse/gateway-kit/plain-server';
import type { Rate } from '@gatehouse/gateway-kit/rate-limit';
import type { RequestBody } from '@gatehouse/gateway-kit/request-body';
import type { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import { maximumRequestOctets } from '@gatehouse/pkix/ocsp/request';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import { refuse, type StatusAnswer } from './answer.ts';
import { createCrlAnswers } from './crl.ts';
import { answerChain, answerIssuer } from './documents.ts';
import { refusals } from './errors.ts';
import { isOcspRequestType } from './media-type.ts';
import { answerOcsp, answerOcspGet } from './ocsp.ts';
import type { RequestKind, StatusGate } from './status-gate.ts';
import { readTarget, type Target } from './target.ts';

/** What {@link createHandler} takes. */
export type HandlerOptions = {
  readonly gate: StatusGate;
  readonly log: SparingLog;
  /** Counts an answer. */
  readonly count: (kind: RequestKind, outcome: string) => void;
  /** Of all requests of one address; without it they are not limited. */
  readonly rate?: Rate | undefined;
};

/** Octets of a body that is copied once more to be sent in one write. */
const largestAsText = 8192;

type Answering = StatusAnswer | Promise<StatusAnswer>;

const kinds: Readonly<Record<Target['kind'], RequestKind>> = {
  'ocsp-get': 'ocsp-get',
  ocsp: 'ocsp-post',
  crl: 'crl',
  issuer: 'issuer',
  chain: 'chain',
  none: 'other',
};

/** Makes the handler of the gate. */
export function createHandler({ gate, log, count, rate }: HandlerOptions): PlainHandler {
  const answerCrl = createCrlAnswers(gate);
  const limiter = rate && new RateLimiter({ ratePerSecond: rate.perSecond, burst: rate.burst, clock: gate.clock });

  const answer = (incoming: IncomingMessage, target: Target, body: RequestBody | undefined): Answering => {
    if (limiter?.take(addressKey(normalizeAddress(incoming.socket.remoteAddress))).ok === false) {
      return refuse(refusals.tooManyRequests);
    }
    const allowed = target.kind === 'ocsp' ? 'POST' : 'GET, HEAD';
    if (target.kind !== 'none' && !isAllowed(incoming.method, allowed)) {
      return refuse(refusals.methodNotAllowed, ['Allow', allowed]);
    }
    switch (target.kind) {
      case 'ocsp-get':
        return answerOcspGet(gate, incoming, target.base64);
      case 'ocsp':
        return answerOcspPost(gate, incoming, body);
      case 'crl':
        return answerCrl(incoming, target.name);
      case 'issuer':
        return answerIssuer(gate, incoming, target.id);
      case 'chain':
        return answerChain(gate, incoming);
      case 'none':
        return refuse(refusals.notFound);
    }
  };

  const finish = (incoming: IncomingMessage, outgoing: ServerResponse, kind: RequestKind, answered: StatusAnswer) => {
    const { status, headers, body, outcome, detail } = answered;
    count(kind, outcome);
    if (detail !== undefined) {
      const path = (incoming.url ?? '').slice(0, 256);
      const address = incoming.socket.remoteAddress;
      log.info({ status, kind, method: incoming.method, path, outcome, detail, address }, 'request refused');
    }
    outgoing.writeHead(status, headers);
    if (typeof body !== 'function') {
      endWith(outgoing, body);
      return;
    }
    pipeline(body(), outgoing, (error) => {
      if (error) log.info({ err: error }, 'a download was broken off');
    });
  };

  return (incoming, outgoing, body) => {
    const target = readTarget(incoming.url ?? '');
    const kind = kinds[target.kind];
    const answering = answer(incoming, target, body);
    if (!(answering instanceof Promise)) {
      // What is left of a body is not read.
      body?.closeConnection();
      return finish(incoming, outgoing, kind, answering);
    }
    return answering.then((answered) => {
      if (body?.isComplete === false) body.closeConnection();
      finish(incoming, outgoing, kind, answered);
    });
  };
}

/** Node puts header and body into one write when the body is text; for octets it would be a gathered one, which costs more. */
function endWith(outgoing: ServerResponse, body: Uint8Array | undefined): void {
  if (body === undefined || body.length > largestAsText) {
    outgoing.end(body);
    return;
  }
  const octets = Buffer.from(body.buffer, body.byteOffset, body.length);
  outgoing.end(octets.toString('latin1'), 'latin1');
}

async function answerOcspPost(
  gate: StatusGate,
  incoming: IncomingMessage,
  body: RequestBody | undefined,
): Promise<StatusAnswer> {
  if (!isOcspRequestType(incoming.headers['content-type'])) return refuse(refusals.wrongType);
  let der: Buffer;
  try {
    der = (await body?.read(maximumRequestOctets)) ?? Buffer.alloc(0);
  } catch (error) {
    if (error instanceof BodyError) return refuse(bodyRefusals[error.code]);
    throw error;
  }
  return await answerOcsp(gate, incoming, der, false);
}

const bodyRefusals = {
  'too-large': refusals.tooLarge,
  'too-slow': refusals.tooSlow,
  malformed: refusals.malformedBody,
  aborted: refusals.malformedBody,
} as const;

function isAllowed(method: string | undefined, allowed: 'POST' | 'GET, HEAD'): boolean {
  return allowed === 'POST' ? method === 'POST' : method === 'GET' || method === 'HEAD';
}
