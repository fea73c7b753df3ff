// The other half of the local control: how a command asks a running process. What comes back is checked against a schema: the
// process may be of another version than the command.

import { request } from 'node:http';
import { z } from 'zod';
import { FatalError } from '../fatal.ts';
import { LocalControlError } from './error.ts';
import { isAbsence, openSocketPath } from './socket.ts';

/** What {@link callLocalControl} takes. */
export type LocalControlQuestion<Schema extends z.ZodType> = {
  /** The socket, as localControlSocket names it. */
  readonly file: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With what stands in it encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What is expected; `z.undefined()` where nothing comes back. */
  readonly answer: Schema;
  /** For all of it. */
  readonly timeoutMs?: number | undefined;
};

const defaultTimeoutMs = 10_000;
const maximumAnswerOctets = 32 * 1024 * 1024;

const refusalSchema = z.object({
  error: z.enum(['bad-request', 'not-found', 'conflict', 'internal']),
  detail: z.string(),
});

/**
 * Asks a process.
 *
 * @throws {LocalControlError} when it refuses
 * @throws {FatalError} when no process answers on the socket, the caller may not open it, or what comes back is something else
 */
export async function callLocalControl<Schema extends z.ZodType>(
  question: LocalControlQuestion<Schema>,
): Promise<z.infer<Schema>> {
  const { file, answer } = question;
  const { status, text } = await exchange(question);
  const value = text === '' ? undefined : parse(text, file);
  if (status >= 200 && status < 300) {
    const checked = answer.safeParse(value);
    if (checked.success) return checked.data;
    throw new FatalError(`what answers on ${file} is not understood`, {
      hint: 'are the command and the running process of one version?',
      cause: checked.error,
    });
  }
  const refusal = refusalSchema.safeParse(value);
  if (refusal.success) throw new LocalControlError(refusal.data.error, refusal.data.detail);
  throw new FatalError(`what answers on ${file} is not understood: status ${status}`);
}

type Exchanged = { readonly status: number; readonly text: string };

async function exchange(question: LocalControlQuestion<z.ZodType>): Promise<Exchanged> {
  const { file, method, path, body, timeoutMs = defaultTimeoutMs } = question;
  const deadline = AbortSignal.timeout(timeoutMs);
  let release = (): void => undefined;
  try {
    const socket = openSocketPath(file);
    release = socket.release;
    const { promise, resolve, reject } = Promise.withResolvers<Exchanged>();
    const outgoing = request({ socketPath: socket.path, method, path, signal: deadline, agent: false }, (incoming) => {
      readText(incoming, file).then((text) => resolve({ status: incoming.statusCode ?? 0, text }), reject);
    });
    outgoing.on('error', reject);
    if (body === undefined) outgoing.end();
    else {
      outgoing.setHeader('content-type', 'application/json');
      outgoing.end(JSON.stringify(body));
    }
    return await promise;
  } catch (error) {
    throw explain(error, file, deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : undefined);
  } finally {
    release();
  }
}

async function readText(incoming: AsyncIterable<Uint8Array>, file: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of incoming) {
    length += part.length;
    if (length > maximumAnswerOctets) throw new FatalError(`what answers on ${file} sends too much`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FatalError(`what answers on ${file} is not understood: it is no JSON`, { cause: error });
  }
}

function explain(error: unknown, file: string, late: string | undefined): FatalError {
  if (error instanceof FatalError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (isAbsence(code)) {
    return new FatalError(`no process answers on ${file}`, {
      hint: 'is it running, and on this data directory?',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new FatalError(`cannot open ${file}: permission denied`, {
      hint: 'call as the user that the process runs as, or as root',
      cause: error,
    });
  }
  const why = late ?? (error instanceof Error ? error.message : String(error));
  return new FatalError(`cannot ask the process on ${file}: ${why}`, { cause: error });
}
