/**
 * Fetches what stands behind a URL that a person or a certificate names. The other side may be anybody: what takes too
 * long, is too large, or is reached by another scheme than http and https, is refused in one line.
 */
import { FatalError } from '@gatehouse/runtime/fatal';
import { shorten } from './output.ts';

/** What {@link fetchOctets} takes. */
export type FetchOptions = {
  /** Most octets that are taken. */
  readonly maximumOctets: number;
  /** For all of it. */
  readonly timeoutMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent by POST; without one it is a GET. */
  readonly body?: Uint8Array | undefined;
};

/** What came. */
export type Fetched = {
  /** 200, 404, … */
  readonly status: number;
  /** In lower case, without parameters; empty when there is none. */
  readonly mediaType: string;
  readonly octets: Buffer;
};

const defaultTimeoutMs = 15_000;

/** Fetches, whatever the HTTP status. Throws FatalError that names the URL. */
export async function fetchOctets(url: string, options: FetchOptions): Promise<Fetched> {
  const { maximumOctets, timeoutMs = defaultTimeoutMs, headers = {}, body } = options;
  const target = URL.parse(url);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw new FatalError(`'${shorten(url)}' cannot be fetched: it is no http or https URL`);
  }
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(target, {
      headers,
      signal: deadline,
      ...(body === undefined ? {} : { method: 'POST', body: Buffer.from(body) }),
    });
    const octets = await readLimited(answer, maximumOctets, url);
    const [mediaType = ''] = (answer.headers.get('content-type') ?? '').split(';', 1);
    return { status: answer.status, mediaType: mediaType.trim().toLowerCase(), octets };
  } catch (error) {
    if (error instanceof FatalError) throw error;
    const why = deadline.aborted ? `no answer within ${timeoutMs / 1000} s` : causeOf(error);
    throw new FatalError(`cannot fetch ${shorten(url, 100)}: ${why}`, { cause: error });
  }
}

/** The same, where only status 200 counts. */
export async function download(url: string, options: FetchOptions): Promise<Buffer> {
  const { status, octets } = await fetchOctets(url, options);
  if (status === 200) return octets;
  throw new FatalError(`cannot fetch ${shorten(url, 100)}: it answered ${status}`);
}

async function readLimited(answer: Response, maximumOctets: number, url: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.length;
    if (length > maximumOctets) throw new FatalError(`${shorten(url, 100)} sends more than ${maximumOctets} octets`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** `fetch` says only that it failed; why is a level below. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof AggregateError) return causeOf(error.cause.errors[0]);
  return error.cause instanceof Error ? causeOf(error.cause) : error.message;
}
