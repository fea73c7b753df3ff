// Revocation by CMC, RFC 5272 §6.11. A certificate is revoked for the holder of its key, for whoever enrolled it or holds
// another with the same names, for an RA within its names, and for who knows the secret that its user left for the day its
// key is lost. The keep records it; what is revoked already stays so.

import type { OwnCertificate } from '@gatehouse/gateway-kit/est/client-certificate';
import type { Identity } from '@gatehouse/gateway-kit/est/identity';
import { describeCertificate } from '@gatehouse/gateway-kit/est/requester';
import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { areGeneralNameSetsEqual } from '@gatehouse/pkix/general-names';
import { areNamesEqual } from '@gatehouse/pkix/names';
import { type CertificateRecord, RevocationReason } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { type Requester, toWireRequester } from '@gatehouse/ra-client/enrollment';
import type { EstExchange } from '../exchange.ts';
import type { EstGate } from '../gate.ts';
import type { Controls } from './controls.ts';
import { CmcFailure, toCmcFailure } from './failure.ts';
import type { CmcStatusInfo } from './status.ts';

/** One RevokeRequest of a message. */
type Request = Controls['revokeRequests'][number];

/** Who asks. */
export type Revoker = {
  /** The certificate that signed the message, when it is one of ours and stands. */
  readonly signer: OwnCertificate | undefined;
  /** Who asks by all proofs there are; called only when they are needed. @throws {EstError | CoreError} */
  identify(): Promise<Identity>;
};

type Authority = { readonly requester: Requester; readonly isRegistrationAuthority: boolean };

/** Reasons that a holder may give; they end a certificate and say nothing of others. */
const reasonsOfHolders: ReadonlySet<RevocationReason> = new Set([
  RevocationReason.REVOCATION_REASON_UNSPECIFIED,
  RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
  RevocationReason.REVOCATION_REASON_AFFILIATION_CHANGED,
  RevocationReason.REVOCATION_REASON_SUPERSEDED,
  RevocationReason.REVOCATION_REASON_CESSATION_OF_OPERATION,
]);

/** Reasons that an RA may give besides. Those that a CA or an attribute authority gives are nobody's here. */
const reasonsOfAuthorities: ReadonlySet<RevocationReason> = new Set([
  RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD,
  RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL,
  RevocationReason.REVOCATION_REASON_PRIVILEGE_WITHDRAWN,
]);

/** How many renewals are gone back through to whoever enrolled first. */
const maximumRenewals = 64;

/**
 * Revokes one certificate.
 *
 * @throws {CmcFailure} `badCertId`, `badIdentity`, `badRequest`, naming the request
 */
export async function revokeCertificate(
  gate: EstGate,
  exchange: EstExchange,
  revoker: Revoker,
  request: Request,
): Promise<CmcStatusInfo> {
  try {
    return await revoke(gate, exchange, revoker, request);
  } catch (error) {
    throw toCmcFailure(error, [request.bodyPartId]) ?? error;
  }
}

async function revoke(
  { core, sharedSecrets }: EstGate,
  exchange: EstExchange,
  revoker: Revoker,
  request: Request,
): Promise<CmcStatusInfo> {
  const { requestId } = exchange;
  const { serialNumber, reason, invalidityDate, comment } = request;
  const bodyParts = [request.bodyPartId];
  const record = await core.getCertificate({ serialNumber }, { requestId });
  const certificate = readCertificate(record.certificate);
  if (!areNamesEqual(certificate.issuer, request.issuer)) {
    throw new CmcFailure('badCertId', 'there is no certificate of this issuer with this serial number', { bodyParts });
  }
  const authority =
    request.sharedSecret === undefined
      ? await authorize(exchange, revoker, request, { record, certificate })
      : await authorizeBySecret({ core, sharedSecrets }, exchange, request, record);
  demandReason(request, authority);
  const { kind: requesterKind, id } = authority.requester;
  exchange.note({
    requester: id,
    requesterKind,
    revokes: record.serialNumber,
    ...(comment === undefined ? {} : { comment }),
  });
  try {
    const { requester } = authority;
    await core.revoke({ serialNumber: record.serialNumber, reason, invalidityDate, requester }, { requestId });
    return { status: 'success', bodyParts };
  } catch (error) {
    // A client that lost the first answer asks again, and has what it asked for.
    if (!(error instanceof CoreError && error.code === 'already-revoked')) throw error;
    return { status: 'success', bodyParts, statusString: 'it was revoked before' };
  }
}

