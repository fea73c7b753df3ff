// `openssl verify` with CRLs in files, for each certificate of the chain: the trust anchor alone is exempt.

import assert from 'node:assert/strict';
import { lastLines, runCommand } from '../command.ts';
import type { Session } from '../session.ts';

/** What openssl is given. */
export type Verification = {
  /** PEM. */
  readonly certificateFile: string;
  /** Files, DER. */
  readonly crls?: readonly string[] | undefined;
  /** Options: `-use_deltas`. */
  readonly options?: readonly string[] | undefined;
};

/** RFC 5280 §6.3: nothing is revoked. @throws when openssl says otherwise */
export async function expectValid(session: Session, verification: Verification): Promise<void> {
  const { status, said } = await verify(session, verification);
  assert.equal(status, 0, `openssl verify must pass: ${lastLines(said)}`);
  assert.match(said, /: OK$/m);
}

/** RFC 5280 §6.3: it must be refused with this error. @throws when it is not */
export async function expectInvalid(session: Session, verification: Verification, error: string): Promise<void> {
  const { status, said } = await verify(session, verification);
  assert.notEqual(status, 0, 'openssl verify must fail');
  assert.match(said, new RegExp(`error \\d+ at \\d depth lookup: ${error}`), lastLines(said));
}

async function verify({ stack }: Session, { certificateFile, crls = [], options = [] }: Verification) {
  const { trustAnchor, chain } = stack.endpoints;
  const { status, stdout, stderr } = await runCommand('openssl', [
    ...['verify', '-CAfile', trustAnchor, '-untrusted', chain, '-crl_check_all', ...options],
    ...crls.flatMap((file) => ['-CRLfile', file]),
    certificateFile,
  ]);
  return { status, said: `${stdout}${stderr}` };
}
