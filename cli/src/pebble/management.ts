/**
 * The management interface of Pebble: roots, intermediates and their private keys for whoever asks, how a certificate
 * stands, and renewal information that a suite dictates. It shows keys, so it must never run beside a CA that matters.
 */
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { certificateIdOf } from '@gatehouse/gateway-acme/certificate-id';
import type { ServerCertificate } from '@gatehouse/gateway-kit/https-server';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { type CertificateRecord, CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { type ListenAddress, listen } from '@gatehouse/runtime/listen';
import { behindFront } from './front.ts';
import type { PebbleChain } from './hierarchy.ts';

/** What {@link startManagementInterface} takes. */
export type ManagementOptions = {
  readonly certificate: ServerCertificate;
  readonly chains: readonly PebbleChain[];
  readonly core: Pick<CoreClient, 'getCertificate'>;
  /** Gets what a suite dictates, by certID. */
  readonly dictated: Map<string, string>;
};

/** A running interface. */
export type ManagementInterface = { readonly address: ListenAddress; close(): Promise<void> };

type Answer = {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
  readonly links?: readonly string[];
};

const missing: Answer = { status: 404, type: 'text/plain; charset=utf-8', body: '404 page not found\n' };
const chainType = 'application/pem-certificate-chain; charset=utf-8';
const keyType = 'application/x-pem-file; charset=utf-8';

/** What stands under each path, for each chain. */
const resources: Readonly<Record<string, (chain: PebbleChain) => { readonly type: string; readonly body: string }>> = {
  roots: ({ root }) => ({ type: chainType, body: encodePem('CERTIFICATE', root.certificate) }),
  intermediates: ({ intermediate }) => ({ type: chainType, body: encodePem('CERTIFICATE', intermediate.certificate) }),
  'root-keys': ({ root }) => ({ type: keyType, body: writeKey(root.key) }),
  'intermediate-keys': ({ intermediate }) => ({ type: keyType, body: writeKey(intermediate.key) }),
};

/** Starts the interface. */
export async function startManagementInterface(options: ManagementOptions): Promise<ManagementInterface> {
  const { certificate } = options;
  const server: Server = createServer(
    { cert: certificate.certificateChain, key: certificate.privateKey },
    (request, response) => {
      answer(options, request).then(
        (given) => send(response, given),
        (error: unknown) =>
          send(response, { status: 500, body: error instanceof Error ? error.message : String(error) }),
      );
    },
  );
  const address = await listen(server, behindFront);
  return {
    address,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(options: ManagementOptions, request: IncomingMessage): Promise<Answer> {
  const path = new URL(request.url ?? '/', 'https://localhost').pathname;
  const [, name = '', argument = ''] = path.split('/');
  if (request.method === 'POST' && name === 'set-renewal-info') return dictate(options, await text(request));
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  if (name === 'cert-status-by-serial') return await describeStatus(options, argument);
  const write = Object.hasOwn(resources, name) ? resources[name] : undefined;
  const chain = /^\d{1,3}$/.test(argument) ? options.chains[Number(argument)] : undefined;
  if (write === undefined || chain === undefined) return missing;
  const links = options.chains.flatMap((_, index) =>
    index === Number(argument) ? [] : [`<https://${request.headers.host}/${name}/${index}>;rel="alternate"`],
  );
  return { status: 200, ...write(chain), links };
}

async function describeStatus({ core }: ManagementOptions, serialNumber: string): Promise<Answer> {
  const digits = serialNumber.toLowerCase().replace(/^0+(?=.)/, '');
  if (!/^[0-9a-f]{1,40}$/.test(digits)) return missing;
  try {
    const record = await core.getCertificate({ serialNumber: digits.length % 2 === 0 ? digits : `0${digits}` });
    return {
      status: 200,
      type: 'application/json; charset=utf-8',
      body: JSON.stringify(statusOf(record, digits), undefined, 3),
    };
  } catch (error) {
    if (error instanceof CoreError && error.code === 'not-found') return missing;
    throw error;
  }
}

function statusOf({ certificate, state, revocation }: CertificateRecord, serialNumber: string): object {
  const isRevoked =
    state === CertificateState.CERTIFICATE_STATE_REVOKED || state === CertificateState.CERTIFICATE_STATE_HELD;
  return {
    Certificate: encodePem('CERTIFICATE', certificate),
    ...(isRevoked
      ? { Reason: revocation?.reason ?? 0, RevokedAt: formatGoTime(revocation?.revokedAt ?? new Date(0)) }
      : {}),
    Serial: serialNumber,
    Status: isRevoked ? 'Revoked' : 'Valid',
  };
}

/** As Go writes a time for people, which is what suites parse: `2019-07-13 00:13:20.418 +0000 UTC`. */
function formatGoTime(time: Date): string {
  return `${time.toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`;
}

function dictate({ dictated }: ManagementOptions, body: string): Answer {
  const request: unknown = JSON.parse(body);
  if (typeof request !== 'object' || request === null) return { status: 400 };
  const { Certificate: pem, ARIResponse: information } = { Certificate: '', ARIResponse: '', ...request };
  if (typeof pem !== 'string' || typeof information !== 'string') return { status: 400 };
  const [block] = decodePem(pem, ['CERTIFICATE']);
  const certId = block === undefined ? undefined : certificateIdOf(readCertificate(block.der));
  if (certId === undefined) return { status: 400 };
  dictated.set(certId, information);
  return { status: 200 };
}

function writeKey(key: KeyObject): string {
  return key.export({ type: key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1', format: 'pem' }).toString();
}

function send(response: ServerResponse, { status, type, body = '', links = [] }: Answer): void {
  response.writeHead(status, {
    'cache-control': 'public, max-age=0, no-cache',
    'content-length': Buffer.byteLength(body),
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(links.length === 0 ? {} : { link: [...links] }),
  });
  response.end(body);
}
