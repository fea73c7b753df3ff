// The key with which this gate signs what it makes: generated keys (RFC 7030 §4.4.2) and answers of CMC (RFC 5272 §4.2). It
// is the key of the gate's server certificate, which names the gate as an RA by id-kp-cmcRA, and it changes with it.

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { decodePem } from '@gatehouse/pkix/pem';
import type { ServerCertificate } from '../https-server.ts';

/** Key and certificate of the gate. */
export type SigningIdentity = {
  readonly certificate: Certificate;
  readonly key: KeyObject;
  /** DER: the gate's own certificate, then the intermediates, without the trust anchor. */
  readonly certificates: readonly Uint8Array[];
};

/** Gives the identity as it is now, read anew only when the certificate was renewed. */
export function createSigningIdentity(current: () => ServerCertificate): () => SigningIdentity {
  let source: ServerCertificate | undefined;
  let identity: SigningIdentity | undefined;
  return () => {
    const now = current();
    if (identity === undefined || source !== now) {
      identity = read(now);
      source = now;
    }
    return identity;
  };
}

function read({ certificateChain, privateKey }: ServerCertificate): SigningIdentity {
  const certificates = decodePem(certificateChain, ['CERTIFICATE']).map(({ der }) => der);
  const [own] = certificates;
  if (own === undefined) throw new Error('the server certificate of the gate is missing');
  return { certificate: readCertificate(own), key: createPrivateKey(privateKey), certificates };
}
