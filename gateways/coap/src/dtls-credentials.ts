// The server certificate of the gate in the form that the handshake takes: DER where HTTPS takes PEM.

import type { ServerCertificate } from '@gatehouse/gateway-kit/https-server';
import { decodePem } from '@gatehouse/pkix/pem';
import type { DtlsCredentials } from './dtls/transport.ts';

/** Converts certificate and key. @throws {Error} when there is no key */
export function toDtlsCredentials({ certificateChain, privateKey }: ServerCertificate): DtlsCredentials {
  const [key] = decodePem(privateKey, ['PRIVATE KEY']);
  if (key === undefined) throw new Error('the server certificate of the gate has no key');
  return {
    certificateChain: decodePem(certificateChain, ['CERTIFICATE']).map(({ der }) => der),
    privateKey: key.der,
  };
}
