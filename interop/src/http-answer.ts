// Answers of HTTP/1.1 as they stood on the wire, RFC 9112: taken apart so that a check can look at each octet that a small
// client would have to read. It mends nothing: what is not in order is an error that says what.

/** One answer. */
export type HttpAnswer = {
  readonly status: number;
  /** Names in lower case; what came twice is joined with a comma, RFC 9110 §5.3. */
  readonly headers: ReadonlyMap<string, string>;
  /** Octets from the status line to the empty line, both included. */
  readonly headerOctets: number;
  readonly body: Buffer;
};

/** Octets that are no answer of HTTP/1.1. */
export class HttpAnswerError extends Error {
  override readonly name = 'HttpAnswerError';
}

/**
 * The answers that stand one after the other in `octets`, without the interim ones (1xx). A body ends where
 * Content-Length says, or with its last chunk, or with the octets.
 *
 * @throws {HttpAnswerError}
 */
export function readAnswers(octets: Buffer): readonly HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  let rest = octets;
  while (rest.length > 0) {
    const { answer, length } = readAnswer(rest);
    if (answer.status >= 200) answers.push(answer);
    rest = rest.subarray(length);
  }
  return answers;
}

/** The answer to HEAD: it has no body whatever its Content-Length says, RFC 9110 §9.3.2. @throws {HttpAnswerError} */
export function readHeadAnswer(octets: Buffer): HttpAnswer {
  const { status, headers, headerOctets } = readHeader(octets);
  if (octets.length > headerOctets) throw new HttpAnswerError('a body follows the answer to HEAD');
  return { status, headers, headerOctets, body: Buffer.alloc(0) };
}

/** The last of the answers: of the others, a client that authenticates sees only that they asked for more. @throws {HttpAnswerError} */
export function readLastAnswer(octets: Buffer): HttpAnswer {
  const last = readAnswers(octets).at(-1);
  if (last === undefined) throw new HttpAnswerError('the server closed the connection without an answer');
  return last;
}

function readAnswer(octets: Buffer): { readonly answer: HttpAnswer; readonly length: number } {
  const header = readHeader(octets);
  const { body, length } = readBody(header.status, header.headers, octets.subarray(header.headerOctets));
  return { answer: { ...header, body }, length: header.headerOctets + length };
}

function readHeader(octets: Buffer): Omit<HttpAnswer, 'body'> {
  const end = octets.indexOf('\r\n\r\n');
  if (end < 0) throw new HttpAnswerError(`no whole header in ${JSON.stringify(octets.toString('latin1', 0, 80))}`);
  const [statusLine = '', ...fields] = octets.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(statusLine)?.[1];
  if (status === undefined) throw new HttpAnswerError(`'${statusLine}' is no status line`);
  return { status: Number(status), headers: readFields(fields), headerOctets: end + 4 };
}

function readFields(fields: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const field of fields) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field) ?? [];
    if (name === undefined || value === undefined) throw new HttpAnswerError(`'${field}' is no header field`);
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

type Body = { readonly body: Buffer; readonly length: number };

function readBody(status: number, headers: ReadonlyMap<string, string>, octets: Buffer): Body {
  if (status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), length: 0 };
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(octets);
  const declared = headers.get('content-length');
  if (declared === undefined) return { body: octets, length: octets.length };
  const length = Number(declared);
  if (!/^\d+$/.test(declared) || length > octets.length) {
    throw new HttpAnswerError(`Content-Length is ${declared}, and ${octets.length} octets came`);
  }
  return { body: octets.subarray(0, length), length };
}

function readChunks(octets: Buffer): Body {
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = octets.indexOf('\r\n', position);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(octets.toString('latin1', position, lineEnd), 16);
    const start = lineEnd + 2;
    if (!(start + size + 2 <= octets.length)) throw new HttpAnswerError('a chunk is not whole');
    position = start + size + 2;
    if (size === 0) return { body: Buffer.concat(chunks), length: position };
    chunks.push(octets.subarray(start, start + size));
  }
}
