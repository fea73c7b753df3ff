// Buying the first credential of an RA or a perspective with a join token. The key is made here and never leaves; the token's own key is forgotten afterwards.

import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/proto/core-error';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import { connectCore } from './client.ts';
import { createCredential, saveCredential } from './credential.ts';
import { holdCredential } from './credential-source.ts';
import type { PartyKind } from './identity.ts';
import { parseJoinToken } from './join-token.ts';
import { generateCredentialKey } from './renew-credential.ts';

/** What {@link joinWithToken} takes. */
export type JoinOptions = {
  /** The text that `gatehouse ra add` or `gatehouse perspective add` printed. */
  readonly token: string;
  /** Where the credential is kept; its directory exists. */
  readonly file: string;
  readonly log: Logger;
  /** Addresses of the core, when those in the token cannot be reached from here. */
  readonly addresses?: readonly string[] | undefined;
  readonly clock?: Clock;
};

/** What joining yields. */
export type Joined = {
  /** What the token was for: an RA, or a perspective. */
  readonly kind: PartyKind;
  /** Name of the RA or the perspective. */
  readonly name: string;
  /** Addresses of the core that the token named. */
  readonly addresses: readonly string[];
  readonly notAfter: Date;
};

/**
 * Joins: shows the token to the core, gets a credential, saves it.
 *
 * @throws {FatalError} when the text is not a join token or the file cannot be written
 * @throws {CoreError} `unauthorized` when the token was used before or is too old
 */
export async function joinWithToken(options: JoinOptions): Promise<Joined> {
  const { token, file, log, addresses, clock = systemClock } = options;
  const joinToken = parseJoinToken(token);
  const client = connectCore({
    addresses: addresses ?? joinToken.addresses,
    credential: holdCredential(joinToken.credential),
    log,
    renewsCredential: false,
  });
  try {
    const privateKey = generateCredentialKey();
    const answer = await client.join(createCertificationRequest({ subject: [], key: privateKey }));
    const credential = createCredential({
      privateKey,
      certificate: answer.certificate,
      trustAnchors: answer.trustAnchors,
    });
    saveCredential(file, credential);
    const { kind, name } = credential.party;
    return { kind, name, addresses: joinToken.addresses, notAfter: credential.notAfter };
  } catch (error) {
    // A late token does not get past the handshake, which looks like a core that is away. The core's clock counts, so it
    // is asked first.
    const isLate = joinToken.credential.notAfter <= clock.now();
    if (!isLate || !(error instanceof CoreError) || error.code !== 'unavailable') throw error;
    throw new CoreError('unauthorized', 'the join token has expired', { cause: error });
  } finally {
    await client.close();
  }
}
