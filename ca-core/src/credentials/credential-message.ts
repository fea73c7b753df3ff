/** A credential as the contract carries it. */
import type { Credential } from '@gatehouse/proto/certificate-authority';
import type { Keep } from '../keep.ts';
import type { IssuedCredential } from '../registry/credential.ts';

/** The message for the holder called `name`. */
export function credentialMessage(keep: Keep, name: string, issued: IssuedCredential): Credential {
  return {
    certificate: Buffer.from(issued.certificate),
    trustAnchors: keep.service.chain.map((der) => Buffer.from(der)),
    notAfter: issued.notAfter,
    name,
  };
}
