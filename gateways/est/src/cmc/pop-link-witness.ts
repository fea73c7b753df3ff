// Links each request to who asks, RFC 5272 §6.3.1: the client signs into every request a MAC over one random value, made
// with its shared secret, so that nobody can slip a request of his own among them.

import { DerCursor, readOctetString, tags } from '@gatehouse/pkix/der/reader';
import { PkixError } from '@gatehouse/pkix/errors';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import type { CredentialHolder } from '../credentials.ts';
import type { CmcRequest } from './certification-requests.ts';
import { type Controls, readWitness, type Witness } from './controls.ts';
import { CmcFailure } from './failure.ts';
import { versionOneDigest } from './keyed-digest.ts';
import type { SharedSecretJudge } from './shared-secret-judge.ts';

/**
 * Verifies the links of all requests.
 *
 * @param holder who asks, as far as that was proved by credentials
 * @returns whether the requests are linked; false when the client does not use this way
 * @throws {CmcFailure} `popFailed` naming the request whose link is missing or wrong; `badAlg`
 */
export function verifyPopLinks(
  judge: SharedSecretJudge,
  requests: readonly CmcRequest[],
  { popLinkRandom }: Controls,
  holder: CredentialHolder | undefined,
): boolean {
  const witnesses = requests.map((request) => ({ bodyParts: [request.bodyPartId], witness: readPopLink(request) }));
  if (popLinkRandom === undefined) {
    const stray = witnesses.find(({ witness }) => witness !== undefined);
    if (stray === undefined) return false;
    throw new CmcFailure('popFailed', 'a POP link witness without a POP link random control', stray);
  }
  for (const { bodyParts, witness } of witnesses) {
    // RFC 5272 §6.3.1.1: every request has to carry it.
    if (witness === undefined) throw new CmcFailure('popFailed', 'the POP link witness is missing', { bodyParts });
    const isLinked = holder?.kind === 'user' ? judge.isLinked(holder.user, witness, popLinkRandom) : undefined;
    if (isLinked === undefined) {
      throw new CmcFailure('popFailed', 'a POP link witness of somebody without a shared secret', { bodyParts });
    }
    if (!isLinked) throw new CmcFailure('popFailed', 'the POP link witness is wrong', { bodyParts });
  }
  return requests.length > 0;
}

function readPopLink({ attributes, bodyPartId }: CmcRequest): Witness | undefined {
  const attribute =
    attributes.find(({ type }) => type === cmcControls.popLinkWitnessV2) ??
    attributes.find(({ type }) => type === cmcControls.popLinkWitness);
  if (attribute === undefined) return undefined;
  const bodyParts = [bodyPartId];
  const [value] = attribute.values;
  if (value === undefined || attribute.values.length !== 1) {
    throw new CmcFailure('badRequest', 'the POP link witness has not exactly one value', { bodyParts });
  }
  try {
    const cursor = new DerCursor(value);
    const witness =
      attribute.type === cmcControls.popLinkWitnessV2
        ? readWitness(cursor, bodyPartId)
        : { digest: versionOneDigest, witness: readOctetString(cursor.read(tags.octetString)) };
    cursor.expectEnd();
    return witness;
  } catch (error) {
    if (!(error instanceof PkixError)) throw error;
    throw new CmcFailure('badRequest', `POP link witness: ${error.detail}`, { bodyParts, cause: error });
  }
}
