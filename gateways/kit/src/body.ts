// Reads request bodies up to a limit that the caller sets for the operation at hand.
// A body above the limit is not read further: not to save it, not to skip it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { textAnswer } from './answer.ts';

/** Why a body could not be read; `malformed`: its framing is broken. */
export type BodyErrorCode = 'too-large' | 'malformed' | 'too-slow' | 'aborted';

const statuses: Readonly<Record<BodyErrorCode, number>> = {
  'too-large': 413,
  malformed: 400,
  'too-slow': 408,
  aborted: 400,
};

/** A body that could not be read. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code: BodyErrorCode;

  constructor(code: BodyErrorCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The answer to a body that could not be read. */
export function answerBodyError(error: BodyError): Response {
  return textAnswer(statuses[error.code], error.message);
}

/** The declared length, or undefined for a chunked body. */
export function declaredLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/**
 * Reads the whole body.
 *
 * @param limit octets
 * @param failed rejects when the transport finds the body broken
 * @throws {BodyError} `too-large` as soon as it is known; the stream is then paused for good
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  failed: Promise<never>,
): Promise<Buffer> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > limit) return Promise.reject(refuse(request, limit));
  // RFC 9110 §10.1.1: a client that waits for permission gets it only now that the body is wanted.
  if (request.headers.expect !== undefined && !response.headersSent) response.writeContinue();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limit) finish(() => reject(refuse(request, limit)));
    else chunks.push(chunk);
  };
  const onEnd = (): void => {
    const [only] = chunks;
    finish(() => resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length)));
  };
  failed.catch((error: unknown) => finish(() => reject(error)));
  const onClose = (): void =>
    finish(() => reject(new BodyError('aborted', 'the connection ended before the body did')));
  const finish = (settle: () => void): void => {
    request.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
    settle();
  };
  request.on('data', onData).on('end', onEnd).on('error', onClose).on('close', onClose);
  if (request.destroyed && !request.readableEnded) onClose();
  return promise;
}

function refuse(request: IncomingMessage, limit: number): BodyError {
  request.pause();
  return new BodyError('too-large', `the body is larger than ${limit} octets`);
}
