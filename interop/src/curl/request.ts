// curl as a client of EST, RFC 7030: what is asked is told in the words of EST, what curl is told stands in one place.

import { randomUUID, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { lastLines, output, runCommand } from '../command.ts';
import { type HttpAnswer, readHeadAnswer, readLastAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';
import type { Account } from '../stack.ts';

/** What curl shows in the handshake; files, PEM. */
export type ClientCertificate = { readonly certificateFile: string; readonly keyFile: string };

/** A request as curl is told to send it. */
export type CurlRequest = {
  readonly path: string;
  /** POST when there is a body, GET otherwise, unless told. */
  readonly method?: string | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** `application/pkcs10` for a body unless told; an empty text leaves the field out. */
  readonly contentType?: string | undefined;
  /** Whole lines: `Transfer-Encoding: chunked`. */
  readonly headers?: readonly string[] | undefined;
  readonly account?: Account | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Further options: `--anyauth`. */
  readonly options?: readonly string[] | undefined;
};

/** curl got no answer. */
export class CurlError extends Error {
  override readonly name = 'CurlError';
}

/** The last answer that curl gets. @throws {CurlError} when there is none; {HttpAnswerError} when it is not in order */
export async function curl(session: Session, request: CurlRequest): Promise<HttpAnswer> {
  return await callCurl(session, session.url(request.path), request);
}

/** The same of any URL. @throws {CurlError}, {HttpAnswerError} */
export async function callCurl(
  session: Session,
  url: string,
  request: Omit<CurlRequest, 'path'> = {},
): Promise<HttpAnswer> {
  const { body } = request;
  // Of an answer that only asks for credentials curl shows no body, so headers and bodies come apart.
  const headerFile = session.file(`${randomUUID()}.headers`);
  const parameters = [
    ...['--silent', '--show-error', '--raw', '--path-as-is', '--max-time', '30', '--dump-header', headerFile],
    ...['--cacert', session.stack.endpoints.trustAnchor],
    ...(body === undefined ? [] : ['--header', contentTypeField(request), '--data-binary', '@-']),
    ...methodOptions(request.method),
    ...(request.headers ?? []).flatMap((field) => ['--header', field]),
    ...(request.account === undefined ? [] : ['--user', `${request.account.username}:${request.account.password}`]),
    ...certificateOptions(request.clientCertificate),
    ...(request.options ?? []),
    url,
  ];
  const { status, stdout, stderr } = await runCommand('curl', parameters, { input: body });
  const header = existsSync(headerFile) ? lastHeader(readFileSync(headerFile, 'latin1')) : '';
  if (header === '') throw new CurlError(`curl ended with status ${status}: ${lastLines(stderr)}`);
  const octets = Buffer.concat([Buffer.from(header, 'latin1'), stdout]);
  return request.method === 'HEAD' ? readHeadAnswer(octets) : readLastAnswer(octets);
}

function lastHeader(text: string): string {
  const start = text.lastIndexOf('HTTP/1.');
  return start < 0 ? '' : text.slice(start);
}

/** What an answer says in short, for messages. */
export function describeAnswer({ status, body }: HttpAnswer): string {
  return `${status} ${body.toString('utf8', 0, 200).trim()}`;
}

/** The certificates in a certs-only body, as openssl reads them. @throws {CommandError} when it cannot */
export async function readCertificatesOnly(body: Buffer): Promise<readonly X509Certificate[]> {
  const der = await output('openssl', ['base64', '-d', '-A'], { input: body });
  const pem = await output('openssl', ['pkcs7', '-inform', 'DER', '-print_certs'], { input: der });
  return splitPem(pem.toString('latin1')).map((block) => new X509Certificate(block));
}

/** The certificates of a PEM text, each on its own. */
export function splitPem(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function methodOptions(method: string | undefined): readonly string[] {
  if (method === undefined) return [];
  // curl waits for a body unless it knows by its own option that none comes, and then it shows the header twice.
  return method === 'HEAD' ? ['--head', '--output', '/dev/null'] : ['--request', method];
}

function contentTypeField({ contentType = 'application/pkcs10' }: Omit<CurlRequest, 'path'>): string {
  // curl leaves a field out that is given without a value.
  return contentType === '' ? 'Content-Type:' : `Content-Type: ${contentType}`;
}

function certificateOptions(clientCertificate: ClientCertificate | undefined): readonly string[] {
  if (clientCertificate === undefined) return [];
  return ['--cert', clientCertificate.certificateFile, '--key', clientCertificate.keyFile];
}
