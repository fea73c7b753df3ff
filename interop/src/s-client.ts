// A TLS connection of `openssl s_client`, for octets that no HTTP client would send.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CommandError, type CommandResult, runCommand } from './command.ts';
import type { Session } from './session.ts';

/** How long an answer may take. The gate closes idle connections later than that, so who waits for it fails. */
const patienceMs = 20_000;

/**
 * Sends octets over a connection whose server certificate is verified, and gives what comes until the server closes.
 *
 * @param options of s_client: `-tls1_2`
 * @throws {CommandError} when the server does not close
 */
export function sendOctets(
  session: Session,
  octets: string | Uint8Array,
  options: readonly string[] = [],
): Promise<CommandResult> {
  const { trustAnchor } = session.stack.endpoints;
  const verified = ['-CAfile', trustAnchor, '-verify_return_error', '-verify_ip', '127.0.0.1'];
  return runCommand('openssl', ['s_client', '-quiet', '-connect', session.authority, ...verified, ...options], {
    input: octets,
    timeoutMs: patienceMs,
  });
}

/** A connection on which something is read before it is known what to send. */
export type Conversation = {
  /** The first group of `form` as soon as s_client has said it. @throws {CommandError} when it ends before */
  waitFor(form: RegExp): Promise<string>;
  /** Sends octets, and gives all that s_client said once the server has closed. @throws {CommandError} */
  send(octets: string): Promise<Buffer>;
};

/** Opens a connection that shows what it knows of its handshake. */
export function openConversation(session: Session, options: readonly string[]): Conversation {
  const { trustAnchor } = session.stack.endpoints;
  const verified = ['-CAfile', trustAnchor, '-verify_return_error', '-verify_ip', '127.0.0.1'];
  const child = spawn('openssl', ['s_client', '-ign_eof', '-connect', session.authority, ...verified, ...options], {
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: patienceMs,
    killSignal: 'SIGKILL',
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const all = () => Buffer.concat(said);
  return {
    waitFor: async (form) => {
      for (;;) {
        const found = form.exec(all().toString('latin1'))?.[1];
        if (found !== undefined) return found;
        const more = once(child.stdout, 'data').then(() => true);
        if (!(await Promise.race([more, ended.then(() => false)]))) throw new CommandError('s_client ended too early');
      }
    },
    send: async (octets) => {
      child.stdin.write(octets);
      await ended;
      return all();
    },
  };
}
