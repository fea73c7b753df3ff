/** The service that gates call: each handler checks the form of its message, calls one domain function and encodes. */
import {
  type CertificateAuthorityServer,
  CertificateAuthorityService,
  type EnrollRequest,
} from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { join } from '../credentials/join.ts';
import { renewCredential } from '../credentials/renew-credential.ts';
import { enroll } from '../enrollment/pipeline.ts';
import { pollEnrollment } from '../enrollment/poll.ts';
import { findCertificateRecords, getCertificateRecord } from '../inventory/inventory.ts';
import { revoke } from '../revocation/revoke.ts';
import { type CallContext, type HandlerOptions, serverStreaming, unary } from './handler.ts';
import { asBuffer, enrollResponse } from './messages.ts';

/** Implements `CertificateAuthority`. */
export function certificateAuthorityService(options: HandlerOptions): CertificateAuthorityServer {
  const { keep } = options;
  const path = (method: keyof typeof CertificateAuthorityService): string => CertificateAuthorityService[method].path;
  const call = <Request, Response>(
    method: keyof typeof CertificateAuthorityService,
    handle: (context: CallContext, request: Request) => Response | Promise<Response>,
  ): handleUnaryCall<Request, Response> => unary(options, path(method), handle);

  return {
    enroll: unary(
      options,
      path('enroll'),
      async (context, request: EnrollRequest) => enrollResponse(await enroll(keep, context, request)),
      (request) => request.profile,
    ),
    getEnrollment: call('getEnrollment', async (context, request) =>
      enrollResponse(await pollEnrollment(keep, context.caller, request.requestId)),
    ),
    revoke: call('revoke', async (context, request) => ({ certificate: await revoke(keep, context, request) })),
    getCertificate: call('getCertificate', (context, request) => getCertificateRecord(keep, context.caller, request)),
    findCertificates: serverStreaming(options, path('findCertificates'), (context, request) =>
      findCertificateRecords(keep, context.caller, request),
    ),
    getTrustBundle: call('getTrustBundle', () => ({
      trustAnchors: [asBuffer(keep.root.der)],
      issuingCertificates: [asBuffer(keep.issuing.certificate.der)],
      linkCertificates: [],
    })),
    listProfiles: call('listProfiles', (context) => ({ profiles: profilesOf(context) })),
    getProfile: call('getProfile', (context, request) => {
      const profile = profilesOf(context).find(({ name }) => name === request.name);
      if (profile === undefined) {
        throw new CoreError(
          'profile-unknown',
          `there is no profile ${JSON.stringify(request.name.slice(0, 64))} for you`,
        );
      }
      return profile;
    }),
    renewCredential: call('renewCredential', (context, request) => renewCredential(keep, context, request)),
    join: call('join', (context, request) => join(keep, context, request)),
  };

  function profilesOf({ caller }: CallContext) {
    const allowed = caller.kind === 'operator' ? undefined : keep.registry.registrationAuthority(caller.name).profiles;
    return [...keep.profiles.values()]
      .map(({ describe }) => describe(keep.clock.now()))
      .filter(({ name }) => allowed === undefined || allowed.has(name));
  }
}
