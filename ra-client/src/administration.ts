// The calls that only operators may make, in the words of the contract. Those that make something (a token, a decision) are never repeated by themselves.

import {
  type AddRegistrationAuthorityRequest,
  type AuditEvent,
  type Authority,
  type BlockKeyRequest,
  type CreateJoinTokenRequest,
  type JoinToken,
  type ListAuditEventsRequest,
  type PendingEnrollment,
  type ProfileProblem,
  AdministrationService as procedures,
  type RegistrationAuthority,
  type VerifyAuditResponse,
} from '@gatehouse/proto/administration';
import { type Caller, type CallOptions, callStream, callUnary, type Method } from './call.ts';
import { type EnrollmentOutcome, toEnrollmentOutcome } from './enrollment.ts';

export type {
  AddRegistrationAuthorityRequest,
  AuditEvent,
  Authority,
  BlockKeyRequest,
  CreateJoinTokenRequest,
  JoinToken,
  ListAuditEventsRequest,
  PendingEnrollment,
  ProfileProblem,
  RegistrationAuthority,
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
  listAuthorities(options?: CallOptions): Promise<readonly Authority[]>;
  /** @returns the problems with their lines; none: the profile is good */
  validateProfile(yaml: string, options?: CallOptions): Promise<readonly ProfileProblem[]>;
  blockKey(request: BlockKeyRequest, options?: CallOptions): Promise<void>;
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
    listAuthorities: async (options) => (await repeatable(procedures.listAuthorities, {}, options)).authorities,
    validateProfile: async (yaml, options) =>
      (await repeatable(procedures.validateProfile, { yaml }, options)).problems,
    blockKey: async (request, options) => {
      await repeatable(procedures.blockKey, request, options);
    },
    listAuditEvents: (conditions, options) =>
      callStream(caller, procedures.listAuditEvents, { ...anyEvent, ...conditions }, options),
    verifyAudit: (options) => repeatable(procedures.verifyAudit, {}, options),
  };
}