type Target = { readonly record: CertificateRecord; readonly certificate: Certificate };

async function authorize(
  exchange: EstExchange,
  { signer, identify }: Revoker,
  request: Request,
  { record, certificate }: Target,
): Promise<Authority> {
  const address = exchange.peer.remoteAddress;
  if (signer?.record.serialNumber === record.serialNumber) {
    return { requester: describeCertificate(signer, address), isRegistrationAuthority: false };
  }
  const { requester, isRegistrationAuthority, names, client } = await identify();
  const targetNames = { subject: certificate.subject, names: subjectAlternativeNames(certificate) };
  if (isRegistrationAuthority && names(targetNames, exchange.label.name).length === 0) {
    return { requester, isRegistrationAuthority };
  }
  const isTheirs =
    isSameRequester(requester, record) ||
    (client?.kind === 'own' && hasNamesOf(client.certificate, targetNames)) ||
    (client?.kind === 'own' && client.record.serialNumber === record.serialNumber);
  if (isTheirs) return { requester, isRegistrationAuthority: false };
  throw new CmcFailure('badRequest', 'this certificate is not yours to revoke', {
    bodyParts: [request.bodyPartId],
    httpStatus: 403,
  });
}

async function authorizeBySecret(
  { core, sharedSecrets }: Pick<EstGate, 'core' | 'sharedSecrets'>,
  { peer, requestId, note }: EstExchange,
  { bodyPartId, sharedSecret = new Uint8Array(0) }: Request,
  record: CertificateRecord,
): Promise<Authority> {
  // What a certificate was renewed from was enrolled by somebody, and it is that user's secret.
  let first = record;
  for (let i = 0; i < maximumRenewals && first.renews !== ''; i++) {
    first = await core.getCertificate({ serialNumber: first.renews }, { requestId });
  }
  const user = first.requester;
  const isUser = user !== undefined && user.kind === toWireRequester({ kind: 'user', id: user.id }).kind;
  if (isUser && sharedSecrets.isRevocationSecret(user.id, sharedSecret, peer.remoteAddress)) {
    const { id, display } = user;
    return { requester: { kind: 'user', id, display, address: peer.remoteAddress }, isRegistrationAuthority: false };
  }
  note({ revocationSecret: isUser ? 'wrong, or none' : 'the certificate was not enrolled by a user' });
  throw new CmcFailure('badIdentity', 'the shared secret is not accepted', { bodyParts: [bodyPartId] });
}

function demandReason({ reason, bodyPartId }: Request, { isRegistrationAuthority }: Authority): void {
  if (reasonsOfHolders.has(reason) || (isRegistrationAuthority && reasonsOfAuthorities.has(reason))) return;
  throw new CmcFailure('badRequest', 'this reason is not yours to give', {
    bodyParts: [bodyPartId],
    httpStatus: 403,
  });
}

function isSameRequester(requester: Requester, { requester: recorded }: CertificateRecord): boolean {
  const { kind, id } = toWireRequester(requester);
  return recorded !== undefined && recorded.kind === kind && recorded.id === id;
}

// RFC 5272 §6.11: a different certificate may sign if the name information matches.
function hasNamesOf(
  certificate: Certificate,
  { subject, names }: { subject: Certificate['subject']; names: ReturnType<typeof subjectAlternativeNames> },
): boolean {
  return (
    areNamesEqual(certificate.subject, subject) && areGeneralNameSetsEqual(subjectAlternativeNames(certificate), names)
  );
}
