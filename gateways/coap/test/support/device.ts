// A device for the tests over the wire: a DTLS session by its certificate, and a CoAP client on it.

import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { CoapClient, type CoapClientOptions, type CoapClientResponse } from '../../test-support/coap-client.ts';
import { connectDtls, type DtlsClient, type DtlsClientOptions } from '../../test-support/dtls-client.ts';
import type { Stack } from './stack.ts';

/** Certificate and key of a client. */
export type Identity = Pick<DtlsClientOptions, 'certificate' | 'chain' | 'privateKey'>;

/** A client with its session. */
export type DeviceClient = {
  readonly dtls: DtlsClient;
  readonly coap: CoapClient;
  get(path: string, accept?: number): Promise<CoapClientResponse>;
  post(path: string, payload: Uint8Array, accept?: number, contentFormat?: number): Promise<CoapClientResponse>;
};

const connected = new Set<DtlsClient>();

/** Ends all sessions of this file: a gate that was killed has told its clients nothing. */
export function disconnectAll(): void {
  for (const client of connected) client.destroy();
  connected.clear();
}

/** Connects to the gate of a stack. */
export async function connectDevice(
  { gate, trustAnchor }: Pick<Stack, 'gate' | 'trustAnchor'>,
  identity: Identity,
  options: { readonly coap?: CoapClientOptions; readonly dtls?: Partial<DtlsClientOptions> } = {},
): Promise<DeviceClient> {
  const { certificate, chain, privateKey } = identity;
  const dtls = await connectDtls({
    address: '127.0.0.1',
    port: gate.port,
    trustAnchor,
    certificate,
    chain,
    privateKey,
    ...options.dtls,
  });
  connected.add(dtls);
  const coap = new CoapClient(dtls, options.coap);
  return {
    dtls,
    coap,
    get: (path, accept) => coap.request({ method: 'GET', path, accept }),
    post: (path, payload, accept, contentFormat = 286) =>
      coap.request({ method: 'POST', path, payload, accept, contentFormat }),
  };
}

/** The certificates of a certs-only response. */
export function certificatesOf({ code, payload }: CoapClientResponse): readonly Certificate[] {
  if (!code.startsWith('2.')) throw new Error(`${code} ${payload.toString()}`);
  return readCertificatesOnly(payload).map(readCertificate);
}

/** The one certificate of a response. */
export function certificateOf(response: CoapClientResponse): Certificate {
  const [certificate, ...more] = certificatesOf(response);
  if (certificate === undefined || more.length > 0) throw new Error('not exactly one certificate');
  return certificate;
}
