// Debian's `openssl ocsp` as it is used by hand and in scripts. The answer is always verified: the delegated responder by
// the issuing CA that signed its certificate, that one by the trust anchor, and no responder is trusted beforehand.

import assert from 'node:assert/strict';
import { lastLines, runCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { type OcspStatus, parseOcspOutput } from './ocsp-output.ts';

/** What is asked. */
export type OcspQuestion = {
  /** Files, PEM. */
  readonly certificates?: readonly string[] | undefined;
  /** `0x1234`, or decimal. */
  readonly serialNumbers?: readonly string[] | undefined;
  /** Of the CertID; SHA-1 unless told. */
  readonly hash?: 'sha256' | 'sha384' | undefined;
  /** The issuing CA unless told; a file, PEM. */
  readonly issuer?: string | undefined;
  /** Options: `-no_nonce`. */
  readonly options?: readonly string[] | undefined;
};

/** What came. */
export type OcspAnswer = {
  readonly statuses: readonly OcspStatus[];
  /** All that openssl said, for whoever looks for more. */
  readonly said: string;
};

/** Asks the responder at `url` by POST. @throws when the answer is none, or is not verified */
export async function askByPost(session: Session, url: string, question: OcspQuestion): Promise<OcspAnswer> {
  return await judge(session, question, ['-url', url]);
}

/** Writes the request into a file instead of asking. @throws {CommandError} */
export async function writeRequest(session: Session, file: string, question: OcspQuestion): Promise<void> {
  const { status, stderr } = await runCommand('openssl', [...parametersOf(session, question), '-reqout', file]);
  assert.equal(status, 0, `openssl ocsp ended with status ${status}: ${lastLines(stderr)}`);
}

/** Judges a response in a file. @throws when it is none, or is not verified */
export async function judgeResponse(session: Session, file: string, question: OcspQuestion): Promise<OcspAnswer> {
  return await judge(session, question, ['-respin', file]);
}

/** Asks where an answer without status must come: `unauthorized`. RFC 6960 §4.2.1 */
export async function expectResponderError(
  session: Session,
  url: string,
  question: OcspQuestion,
  error: string,
): Promise<void> {
  const { stdout, stderr } = await runCommand('openssl', [...parametersOf(session, question), '-url', url]);
  assert.match(`${stdout}${stderr}`, new RegExp(`Responder Error: ${error} \\(\\d\\)`), lastLines(stderr));
}

async function judge(session: Session, question: OcspQuestion, where: readonly string[]): Promise<OcspAnswer> {
  const parameters = [...parametersOf(session, question), ...where];
  const { status, stdout, stderr } = await runCommand('openssl', parameters);
  assert.equal(status, 0, `openssl ocsp ended with status ${status}: ${lastLines(`${stdout}\n${stderr}`)}`);
  assert.match(stderr, /^Response verify OK$/m, lastLines(stderr));
  const said = stdout.toString('latin1');
  return { statuses: parseOcspOutput(said), said: `${said}${stderr}` };
}

function parametersOf({ stack }: Session, question: OcspQuestion): readonly string[] {
  const { certificates = [], serialNumbers = [], hash, issuer = stack.endpoints.chain, options = [] } = question;
  return [
    ...['ocsp', '-CAfile', stack.endpoints.trustAnchor, '-issuer', issuer, ...options],
    // It holds for the certificates that follow.
    ...(hash === undefined ? [] : [`-${hash}`]),
    ...certificates.flatMap((file) => ['-cert', file]),
    ...serialNumbers.flatMap((serialNumber) => ['-serial', serialNumber]),
  ];
}
