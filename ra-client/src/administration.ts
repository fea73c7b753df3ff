// The calls that only operators may make, in the words of the contract. Those that make something (a token, a decision) are never repeated by themselves.

import {
  type AddPerspectiveRequest,
  type AddRegistrationAuthorityRequest,
  type AuditEvent,
  type Authority,
  type BlockKeyRequest,
  type BulkRevocation,
  type CreateJoinTokenRequest,
  type JoinToken,
  type ListAuditEventsRequest,
  type PendingEnrollment,
  type PerspectiveFinding,
  type ProfileProblem,
  AdministrationService as procedures,
  type RecordedEvidence,
  type RegistrationAuthority,
  type StartBulkRevocationRequest,
  type VerifyAuditResponse,
} from '@gatehouse/proto/administration';
import type { CrlFacts } from '@gatehouse/proto/certificate-status';
import type { Perspective, SigningKey } from '@gatehouse/proto/domain-validation';
import { type Caller, type CallOptions, callStream, callUnary, type Method } from './call.ts';
import { type EnrollmentOutcome, toEnrollmentOutcome } from './enrollment.ts';

export type {
  AddPerspectiveRequest,
  AddRegistrationAuthorityRequest,
  AuditEvent,
  Authority,
  BlockKeyRequest,
  BulkRevocation,
  CreateJoinTokenRequest,
  CrlFacts,
  JoinToken,
  ListAuditEventsRequest,
  PendingEnrollment,
  Perspective,
  PerspectiveFinding,
  ProfileProblem,
  RecordedEvidence,
  RegistrationAuthority,
  SigningKey,
  StartBulkRevocationRequest,
  VerifyAuditResponse,
};

/** Operators' calls. All of them fail with CoreError. */
export type Administration = {
  /** Oldest first. */
  listPendingEnrollments(options?: CallOptions): Promise<readonly PendingEnrollment[]>;
  /** The core judges the enrollment again and issues. */
  approveEnrollment(requestId: string, reason: string, options?: CallOptions): Promise<EnrollmentOutcome>;
  /** @param reason told to the client */
  rejectEnrollment(requestId: string, reason: string, options?: CallOptions): Promise<void>;
  addRegistrationAuthority(request: AddRegistrationAuthorityRequest, options?: CallOptions): Promise<JoinToken>;
  createJoinToken(request: CreateJoinTokenRequest, options?: CallOptions): Promise<JoinToken>;
  /** By name. */
  listRegistrationAuthorities(options?: CallOptions): Promise<readonly RegistrationAuthority[]>;
  disableRegistrationAuthority(name: string, options?: CallOptions): Promise<RegistrationAuthority>;
  addPerspective(request: AddPerspectiveRequest, options?: CallOptions): Promise<JoinToken>;
  createPerspectiveJoinToken(request: CreateJoinTokenRequest, options?: CallOptions): Promise<JoinToken>;
  disablePerspective(name: string, options?: CallOptions): Promise<Perspective>;
  /** Nothing that the key ever signed counts any more. @param reason recorded */
  revokeSigningKey(keyId: string, reason: string, options?: CallOptions): Promise<SigningKey>;
  /** How the perspectives meet a policy, now and later; without its name all policies that profiles name. */
  checkPerspectives(policy: string, options?: CallOptions): Promise<readonly PerspectiveFinding[]>;
  /** What proved the control of the names in a certificate. */
  getEvidence(serialNumber: string, options?: CallOptions): Promise<RecordedEvidence>;
  listAuthorities(options?: CallOptions): Promise<readonly Authority[]>;
  /** @returns the problems with their lines; none: the profile is good */
  validateProfile(yaml: string, options?: CallOptions): Promise<readonly ProfileProblem[]>;
  blockKey(request: BlockKeyRequest, options?: CallOptions): Promise<void>;
  /**
   * Begins to revoke all certificates that match, or only counts them. Give it time: counting looks at all of them. A
   * repetition with the same idempotency key yields the job that is there.
   */
  startBulkRevocation(request: StartBulkRevocationRequest, options?: CallOptions): Promise<BulkRevocation>;
  /** How a job stands, and each time it has got further, until it is over; the job does not need a watcher. */
  watchBulkRevocation(id: string, options?: CallOptions): AsyncIterable<BulkRevocation>;
  /** The newest 100, newest first. */
  listBulkRevocations(options?: CallOptions): Promise<readonly BulkRevocation[]>;
  /** What is revoked stays so; a job that is over stays as it is. */
  stopBulkRevocation(id: string, options?: CallOptions): Promise<BulkRevocation>;
  /** By scope; a full CRL stands before its delta. */
  listCrls(options?: CallOptions): Promise<readonly CrlFacts[]>;
  /** Signs a CRL now. Give it time: a large one takes seconds. */
  generateCrl(scope: string, isDelta: boolean, options?: CallOptions): Promise<CrlFacts>;
  /** Newest first, or with `isEverything` all of them as they are chained; conditions that are not given do not count. */
  listAuditEvents(conditions: Partial<ListAuditEventsRequest>, options?: CallOptions): AsyncIterable<AuditEvent>;
  /** Walks all chains. Give it time: the default deadline is for short calls. */
  verifyAudit(options?: CallOptions): Promise<VerifyAuditResponse>;
};

