// What the listener shows and whom it believes: the credential of the perspective serves both sides of TLS, and the service
// CA that issued it is the one that its callers' certificates must come from.

import { encodePem } from '@gatehouse/pkix/pem';
import type { Credential } from '@gatehouse/ra-client/credential';
import type { ServerIdentity } from '@gatehouse/runtime/grpc-listener';

/** The credential as the certificate of a server, PEM. */
export function serverIdentityOf({ certificate, privateKey }: Credential): ServerIdentity {
  return {
    certificate: encodePem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** The service CA, PEM. */
export function clientAnchorsOf({ trustAnchors }: Credential): string {
  return trustAnchors.map((anchor) => encodePem('CERTIFICATE', anchor)).join('');
}
