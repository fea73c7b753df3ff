// An echo server in a process of its own, so that its memory and its processor time are its own: started with `fork`, told
// what to do by messages, and gone with its parent.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { DtlsLimits } from '../src/dtls/transport.ts';
import { startEcho } from './echo-server.ts';

/** What the process is doing. */
export type EchoState = {
  readonly residentBytes: number;
  /** Of JavaScript, buffers included. */
  readonly heapBytes: number;
  readonly established: number;
  readonly halfOpen: number;
  /** Received, whatever they were. */
  readonly datagrams: number;
  /** Seconds of processor time, user and system. */
  readonly processorSeconds: number;
};

/** A running one. */
export type EchoProcess = {
  readonly pid: number;
  readonly port: number;
  /** DER. */
  readonly trustAnchor: Uint8Array;
  /** After a collection of garbage. */
  state(): Promise<EchoState>;
  stop(): Promise<void>;
};

/** What the parent passes on. */
export type EchoProcessOptions = {
  /** DER. */
  readonly anchors: readonly Uint8Array[];
  readonly limits?: Partial<DtlsLimits>;
};

const readySchema = z.strictObject({ port: z.number(), trustAnchor: z.base64() });
const stateSchema = z.strictObject({
  residentBytes: z.number(),
  heapBytes: z.number(),
  established: z.number(),
  halfOpen: z.number(),
  datagrams: z.number(),
  processorSeconds: z.number(),
});
const startSchema = z.strictObject({
  anchors: z.array(z.base64()),
  limits: z.record(z.string(), z.unknown()),
});

/** Starts one and waits until it listens. */
export async function startEchoProcess(options: EchoProcessOptions): Promise<EchoProcess> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { execArgv: ['--expose-gc', '--no-warnings'] });
  const anchors = options.anchors.map((anchor) => Buffer.from(anchor).toString('base64'));
  const { port, trustAnchor } = readySchema.parse(await ask(child, { anchors, limits: options.limits ?? {} }));
  return {
    pid: child.pid ?? 0,
    port,
    trustAnchor: Buffer.from(trustAnchor, 'base64'),
    state: async () => stateSchema.parse(await ask(child, 'state')),
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function ask(child: ChildProcess, question: object | string): Promise<unknown> {
  const ended = AbortSignal.timeout(30_000);
  const answer = once(child, 'message', { signal: ended });
  child.send(question);
  const [message] = await answer;
  return message;
}

async function serve(): Promise<void> {
  const [first] = await once(process, 'message');
  const { anchors, limits } = startSchema.parse(first);
  const echo = await startEcho({ anchors: anchors.map((each) => Buffer.from(each, 'base64')), limits });
  // What was received is looked at by nobody here.
  const forget = setInterval(() => echo.received.splice(0) && echo.closed.splice(0), 100);
  process.on('message', async () => {
    const datagrams = await echo.metric('dtls_datagrams_total', { direction: 'in' });
    globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const processorSeconds = (user + system) / 1e6;
    const { rss: residentBytes, heapUsed, external } = process.memoryUsage();
    process.send?.({
      residentBytes,
      heapBytes: heapUsed + external,
      ...echo.transport.counts,
      datagrams,
      processorSeconds,
    });
  });
  process.once('disconnect', () => {
    clearInterval(forget);
    echo.close().then(() => process.exit(0));
  });
  process.send?.({ port: echo.port, trustAnchor: Buffer.from(echo.authority.certificate).toString('base64') });
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'serve') await serve();
