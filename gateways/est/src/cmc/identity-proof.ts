// Proof of identity by a shared secret, RFC 5272 §6.2: a MAC over the requests of a message, whose key is made of the
// secret and, where there is one, of the Identification control. The secret is a user's; what the user may enrol is what its
// password would let it.

import type { CredentialHolder } from '../credentials.ts';
import type { EstExchange } from '../exchange.ts';
import type { Controls } from './controls.ts';
import { CmcFailure } from './failure.ts';
import type { PkiData } from './pki-data.ts';
import type { SharedSecretJudge } from './shared-secret-judge.ts';

/**
 * Who proves to be a user by the controls of a message; undefined when it has no identity proof.
 *
 * @throws {CmcFailure} `badIdentity` when the proof is wrong, of nobody known here, or about nothing
 * @throws {EstError} `too-many-requests`
 */
export function verifyIdentityProof(
  judge: SharedSecretJudge,
  { peer, note }: Pick<EstExchange, 'peer' | 'note'>,
  { requests, requestSequence }: PkiData,
  { identityProof, identification }: Controls,
): CredentialHolder | undefined {
  if (identityProof === undefined) return undefined;
  const bodyParts = [identityProof.bodyPartId];
  // A MAC over no request is the same every time: whoever saw it once could show it again.
  if (requests.length === 0) {
    throw new CmcFailure('badIdentity', 'an identity proof is about requests, and there is none', { bodyParts });
  }
  if (identification === undefined) {
    throw new CmcFailure('badIdentity', 'the Identification control has to name the user', { bodyParts });
  }
  const verdict = judge.verifyIdentity({
    ...identityProof,
    user: identification,
    // RFC 5272 §6.2.3: the hash is over the secret and the identity value.
    suffix: Buffer.from(identification, 'utf8'),
    message: requestSequence,
    address: peer.remoteAddress,
  });
  if (verdict.ok) return verdict.holder;
  note({ identityProof: verdict.reason });
  throw new CmcFailure('badIdentity', 'the identity proof is not accepted', { bodyParts });
}
