/** The service that operators call. No RA credential may call any of it (registry/authorization.ts). */
import { type AdministrationServer, AdministrationService } from '@gatehouse/proto/administration';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { auditEvents, verifyAuditLog } from '../administration/audit.ts';
import { listAuthorities } from '../administration/authorities.ts';
import { blockKey } from '../administration/block-key.ts';
import {
  listBulkRevocations,
  startBulkRevocation,
  stopBulkRevocation,
  watchBulkRevocation,
} from '../administration/bulk-revocations.ts';
import { listPendingEnrollments } from '../administration/pending-enrollments.ts';
import { addPerspective, createPerspectiveJoinToken, disablePerspective } from '../administration/perspectives.ts';
import {
  addRegistrationAuthority,
  createJoinToken,
  disableRegistrationAuthority,
  registrationAuthorityMessage,
} from '../administration/registration-authorities.ts';
import { approveEnrollment, rejectEnrollment } from '../enrollment/approval.ts';
import { checkPerspectives } from '../evidence/policies/check-perspectives.ts';
import { readRecordedEvidence } from '../evidence/recorded-evidence.ts';
import type { StatusPublication } from '../jobs/status-publication.ts';
import { crlFacts } from '../jobs/status-watch.ts';
import { validateProfile } from '../profiles/validate-profile.ts';
import { signingKeyMessage } from '../registry/perspective-message.ts';
import { revokeSigningKey } from '../registry/signing-keys.ts';
import type { BulkRevocations } from '../revocation/bulk-revocation.ts';
import { type CallContext, type HandlerOptions, serverStreaming, unary } from './handler.ts';
import { enrollResponse } from './messages.ts';

type Method = keyof typeof AdministrationService;

/** What its handlers need besides. */
export type AdministrationOptions = HandlerOptions & {
  readonly bulkRevocations: BulkRevocations;
  readonly status: Pick<StatusPublication, 'crls' | 'generate'>;
};

/** Implements `Administration`. */
export function administrationService(options: AdministrationOptions): AdministrationServer {
  const { keep, bulkRevocations, status } = options;
  const call = <Request, Response>(
    method: Method,
    handle: (context: CallContext, request: Request) => Response | Promise<Response>,
  ): handleUnaryCall<Request, Response> => unary(options, AdministrationService[method].path, handle);

  return {
    listPendingEnrollments: call('listPendingEnrollments', () => ({ enrollments: [...listPendingEnrollments(keep)] })),
    approveEnrollment: call('approveEnrollment', async (context, request) =>
      enrollResponse(await approveEnrollment(keep, context, request)),
    ),
    rejectEnrollment: call('rejectEnrollment', async (context, request) => {
      await rejectEnrollment(keep, context, request);
      return {};
    }),
    addRegistrationAuthority: call('addRegistrationAuthority', ({ caller }, request) =>
      addRegistrationAuthority(keep, caller.uri, request),
    ),
    createJoinToken: call('createJoinToken', ({ caller }, request) => createJoinToken(keep, caller.uri, request)),
    listRegistrationAuthorities: call('listRegistrationAuthorities', () => ({
      registrationAuthorities: keep.registry.listRegistrationAuthorities().map(registrationAuthorityMessage),
    })),
    disableRegistrationAuthority: call('disableRegistrationAuthority', ({ caller }, request) =>
      disableRegistrationAuthority(keep, caller.uri, request.name),
    ),
    addPerspective: call('addPerspective', ({ caller }, request) => addPerspective(keep, caller.uri, request)),
    createPerspectiveJoinToken: call('createPerspectiveJoinToken', ({ caller }, request) =>
      createPerspectiveJoinToken(keep, caller.uri, request),
    ),
    disablePerspective: call('disablePerspective', ({ caller }, { name }) =>
      disablePerspective(keep, caller.uri, name),
    ),
    revokeSigningKey: call('revokeSigningKey', async ({ caller }, request) =>
      signingKeyMessage(await revokeSigningKey(keep, caller.uri, request)),
    ),
    checkPerspectives: call('checkPerspectives', (_context, { policy }) => ({
      findings: [...checkPerspectives(keep, policy)],
    })),
    getEvidence: call('getEvidence', (_context, { serialNumber }) => readRecordedEvidence(keep, serialNumber)),
    listAuthorities: call('listAuthorities', () => ({ authorities: listAuthorities(keep) })),
    validateProfile: call('validateProfile', (_context, request) => {
      const result = validateProfile(request.yaml, 'profile');
      return { problems: result.ok ? [] : result.problems.map((problem) => ({ ...problem })) };
    }),
    blockKey: call('blockKey', async ({ caller }, request) => {
      await blockKey(keep, caller.uri, request);
      return {};
    }),
    startBulkRevocation: call('startBulkRevocation', ({ caller }, request) =>
      startBulkRevocation(keep, bulkRevocations, caller.uri, request),
    ),
    watchBulkRevocation: serverStreaming(options, AdministrationService.watchBulkRevocation.path, (_context, { id }) =>
      watchBulkRevocation(bulkRevocations, id),
    ),
    listBulkRevocations: call('listBulkRevocations', () => ({ jobs: listBulkRevocations(keep) })),
    stopBulkRevocation: call('stopBulkRevocation', ({ caller }, { id }) =>
      stopBulkRevocation(keep, bulkRevocations, caller.uri, id),
    ),
    listCrls: call('listCrls', () => ({ crls: status.crls().map(crlFacts) })),
    generateCrl: call('generateCrl', async ({ caller }, { scope, isDelta }) =>
      crlFacts(await status.generate(scope, isDelta, caller.uri)),
    ),
    listAuditEvents: serverStreaming(options, AdministrationService.listAuditEvents.path, ({ caller }, request) =>
      auditEvents(keep, caller.uri, request),
    ),
    verifyAudit: call('verifyAudit', ({ caller }) => verifyAuditLog(keep, caller.uri)),
  };
}