const anyEvent: ListAuditEventsRequest = {
  action: '',
  serialNumber: '',
  registrationAuthority: '',
  after: undefined,
  before: undefined,
  limit: 0,
  isEverything: false,
};

/** Creates the operators' part of a client. */
export function createAdministration(caller: Caller): Administration {
  const once = <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions | undefined,
  ) => callUnary(caller, method, request, false, options);
  const repeatable = <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions | undefined,
  ) => callUnary(caller, method, request, true, options);
  return {
    listPendingEnrollments: async (options) =>
      (await repeatable(procedures.listPendingEnrollments, {}, options)).enrollments,
    approveEnrollment: async (requestId, reason, options) =>
      toEnrollmentOutcome(await once(procedures.approveEnrollment, { requestId, reason }, options)),
    rejectEnrollment: async (requestId, reason, options) => {
      await once(procedures.rejectEnrollment, { requestId, reason }, options);
    },
    addRegistrationAuthority: (request, options) => once(procedures.addRegistrationAuthority, request, options),
    createJoinToken: (request, options) => once(procedures.createJoinToken, request, options),
    listRegistrationAuthorities: async (options) =>
      (await repeatable(procedures.listRegistrationAuthorities, {}, options)).registrationAuthorities,
    disableRegistrationAuthority: (name, options) =>
      repeatable(procedures.disableRegistrationAuthority, { name }, options),
    addPerspective: (request, options) => once(procedures.addPerspective, request, options),
    createPerspectiveJoinToken: (request, options) => once(procedures.createPerspectiveJoinToken, request, options),
    disablePerspective: (name, options) => repeatable(procedures.disablePerspective, { name }, options),
    revokeSigningKey: (keyId, reason, options) => once(procedures.revokeSigningKey, { keyId, reason }, options),
    checkPerspectives: async (policy, options) =>
      (await repeatable(procedures.checkPerspectives, { policy }, options)).findings,
    getEvidence: (serialNumber, options) => repeatable(procedures.getEvidence, { serialNumber }, options),
    listAuthorities: async (options) => (await repeatable(procedures.listAuthorities, {}, options)).authorities,
    validateProfile: async (yaml, options) =>
      (await repeatable(procedures.validateProfile, { yaml }, options)).problems,
    blockKey: async (request, options) => {
      await repeatable(procedures.blockKey, request, options);
    },
    startBulkRevocation: (request, options) => repeatable(procedures.startBulkRevocation, request, options),
    watchBulkRevocation: (id, options) => callStream(caller, procedures.watchBulkRevocation, { id }, options),
    listBulkRevocations: async (options) => (await repeatable(procedures.listBulkRevocations, {}, options)).jobs,
    stopBulkRevocation: (id, options) => repeatable(procedures.stopBulkRevocation, { id }, options),
    listCrls: async (options) => (await repeatable(procedures.listCrls, {}, options)).crls,
    generateCrl: (scope, isDelta, options) => once(procedures.generateCrl, { scope, isDelta }, options),
    listAuditEvents: (conditions, options) =>
      callStream(caller, procedures.listAuditEvents, { ...anyEvent, ...conditions }, options),
    verifyAudit: (options) => repeatable(procedures.verifyAudit, {}, options),
  };
}
