// Which kind of caller may use which rpc, as a table. What a caller may do inside an rpc (its own certificates, its
// profiles) is for the domain.
// An rpc that is not in the table is refused; a test fails for an rpc of the contract that has no row.

import { CoreError } from '@gatehouse/proto/core-error';
import type { Caller, CallerKind } from './caller.ts';

const everybody = ['gate', 'perspective', 'operator'] as const;
const gates = ['gate'] as const;
const gatesAndOperators = ['gate', 'operator'] as const;
const gatesAndPerspectives = ['gate', 'perspective'] as const;
const operators = ['operator'] as const;
const joiners = ['join'] as const;

/** Path of each rpc of the contract (ARCHITECTURE §3) and the kinds of caller that may use it. */
export const authorizedKinds: { readonly [path: string]: readonly CallerKind[] } = {
  '/gatehouse.ca.v1.CertificateAuthority/Enroll': gates,
  '/gatehouse.ca.v1.CertificateAuthority/GetEnrollment': gates,
  '/gatehouse.ca.v1.CertificateAuthority/Revoke': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateAuthority/GetCertificate': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateAuthority/FindCertificates': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateAuthority/GetTrustBundle': everybody,
  '/gatehouse.ca.v1.CertificateAuthority/ListProfiles': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateAuthority/GetProfile': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateAuthority/RenewCredential': everybody,
  '/gatehouse.ca.v1.CertificateAuthority/Join': joiners,

  '/gatehouse.ca.v1.CertificateStatus/GetPublication': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateStatus/GetOcspResponses': gates,
  '/gatehouse.ca.v1.CertificateStatus/GetCrl': gatesAndOperators,
  '/gatehouse.ca.v1.CertificateStatus/WatchStatus': gates,

  '/gatehouse.ca.v1.DomainValidation/RegisterSigningKey': gatesAndPerspectives,
  '/gatehouse.ca.v1.DomainValidation/RetireSigningKey': gatesAndPerspectives,
  '/gatehouse.ca.v1.DomainValidation/ListPerspectives': everybody,

  // No credential of an RA may call any of these: a gate cannot approve what it asked for.
  '/gatehouse.ca.v1.Administration/ListPendingEnrollments': operators,
  '/gatehouse.ca.v1.Administration/ApproveEnrollment': operators,
  '/gatehouse.ca.v1.Administration/RejectEnrollment': operators,
  '/gatehouse.ca.v1.Administration/AddRegistrationAuthority': operators,
  '/gatehouse.ca.v1.Administration/CreateJoinToken': operators,
  '/gatehouse.ca.v1.Administration/ListRegistrationAuthorities': operators,
  '/gatehouse.ca.v1.Administration/DisableRegistrationAuthority': operators,
  '/gatehouse.ca.v1.Administration/AddPerspective': operators,
  '/gatehouse.ca.v1.Administration/CreatePerspectiveJoinToken': operators,
  '/gatehouse.ca.v1.Administration/DisablePerspective': operators,
  '/gatehouse.ca.v1.Administration/RevokeSigningKey': operators,
  '/gatehouse.ca.v1.Administration/CheckPerspectives': operators,
  '/gatehouse.ca.v1.Administration/GetEvidence': operators,
  '/gatehouse.ca.v1.Administration/ListAuthorities': operators,
  '/gatehouse.ca.v1.Administration/ValidateProfile': operators,
  '/gatehouse.ca.v1.Administration/BlockKey': operators,
  '/gatehouse.ca.v1.Administration/StartBulkRevocation': operators,
  '/gatehouse.ca.v1.Administration/WatchBulkRevocation': operators,
  '/gatehouse.ca.v1.Administration/ListBulkRevocations': operators,
  '/gatehouse.ca.v1.Administration/StopBulkRevocation': operators,
  '/gatehouse.ca.v1.Administration/ListCrls': operators,
  '/gatehouse.ca.v1.Administration/GenerateCrl': operators,
  '/gatehouse.ca.v1.Administration/ListAuditEvents': operators,
  '/gatehouse.ca.v1.Administration/VerifyAudit': operators,
};

/**
 * Refuses a caller whose kind may not use the rpc.
 *
 * @param path as gRPC has it: `/gatehouse.ca.v1.CertificateAuthority/Enroll`
 * @throws {CoreError} `unauthorized`, also when the rpc is unknown
 */
export function authorize(path: string, caller: Caller): void {
  const kinds = Object.hasOwn(authorizedKinds, path) ? authorizedKinds[path] : undefined;
  if (kinds?.includes(caller.kind) === true) return;
  const rpc = path.slice(path.lastIndexOf('/') + 1);
  throw new CoreError('unauthorized', `a caller of kind ${caller.kind} may not call ${rpc}`);
}
