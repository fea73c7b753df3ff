// QueryPending, RFC 5272 §6.13: what became of an enrollment that waited for approval, by the token that the gate gave. A
// token alone opens nothing: the certificate goes to whoever asked for it first.

import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { toWireRequester } from '@gatehouse/ra-client/enrollment';
import type { EstExchange } from '../exchange.ts';
import type { EstGate } from '../gate.ts';
import type { Asker } from './asker.ts';
import type { Controls } from './controls.ts';
import { CmcFailure, toCmcFailure } from './failure.ts';

/** Tokens that this gate gives: the id of the enrollment. */
const tokenForm = /^[\x21-\x7e]{1,64}$/;

/** Asks the keep. @throws {CmcFailure} naming the query */
export async function findEnrollment(
  { core }: EstGate,
  { requestId }: EstExchange,
  { identity }: Asker,
  { bodyPartId, pendToken }: Controls['queryPending'][number],
): Promise<EnrollmentOutcome> {
  const bodyParts = [bodyPartId];
  const unknown = (): CmcFailure => new CmcFailure('badRequest', 'there is no such pending request', { bodyParts });
  const token = Buffer.from(pendToken).toString('latin1');
  if (!tokenForm.test(token)) throw unknown();
  try {
    const outcome = await core.getEnrollment(token, { requestId });
    if (outcome.kind === 'pending') return outcome;
    const { requester } = await core.getCertificate({ serialNumber: outcome.serialNumber }, { requestId });
    const { kind, id } = toWireRequester(identity.requester);
    if (requester?.kind !== kind || requester.id !== id) throw unknown();
    return outcome;
  } catch (error) {
    const failure = toCmcFailure(error, bodyParts);
    if (failure === undefined) throw error;
    throw failure.failInfo === 'badCertId' ? unknown() : failure;
  }
}
