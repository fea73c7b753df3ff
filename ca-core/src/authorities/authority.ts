// An authority of the keep: a CA certificate, the path from it to its anchor, and the key that signs in its name. The key
// is only ever reached through its Signer.
import type { Certificate } from '@gatehouse/pkix/certificate';
import type { Signer } from '../keys/signer.ts';

/** `issuing` signs what gates enrol, `service` the credentials of the bridge; neither vouches for the other. */
export type AuthorityName = 'issuing' | 'service';

/** A CA that this process can sign for. */
export type Authority = {
  readonly name: AuthorityName;
  readonly certificate: Certificate;
  /** DER; this authority's certificate first, the trust anchor last. A self-signed authority's chain is itself. */
  readonly chain: readonly Uint8Array[];
  readonly signer: Signer;
};
