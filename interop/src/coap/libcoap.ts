// coap-client of libcoap, which most constrained devices have: over OpenSSL or over GnuTLS. It ends with status 0 whatever
// happens, so what it says of the messages that it got is read.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { lastLines, runCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { type CoapAnswer, type CoapCall, type CoapDriver, CoapError, type CoapRequest, coapPort } from './driver.ts';

/** How long it tries. */
const patienceSeconds = 120;

/** The driver of `coap-client-openssl` or `coap-client-gnutls`. */
export function libcoapDriver(program: string): CoapDriver {
  return {
    name: program,
    keepsSessions: false,
    send: async (session, call, requests) => {
      const answers: CoapAnswer[] = [];
      for (const request of requests) answers.push(await send(program, session, call, request));
      return answers;
    },
  };
}

async function send(program: string, session: Session, call: CoapCall, request: CoapRequest): Promise<CoapAnswer> {
  const file = session.file(`${randomUUID()}.answer`);
  const { payload } = request;
  const parameters = [
    ...['-m', request.method, '-o', file, '-B', String(patienceSeconds), '-v', '6'],
    ...(call.blockSize === undefined ? [] : ['-b', String(call.blockSize)]),
    ...(request.accept === undefined ? [] : ['-A', String(request.accept)]),
    ...(request.contentFormat === undefined ? [] : ['-t', String(request.contentFormat)]),
    ...(payload === undefined ? [] : ['-f', session.write(`${randomUUID()}.request`, payload)]),
    ...(request.isNonConfirmable === true ? ['-N'] : []),
    ...(call.device === undefined ? [] : ['-c', call.device.certificateFile, '-j', call.device.keyFile]),
    // Without a certificate of its own it takes no anchors either.
    ...(call.device === undefined ? [] : ['-C', session.stack.endpoints.trustAnchor]),
    urlOf(session, call, request),
  ];
  const { stdout, stderr } = await runCommand(program, parameters, { timeoutMs: (patienceSeconds + 10) * 1_000 });
  const said = `${stdout.toString('latin1')}\n${stderr}`;
  const answers = readMessages(said).filter(({ code }) => code !== '2.31' && code !== '0.00');
  const last = answers.at(-1);
  if (last === undefined) throw new CoapError(`${program}: ${lastLines(stderr) || lastLines(said)}`);
  const isSuccess = last.code.startsWith('2.');
  // Where it lost its place between blocks it writes the last of them alone, and where its time is over those that it has; the
  // first of them said how many octets there are. What is refused it says in a line.
  const atLeast = Math.max(...answers.map((answer) => answer.atLeast));
  const body = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  if (isSuccess && body.length < atLeast) throw new CoapError(`${program}: the answer is not whole`);
  const { code, contentFormat, maxAge } = last;
  return { code, contentFormat, maxAge, payload: isSuccess ? body : Buffer.from(diagnosticOf(said, code)) };
}

function urlOf(session: Session, call: CoapCall, { path, query = [] }: CoapRequest): string {
  const port = call.port ?? coapPort(session);
  const suffix = query.length === 0 ? '' : `?${query.join('&')}`;
  return `coaps://127.0.0.1:${port}${path}${suffix}`;
}

/** One message that it got, as it shows it with -v 6. */
type Message = {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;
  /** Octets that the whole body has, as far as the message says. */
  readonly atLeast: number;
};

/** Content formats that it calls by their names. */
const namedFormats: Readonly<Record<string, number>> = {
  'text/plain': 0,
  'application/link-format': 40,
};

/** Reads the messages that it got out of what it said; those that it sent have the names of methods. */
export function readMessages(said: string): readonly Message[] {
  const form = /^v:1 t:(?:CON|NON|ACK|RST) c:(\d\.\d\d) i:[0-9a-f]+ \{[0-9a-f]*\} \[([^\]]*)\]( ::)?/gm;
  return [...said.matchAll(form)].map(([, code = '', options = '', payload]) => ({
    code,
    contentFormat: formatOf(/\bContent-Format:([^\s,]+)/.exec(options)?.[1]),
    maxAge: numberOf(/\bMax-Age:(\d+)/.exec(options)?.[1]),
    atLeast: numberOf(/\bSize2:(\d+)/.exec(options)?.[1]) ?? (payload === undefined ? 0 : 1),
  }));
}

function formatOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (namedFormats[text] ?? numberOf(text));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** `4.15 media type`: what it says of a refusal. */
function diagnosticOf(said: string, code: string): string {
  return (
    said
      .split('\n')
      .findLast((line) => line.startsWith(`${code} `))
      ?.slice(code.length + 1)
      .trim() ?? ''
  );
}
