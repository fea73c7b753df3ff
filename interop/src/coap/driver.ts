// What a client of CoAP is to the operations: it opens a session with a device's certificate, sends requests, and gives the
// answers. How it forms blocks and repeats what was lost is its own affair, and what is tested.

import type { Session } from '../session.ts';
import type { Device } from './manufacturer.ts';

/** A request, in the words of RFC 7252. */
export type CoapRequest = {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  /** Each a Uri-Query. */
  readonly query?: readonly string[] | undefined;
  readonly contentFormat?: number | undefined;
  readonly accept?: number | undefined;
  readonly payload?: Uint8Array | undefined;
  readonly isNonConfirmable?: boolean | undefined;
};

/** How it is sent. */
export type CoapCall = {
  /** Whose certificate is shown; none without. */
  readonly device?: Pick<Device, 'certificateFile' | 'keyFile'> | undefined;
  /** Octets of a block; the client's own choice unless told. */
  readonly blockSize?: number | undefined;
  /** Where to; the gate itself unless told. */
  readonly port?: number | undefined;
};

/** An answer. */
export type CoapAnswer = {
  /** `2.04`. */
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;
  readonly payload: Buffer;
};

/** The client got no session, or no answer in its session. */
export class CoapError extends Error {
  override readonly name = 'CoapError';
}

/** One client. */
export type CoapDriver = {
  /** For names of devices and files. */
  readonly name: string;
  /** Sends requests in one session, one after the other. @throws {CoapError} when one of them is not answered */
  send(session: Session, call: CoapCall, requests: readonly CoapRequest[]): Promise<readonly CoapAnswer[]>;
  /** Whether {@link CoapDriver.send} takes more than one request. */
  readonly keepsSessions: boolean;
};

/** Where the gate of a stack listens. @throws {CoapError} when the stack has none */
export function coapPort(session: Session): number {
  const url = session.stack.endpoints.coap?.url;
  if (url === undefined) throw new CoapError('the stack has no CoAP gate');
  return Number(new URL(url).port || 5684);
}

/** Sends one request. @throws {CoapError} when it is not answered */
export async function ask(
  driver: CoapDriver,
  session: Session,
  call: CoapCall,
  request: CoapRequest,
): Promise<CoapAnswer> {
  const [answer] = await driver.send(session, call, [request]);
  if (answer === undefined) throw new CoapError('there is no answer');
  return answer;
}

/** An answer in one line, for whoever looks for a failure. */
export function describeAnswer({ code, contentFormat, payload }: CoapAnswer): string {
  const text = contentFormat === undefined ? `: ${payload.toString('utf8')}` : ` of content format ${contentFormat}`;
  return `${code}, ${payload.length} octets${payload.length === 0 ? '' : text}`;
}
