// A device that speaks CoAP over DTLS with the gate of a suite, as long as the test needs it.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoapClient } from '@gatehouse/gateway-coap/test-support/coap-client';
import { connectDtls, type DtlsClient } from '@gatehouse/gateway-coap/test-support/dtls-client';
import type { Stack } from './stack.ts';

/** What a device shows. */
export type Identity = { readonly certificate: Uint8Array; readonly key: KeyObject };

/** A session of a device. */
export type CoapDevice = AsyncDisposable & { readonly dtls: DtlsClient; readonly coap: CoapClient };

/** Connects to the CoAP gate of the suite and believes it by the root alone. */
export async function connectCoap(
  { directory, endpoints }: Stack,
  { certificate, key }: Identity,
): Promise<CoapDevice> {
  const { hostname, port } = new URL(endpoints.coap.url);
  const dtls = await connectDtls({
    address: hostname,
    port: Number(port),
    certificate,
    privateKey: key.export({ format: 'der', type: 'pkcs8' }),
    trustAnchor: new X509Certificate(readFileSync(join(directory, endpoints.trustAnchor))).raw,
  });
  return {
    dtls,
    coap: new CoapClient(dtls),
    [Symbol.asyncDispose]: async () => {
      if (!dtls.isClosed) dtls.close();
    },
  };
}
