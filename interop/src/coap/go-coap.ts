// plgd's go-coap over pion's DTLS, both in Go: they share nothing with OpenSSL, GnuTLS and libcoap. The program around them
// is in interop/go/coap-client.

import { fileURLToPath } from 'node:url';
import { lastLines, runCommand } from '../command.ts';
import { type CoapAnswer, type CoapDriver, CoapError, type CoapRequest, coapPort } from './driver.ts';

/** Where interop/install-clients.sh puts it. */
export const goCoapProgram = fileURLToPath(new URL('../../.work/bin/coap-client', import.meta.url));

/**
 * The driver.
 *
 * @param suite `CCM8`, `CCM`, `GCM` or `GCM256`
 * @param patienceSeconds how long it waits for all of its answers
 */
export function goCoapDriver(suite: string, patienceSeconds = 40): CoapDriver {
  return {
    name: 'go-coap',
    keepsSessions: true,
    send: async (session, { device, blockSize, port = coapPort(session) }, requests) => {
      const parameters = [
        ...['-connect', `127.0.0.1:${port}`, '-ca', session.stack.endpoints.trustAnchor, '-suite', suite],
        ...['-timeout', `${patienceSeconds}s`],
        ...(device === undefined ? [] : ['-cert', device.certificateFile, '-key', device.keyFile]),
        ...(blockSize === undefined ? [] : ['-block', String(blockSize)]),
      ];
      const { status, stdout, stderr } = await runCommand(goCoapProgram, parameters, {
        input: requests.map((request) => `${toJson(request)}\n`).join(''),
        timeoutMs: (patienceSeconds + 10) * 1_000,
      });
      if (status !== 0) throw new CoapError(`go-coap: ${lastLines(stderr)}`);
      return stdout.toString('utf8').trimEnd().split('\n').map(readAnswer);
    },
  };
}

function toJson({ payload, ...request }: CoapRequest): string {
  return JSON.stringify({
    ...request,
    ...(payload === undefined ? {} : { payload: Buffer.from(payload).toString('base64') }),
  });
}

/** Reads one line of what it prints. @throws {CoapError} when it is none */
export function readAnswer(line: string): CoapAnswer {
  const said: unknown = JSON.parse(line);
  if (typeof said !== 'object' || said === null || !('code' in said) || typeof said.code !== 'string') {
    throw new CoapError(`go-coap printed '${line}'`);
  }
  return {
    code: said.code,
    contentFormat: 'contentFormat' in said ? Number(said.contentFormat) : undefined,
    maxAge: 'maxAge' in said ? Number(said.maxAge) : undefined,
    payload:
      'payload' in said && typeof said.payload === 'string' ? Buffer.from(said.payload, 'base64') : Buffer.alloc(0),
  };
}
