// Enrols what a Full PKI Request asks for (RFC 5272 §3.2.1.2), each request like a simpleenroll or simplereenroll of its own.
// All of them are checked before the first is enrolled; from then on each part has a status of its own.

import { readChangeSubjectName } from '@gatehouse/gateway-kit/est/change-subject-name';
import { checkBinding, enrollCounted, type KeyedEnrollment, refuseNames } from '@gatehouse/gateway-kit/est/enroll';
import { baseKey, toEnrollment } from '@gatehouse/gateway-kit/est/enrollment';
import { refuseChange, toAssignment } from '@gatehouse/gateway-kit/est/reenroll';
import { judgedNames } from '@gatehouse/gateway-kit/est/requested-names';
import { challengePassword } from '@gatehouse/pkix/certification-request';
import type { Profile } from '@gatehouse/ra-client/client';
import type { EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import type { EstExchange } from '../exchange.ts';
import type { EstGate } from '../gate.ts';
import type { Asker } from './asker.ts';
import type { CmcRequest } from './certification-requests.ts';
import { CmcFailure, toCmcFailure } from './failure.ts';

/** A request that may be enrolled. */
export type PreparedRequest = { readonly bodyPartId: number; readonly enrollment: KeyedEnrollment };

/**
 * Checks names, changes of names, and what links the requests to the asker.
 *
 * @param areLinked whether POP link witnesses did that already
 * @throws {CmcFailure} naming the request
 */
export async function prepareRequests(
  gate: EstGate,
  exchange: EstExchange,
  asker: Asker,
  requests: readonly CmcRequest[],
  areLinked: boolean,
): Promise<readonly PreparedRequest[]> {
  const profile = await gate.profiles.get(exchange.label.profile);
  return requests.map((request) => {
    const bodyParts = [request.bodyPartId];
    try {
      demandLink(exchange, asker, request, areLinked);
      return prepare(gate, exchange, asker, profile, request);
    } catch (error) {
      throw toCmcFailure(error, bodyParts) ?? error;
    }
  });
}

/** Enrols one request. @throws {CmcFailure} naming it */
export async function enrollRequest(
  gate: EstGate,
  exchange: EstExchange,
  { identity }: Asker,
  { bodyPartId, enrollment }: PreparedRequest,
): Promise<EnrollmentOutcome> {
  try {
    return await enrollCounted(gate, exchange, identity, enrollment);
  } catch (error) {
    throw toCmcFailure(error, [bodyPartId]) ?? error;
  }
}

function prepare(
  gate: EstGate,
  exchange: EstExchange,
  { identity, renews }: Asker,
  profile: Profile,
  request: CmcRequest,
): PreparedRequest {
  const requested = judgedNames(profile, request.subject, request.names);
  const change = readChangeSubjectName(request);
  if (change !== undefined) {
    demandRenewal(renews, request);
    refuseChange(exchange, identity, profile, change);
  }
  // The names that a renewal repeats are its own already.
  else if (renews === undefined) refuseNames(identity, exchange, requested);

  const { bodyPartId, der, subjectKey, subjectPublicKeyInfo } = request;
  const renewal = renews && {
    renews: renews.der,
    ...(change === undefined ? {} : { names: toAssignment(change) }),
  };
  return {
    bodyPartId,
    enrollment: {
      enrollment: { ...toEnrollment(exchange, identity, der, renewal), subjectKey },
      key: baseKey(gate, exchange, identity, der, renews?.der),
      subjectPublicKeyInfo,
    },
  };
}

// RFC 6402 §2.8: the names of the request are those of the certificate by which it is verified.
function demandRenewal(renews: Asker['renews'], { bodyPartId }: CmcRequest): void {
  if (renews !== undefined) return;
  throw new CmcFailure('badRequest', 'changeSubjectName: only in a renewal signed by the certificate being renewed', {
    bodyParts: [bodyPartId],
    httpStatus: 403,
  });
}

// RFC 7030 §3.5: binding to the connection is one way to link identity and possession, RFC 5272 §6.3 has others: the witness
// made with a shared secret, and the signature of the certificate whose names are repeated.
function demandLink(exchange: EstExchange, { identity, renews }: Asker, request: CmcRequest, areLinked: boolean): void {
  const isLinked = areLinked || renews !== undefined || identity.isRegistrationAuthority;
  const { bodyPartId, certificationRequest } = request;
  const bodyParts = [bodyPartId];
  if (certificationRequest === undefined) {
    if (isLinked || exchange.label.channelBinding.policy !== 'required') return;
    throw new CmcFailure('popFailed', 'linking identity and possession is required: add a POP link witness', {
      bodyParts,
      httpStatus: 403,
    });
  }
  try {
    if (isLinked && challengePassword(certificationRequest) === undefined) return;
    checkBinding(exchange, identity, certificationRequest);
  } catch (error) {
    // RFC 7030 §3.5: the fail info of a missing or wrong link is popFailed.
    throw toCmcFailure(error, bodyParts, 'popFailed') ?? error;
  }
}
