// A TLS client that asks for a stapled response, RFC 6066 §8, and shows what comes.

import { runCommand } from '../command.ts';
import type { Session } from '../session.ts';

/** What a server staples: the status of its certificate, or nothing. */
export type Staple = { readonly status: 'good' | 'revoked' | 'unknown' | undefined; readonly said: string };

/** What the server says of itself, or undefined when it cannot be reached. */
export async function readStaple({ stack }: Session, authority: string): Promise<Staple | undefined> {
  const parameters = ['s_client', '-status', '-connect', authority, '-CAfile', stack.endpoints.trustAnchor];
  const { stdout, stderr } = await runCommand('openssl', [...parameters, '-verify_return_error']);
  return parseStaple(`${stdout}${stderr}`);
}

/** Reads what `openssl s_client -status` prints; undefined when it had no connection. */
export function parseStaple(said: string): Staple | undefined {
  if (!/^OCSP response:/m.test(said)) return undefined;
  if (!/^\s+OCSP Response Status: successful \(0x0\)$/m.test(said)) return { status: undefined, said };
  const word = /^\s+Cert Status: (\S+)$/m.exec(said)?.[1];
  return { status: word === 'good' || word === 'revoked' || word === 'unknown' ? word : undefined, said };
}
