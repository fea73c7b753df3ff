// Who asks, and what that allows, as the operations of EST see it: the proofs were judged before, by the gate that knows
// its transport. Nothing here decides.

import type { Evidence, Requester } from '@gatehouse/ra-client/enrollment';
import type { ClientCertificate } from './client-certificate.ts';
import type { NamePolicy } from './name-policy.ts';

/** Uses of a secret that is good for a counted number of enrollments. */
export type CountedUses = {
  /**
   * Spends a use for the request with this key.
   *
   * @returns whether there was one left, or the request had one already
   * @throws {EstError} `unavailable` when it cannot be recorded: nothing is enrolled that is not counted
   */
  spend(requestKey: string): boolean;
  /** The keep refused: the use counts again. */
  giveBack(requestKey: string): void;
};

/** Who asks, and what that allows. */
export type Identity = {
  /** As told to the keep. */
  readonly requester: Requester;
  /** What identifies the asker across connections; part of the idempotency key. */
  readonly key: readonly string[];
  readonly client: ClientCertificate | undefined;
  readonly names: NamePolicy;
  /** RFC 7030 §3.7: may enrol for others, and its channel binding is its own affair. */
  readonly isRegistrationAuthority: boolean;
  readonly evidence: readonly Evidence[];
  /** Present when what proved the asker can be used up. */
  readonly uses?: CountedUses | undefined;
};

/** What the keep can verify again of a client certificate: the chain of a device, from its certificate to the anchor. */
export function evidenceOf(client: ClientCertificate | undefined): readonly Evidence[] {
  if (client?.kind !== 'foreign') return [];
  return [
    {
      type: 'client-certificate-chain',
      payload: client.certificate.der,
      certificates: client.intermediates,
    },
  ];
}
