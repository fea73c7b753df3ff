// A DTLS connection of `openssl s_client`: for handshakes that no client of CoAP would try, and for messages that are made
// when the handshake is known.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CommandError, type CommandResult, runCommand } from '../command.ts';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import { coapPort } from './driver.ts';
import type { Device } from './manufacturer.ts';

/** How long a handshake or an answer may take. */
const patienceMs = 20_000;

/** The mandatory suite counts as 64 bits, which no higher level of security allows: coaps.md §8. */
export const mandatorySuite = ['-cipher', 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0'] as const;

function parametersOf(session: Session, device: Device | undefined, options: readonly string[]): readonly string[] {
  const { trustAnchor } = session.stack.endpoints;
  const own = device === undefined ? [] : ['-cert', device.certificateFile, '-key', device.keyFile];
  const verified = ['-CAfile', trustAnchor, '-verify_return_error', '-verify_ip', '127.0.0.1'];
  return ['s_client', '-connect', `127.0.0.1:${coapPort(session)}`, ...verified, ...own, ...options];
}

/** Shakes hands, says nothing, and gives what s_client says of it. @throws {CommandError} when it hangs */
export function shakeHands(
  session: Session,
  device: Device | undefined,
  options: readonly string[],
  input = '',
): Promise<CommandResult> {
  return runCommand('openssl', parametersOf(session, device, options), { input, timeoutMs: patienceMs });
}

/** A session in which messages are sent as they are. */
export type DtlsConversation = {
  /** The client's Finished: tls-unique, RFC 5929 §3. @throws {CommandError} when there is no session */
  finished(): Promise<Buffer>;
  /** Sends one message, and gives what comes first that is more than an empty acknowledgement. @throws {CommandError} */
  exchange(message: Uint8Array): Promise<Buffer>;
  close(): Promise<void>;
};

/** Opens a session. */
export function openDtlsConversation(
  session: Session,
  device: Device,
  options: readonly string[] = mandatorySuite,
): DtlsConversation {
  const messages = session.file('handshake.txt');
  const child = spawn(
    'openssl',
    [...parametersOf(session, device, ['-dtls1_2', ...options]), '-quiet', '-msg', '-msgfile', messages],
    { stdio: ['pipe', 'pipe', 'ignore'], timeout: patienceMs, killSignal: 'SIGKILL' },
  );
  let said = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    said = Buffer.concat([said, chunk]);
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  return {
    finished: async () => {
      const text = await eventually(
        () => Promise.resolve(readMessages(messages)),
        (seen) => finishedOf('<', seen) !== undefined,
      );
      const found = finishedOf('>', text);
      if (found === undefined) throw new CommandError('s_client showed no Finished');
      return found;
    },
    exchange: async (message) => {
      said = Buffer.alloc(0);
      child.stdin.write(message);
      const answer = await eventually(
        () => Promise.resolve(withoutEmptyMessage(said)),
        (seen) => seen.length > 0,
      );
      if (answer.length === 0) throw new CommandError('s_client got no answer');
      return answer;
    },
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The first Finished in what -msg shows; which way it went stands before it, and the version of DTLS is not known to it. */
function finishedOf(way: '<' | '>', text: string): Buffer | undefined {
  // Sequence number, offset and length of the fragment stand behind type and length, RFC 6347 §4.2.2.
  const form = new RegExp(`^${way}{3} [^\\n]*\\n\\s+14 00 00 0c (?:[0-9a-f]{2}\\s+){8}((?:[0-9a-f]{2}\\s+){12})`, 'm');
  const found = form.exec(text)?.[1];
  return found === undefined ? undefined : Buffer.from(found.replaceAll(/\s/g, ''), 'hex');
}

/** s_client makes the file when it starts, and fills it as the handshake goes. */
function readMessages(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** RFC 7252 §5.2.2: an empty acknowledgement is four octets; the response comes when it is there. */
function withoutEmptyMessage(octets: Buffer): Buffer {
  return octets[0] === 0x60 && octets[1] === 0 ? octets.subarray(4) : octets;
}
