/** The authorities of this CA as operators see them: also the root, whose key the running core does not have. */
import { describePublicKey } from '@gatehouse/pkix/public-key';
import type { Authority as AuthorityMessage } from '@gatehouse/proto/administration';
import type { Keep } from '../keep.ts';
import { nameAlgorithm } from '../keys/software-signer.ts';

/** All of them, the trust anchor first. */
export function listAuthorities({ root, issuing, service }: Keep): AuthorityMessage[] {
  return [
    {
      name: 'root',
      certificate: Buffer.from(root.der),
      isOnline: false,
      keyAlgorithm: nameAlgorithm(describePublicKey(root.subjectPublicKeyInfo)),
    },
    ...[issuing, service].map(({ name, certificate, signer }) => ({
      name,
      certificate: Buffer.from(certificate.der),
      isOnline: true,
      keyAlgorithm: signer.algorithm,
    })),
  ];
}
