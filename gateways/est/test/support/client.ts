// An EST client for tests: one connection a request, so that what it is bound to is known, and nothing is tidied up on
// the way: paths, bodies and fields go out as they are given.

import type { KeyObject } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { encodePem } from '@gatehouse/pkix/pem';

/** A key with its certificate. */
export type ClientIdentity = { readonly key: KeyObject; readonly certificates: readonly Uint8Array[] };

/** One request. */
export type EstRequest = {
  readonly method?: string;
  readonly body?: Uint8Array | string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** `name:password` for Basic. */
  readonly user?: string | undefined;
  readonly identity?: ClientIdentity | undefined;
  readonly tls?: SecureVersion;
  /** Makes the body when the connection stands, for what is bound to it. */
  readonly bind?: (socket: TLSSocket) => Uint8Array;
};

/** One answer. */
export type EstResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

/** Sends requests to a gate. */
export type EstClient = (target: string, request?: EstRequest) => Promise<EstResponse>;

/** Makes a client. @param url without a path @param trustAnchor PEM */
export function createClient(url: string, trustAnchor: string): EstClient {
  const { hostname, port } = new URL(url);
  return async (target, { method, body, headers, user, identity, tls = 'TLSv1.3', bind } = {}) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      servername: 'localhost',
      ca: trustAnchor,
      minVersion: tls,
      maxVersion: tls,
      ...(identity === undefined ? {} : toOptions(identity)),
    });
    const { promise: connected, resolve: secured, reject: refuse } = Promise.withResolvers<void>();
    socket.once('secureConnect', secured).once('error', refuse);
    await connected;
    const content = bind === undefined ? body : bind(socket);
    const { promise, resolve, reject } = Promise.withResolvers<EstResponse>();
    const sent = httpRequest(
      {
        method: method ?? (content === undefined ? 'GET' : 'POST'),
        path: target,
        host: hostname,
        createConnection: () => socket,
        headers: {
          ...(content === undefined
            ? {}
            : {
                'content-type': 'application/pkcs10',
                ...(headers?.['transfer-encoding'] === undefined
                  ? { 'content-length': Buffer.byteLength(content) }
                  : {}),
              }),
          ...(user === undefined ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(content);
    return await promise.finally(() => socket.destroy());
  };
}

/** Sends a whole request and closes the connection in the same breath: the answer finds nobody. */
export async function sendAndLeave(
  gate: { readonly url: string; readonly trustAnchor: string },
  target: string,
  body: Uint8Array,
  user: string,
): Promise<void> {
  const { hostname, port } = new URL(gate.url);
  const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', ca: gate.trustAnchor });
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('secureConnect', () => {
    const head = [
      `POST ${target} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/pkcs10',
      `Authorization: Basic ${Buffer.from(user).toString('base64')}`,
      `Content-Length: ${body.length}`,
      '',
      '',
    ].join('\r\n');
    socket.end(Buffer.concat([Buffer.from(head), body]));
    socket.resume();
  });
  socket.once('error', () => undefined);
  socket.once('close', () => resolve());
  await promise;
}

/** The certificates of a certs-only answer. */
export function certificatesOf(response: EstResponse): readonly Certificate[] {
  return readCertificatesOnly(Buffer.from(response.body, 'base64')).map(readCertificate);
}

/** The one certificate of an answer; anything but 200 with one certificate throws. */
export function certificateOf(response: EstResponse): Certificate {
  if (response.status !== 200) throw new Error(`status ${response.status}: ${response.body}`);
  const [certificate, ...more] = certificatesOf(response);
  if (certificate === undefined || more.length > 0) throw new Error('not exactly one certificate');
  return certificate;
}

function toOptions({ key, certificates }: ClientIdentity) {
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: certificates.map((der) => encodePem('CERTIFICATE', der)).join(''),
  };
}
