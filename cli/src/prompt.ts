/** What is asked of the person at the terminal, and secrets from there, a file or standard input. A secret is never shown. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile } from '@gatehouse/runtime/private-file';

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks on the terminal, without echo. */
export async function askSecret(question: string): Promise<string> {
  // readline echoes what is typed to its output: this one goes nowhere.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lines.on('SIGINT', () => reject(new FatalError('interrupted', { exitCode: 130 })));
  lines.on('close', () => reject(new FatalError('the input ended before an answer')));
  process.stderr.write(question);
  lines.question('', resolve);
  try {
    return await promise;
  } finally {
    process.stderr.write('\n');
    lines.close();
  }
}

/** Where a question is asked. */
export type Terminal = { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream };

/** Asks a question that is answered by y or n; anything but a yes is a no. */
export async function confirm(
  question: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  const lines = createInterface({ input, output });
  const { promise, resolve } = Promise.withResolvers<string>();
  // Ctrl-C and the end of the input are no answer.
  lines.on('close', () => resolve(''));
  lines.question(question, resolve);
  const answer = await promise;
  lines.close();
  return /^y(?:es)?$/i.test(answer.trim());
}

/** A secret from a file that nobody else may read, or from standard input for `-`; without the line end. */
export async function readSecretFile(file: string): Promise<string> {
  // What comes through a pipe may come late; a synchronous read would not wait for it.
  const content = file === '-' ? await text(process.stdin) : readPrivateFile(file).toString('utf8');
  return content.replace(/\r?\n$/, '');
}
