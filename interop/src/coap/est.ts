// EST over CoAP as every client of it does it, RFC 9148: paths, content formats, and the checks that an answer with a
// certificate must pass whoever fetched it.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { makeRequest, type RequestFiles, type RequestOptions } from '../certification-requests.ts';
import { output } from '../command.ts';
import { splitPem } from '../curl/request.ts';
import type { Session } from '../session.ts';
import { ask, type CoapAnswer, type CoapCall, type CoapDriver, CoapError, describeAnswer } from './driver.ts';
import type { Device, Manufacturers } from './manufacturer.ts';

/** Content formats, RFC 9148 §8.1 and RFC 8710 §4. */
export const formats = {
  links: 40,
  multipart: 62,
  serverGeneratedKey: 280,
  certsOnly: 281,
  pkcs8: 284,
  csrAttributes: 285,
  pkcs10: 286,
  certificate: 287,
} as const;

/** The label that plain operations go to; RFC 9148 §4.1 has them after the root. */
export const plainLabel = 'device-identity';

/** Path of a resource. */
export function estPath(resource: string, label: string | undefined = plainLabel): string {
  return label === undefined ? `/.well-known/est/${resource}` : `/.well-known/est/${label}/${resource}`;
}

/** What a stack with a CoAP gate has of manufacturers. @throws {CoapError} when it has none */
export function manufacturersOf({ stack }: Session): Manufacturers {
  if (stack.manufacturers === undefined) throw new CoapError('the stack knows no manufacturers');
  return stack.manufacturers;
}

/** The request that a device makes for itself: names that its manufacturer vouches for. */
export function makeDeviceRequest(
  session: Session,
  { serialNumber }: Device,
  options: Partial<RequestOptions> = {},
): Promise<RequestFiles> {
  const subject = [`CN=device-${serialNumber}`, `serialNumber=${serialNumber}`];
  return makeRequest(session, `device-${serialNumber}`, { subject, ...options });
}

/** How an enrollment differs from the plainest. */
export type EnrollOptions = {
  readonly resource?: 'sen' | 'sren' | undefined;
  readonly path?: string | undefined;
  /** Without it the gate chooses. */
  readonly accept?: number | undefined;
  readonly isNonConfirmable?: boolean | undefined;
};

/** Sends a request for a certificate. @throws {CoapError} when it is not answered */
export function sendEnrollment(
  driver: CoapDriver,
  session: Session,
  call: CoapCall,
  { der }: Pick<RequestFiles, 'der'>,
  { resource = 'sen', path = estPath(resource), accept, isNonConfirmable }: EnrollOptions = {},
): Promise<CoapAnswer> {
  const request = {
    method: 'post',
    path,
    contentFormat: formats.pkcs10,
    payload: der,
    accept,
    isNonConfirmable,
  } as const;
  return ask(driver, session, call, request);
}

/** Enrols, and checks what comes back. */
export async function enroll(
  driver: CoapDriver,
  session: Session,
  call: CoapCall,
  request: RequestFiles,
  options: EnrollOptions = {},
): Promise<X509Certificate> {
  const answer = await sendEnrollment(driver, session, call, request, options);
  return await expectIssued(session, answer, request.publicKey, options.accept ?? formats.certsOnly);
}

/** Checks an answer that issues: code, format, one certificate alone, and what the judge says of it. */
export async function expectIssued(
  session: Session,
  answer: CoapAnswer,
  publicKey: string,
  format: number = formats.certsOnly,
): Promise<X509Certificate> {
  assert.equal(answer.code, '2.04', describeAnswer(answer));
  assert.equal(answer.contentFormat, format);
  const certificate = only(await readCertificates(answer.payload, format));
  await session.certificates.accept(certificate, publicKey);
  return certificate;
}

/** The certificates of a body, as openssl reads them. @throws {CommandError} when it cannot */
export async function readCertificates(body: Buffer, format: number): Promise<readonly X509Certificate[]> {
  if (format === formats.certificate) {
    const pem = await output('openssl', ['x509', '-inform', 'DER'], { input: body });
    return [new X509Certificate(pem)];
  }
  const pem = await output('openssl', ['pkcs7', '-inform', 'DER', '-print_certs'], { input: body });
  return splitPem(pem.toString('latin1')).map((block) => new X509Certificate(block));
}

/** The one certificate that there must be. */
export function only(certificates: readonly X509Certificate[]): X509Certificate {
  const [certificate, ...others] = certificates;
  assert(certificate !== undefined && others.length === 0, `there must be one certificate, not ${certificates.length}`);
  return certificate;
}

/** An answer that refuses: the code, and a diagnostic of one short line, RFC 7252 §5.5.2. */
export function expectRefusal(answer: CoapAnswer, code: string): void {
  assert.equal(answer.code, code, describeAnswer(answer));
  assert.equal(answer.contentFormat, undefined, 'a diagnostic has no content format');
  const text = answer.payload.toString('utf8');
  assert(answer.payload.length <= 64, `'${text}' must be short`);
  assert.match(text, /^[^\r\n]*$/, `'${text}' must be one line`);
  assert.doesNotMatch(text, /\bat \S+:\d+|\.ts\b|node:|\b[A-Z]\w*Error\b|undefined|\[object/);
}

/** RFC 9148 §3: whoever has no certificate that the gate trusts gets no session, and no answer. */
export async function expectNoSession(answer: Promise<unknown>): Promise<void> {
  await assert.rejects(answer, (error) => error instanceof CoapError, 'there must be no session');
}

/** How many certificates the keep has issued for each of these devices. */
export async function countIssued(session: Session, devices: readonly Device[]): Promise<readonly number[]> {
  const rows = await listCertificates(session);
  return devices.map((device) => rows.filter((row) => isOf(device, row)).length);
}

/** How many of them are good; the others must have been revoked by the gate, and are counted as such. */
export async function countGood(session: Session, devices: readonly Device[]): Promise<readonly number[]> {
  const rows = await listCertificates(session);
  const lost = rows.filter((row) => row.state === 'revoked' && devices.some((device) => isOf(device, row)));
  for (const { serialNumber } of lost) {
    const shown: unknown = await session.stack.operator('cert', 'show', serialNumber);
    assert(typeof shown === 'object' && shown !== null && 'pem' in shown, 'cert show --json must have the certificate');
    session.certificates.abandon(new X509Certificate(String(shown.pem)));
  }
  return devices.map((device) => rows.filter((row) => row.state === 'valid' && isOf(device, row)).length);
}

type Row = { readonly serialNumber: string; readonly state: string };

async function listCertificates(session: Session): Promise<readonly Row[]> {
  const listed = await session.stack.operator('cert', 'list', '--limit', '10000');
  assert(Array.isArray(listed), 'gatehouse cert list --json must print a list');
  return listed;
}

function isOf({ serialNumber }: Device, row: Row): boolean {
  return JSON.stringify(row).includes(serialNumber);
}
