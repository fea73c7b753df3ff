// The bridge: everything that a gate or an operator's command may ask of the keep, as typed calls that fail with CoreError and nothing else.
// It decides nothing about certificates; it sees to it that a call reaches a keep that answers, once.

import {
  type CertificateAuthorityService,
  type FindCertificatesRequest,
  type Profile,
  CertificateAuthorityService as procedures,
  type TrustBundle,
  type Credential as WireCredential,
} from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { type CertificateRecord, CertificateState, RevocationReason } from '@gatehouse/proto/types';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import { type Administration, createAdministration } from './administration.ts';
import { type Caller, type CallOptions, callStream, callUnary, type Method } from './call.ts';
import { createCallMetrics } from './call-metrics.ts';
import { CoreConnections } from './connections.ts';
import type { CredentialSource } from './credential-source.ts';
import { createDomainValidationClient, type DomainValidationClient } from './domain-validation.ts';
import type { EndpointHealth } from './endpoint.ts';
import {
  type Enrollment,
  type EnrollmentOutcome,
  type Requester,
  toBuffer,
  toEnrollmentOutcome,
  toEnrollRequest,
  toWireRequester,
} from './enrollment.ts';
import { renewCredentialInTime } from './renew-credential.ts';
import { createStatusClient, type StatusClient } from './status.ts';

export type { CallOptions, CertificateAuthorityService, CertificateRecord, Profile, TrustBundle };
export { CertificateState, RevocationReason };

/** What {@link connectCore} takes. */
export type CoreClientOptions = {
  /** `host:port` of each core, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly credential: CredentialSource;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
  /** Time for a call with all its repetitions; 10 000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** For how long a call is repeated while no core answers; 2 000 unless told. */
  readonly retryWindowMs?: number | undefined;
  /** Whether the credential is renewed before half of its life; unless told, it is for gates and perspectives. */
  readonly renewsCredential?: boolean | undefined;
};

/** What to do with which certificate. */
export type Revocation = {
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly reason: RevocationReason;
  readonly invalidityDate?: Date | undefined;
  readonly requester?: Requester | undefined;
};

/** Selects one certificate: by its serial number (hexadecimal), or by itself (DER). */
export type CertificateSelector = { readonly serialNumber: string } | { readonly certificate: Uint8Array };

/** How the keep is reached now. */
export type CoreHealth = { readonly isReachable: boolean; readonly endpoints: readonly EndpointHealth[] };

/** The calls of the contract. All of them fail with {@link CoreError}. */
export type CoreClient = {
  /** Asks for a certificate. Repeated by itself while no core answers: the idempotency key makes that safe. */
  enroll(enrollment: Enrollment, options?: CallOptions): Promise<EnrollmentOutcome>;
  /** Polls a pending enrollment. A rejected one fails with `profile-refuses`. */
  getEnrollment(requestId: string, options?: CallOptions): Promise<EnrollmentOutcome>;
  /** Revokes, holds or releases. A repetition that comes second sees `already-revoked`. */
  revoke(revocation: Revocation, options?: CallOptions): Promise<CertificateRecord>;
  getCertificate(selector: CertificateSelector, options?: CallOptions): Promise<CertificateRecord>;
  /** Streams certificates, newest first; conditions that are not given do not count. */
  findCertificates(
    conditions: Partial<FindCertificatesRequest>,
    options?: CallOptions,
  ): AsyncIterable<CertificateRecord>;
  getTrustBundle(options?: CallOptions): Promise<TrustBundle>;
  listProfiles(options?: CallOptions): Promise<readonly Profile[]>;
  getProfile(name: string, options?: CallOptions): Promise<Profile>;
  /** Asks for the next certificate of the caller itself. @param certificationRequest PKCS#10 for the new key, DER */
  renewCredential(certificationRequest: Uint8Array, options?: CallOptions): Promise<WireCredential>;
  /** Buys the first credential with the one inside a join token. @param certificationRequest PKCS#10 for the first key, DER */
  join(certificationRequest: Uint8Array, options?: CallOptions): Promise<WireCredential>;
  /** What operators may ask. */
  readonly administration: Administration;
  /** What the status gate may ask. */
  readonly status: StatusClient;
  /** What perspectives and the gates that ask them may ask. */
  readonly validation: DomainValidationClient;
  /** Whether a core is connected; begins to connect when none is. */
  health(): CoreHealth;
  /** Waits for a connection. @returns whether one stands within `timeoutMs` */
  connect(timeoutMs: number): Promise<boolean>;
  /** Ends all connections after the calls in flight, at the latest after `timeoutMs` (5 000 unless told). */
  close(timeoutMs?: number): Promise<void>;
};

/**
 * Creates the client of a keep. No connection is made before the first call.
 *
 * @example
 * const core = connectCore({ addresses: ['127.0.0.1:5280'], credential: openCredentialFile({ file, log }), log });
 * const outcome = await core.enroll({ idempotencyKey, profile: 'tls-server', subjectKey: { kind: 'certification-request', der }, requester });
 */
export function connectCore(options: CoreClientOptions): CoreClient {
  const { credential, log } = options;
  const connections = new CoreConnections(options.addresses, credential.current(), log);
  const caller: Caller = {
    connections,
    metrics: options.metrics === undefined ? undefined : createCallMetrics(options.metrics),
    timeoutMs: options.timeoutMs ?? 10_000,
    retryWindowMs: options.retryWindowMs ?? 2_000,
  };
  const repeatable = <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: CallOptions | undefined,
  ) => callUnary(caller, method, request, true, call);
  const stopFollowing = credential.onChange((changed) => {
    connections.swap(changed).catch((error: unknown) => log.error({ err: error }, 'a new credential cannot be used'));
  });

  const client: CoreClient = {
    enroll: async (enrollment, call) =>
      toEnrollmentOutcome(await repeatable(procedures.enroll, toEnrollRequest(enrollment), call)),
    getEnrollment: async (requestId, call) =>
      toEnrollmentOutcome(await repeatable(procedures.getEnrollment, { requestId }, call)),
    revoke: async (revocation, call) => {
      const { certificate } = await repeatable(procedures.revoke, toRevokeRequest(revocation), call);
      if (certificate === undefined) throw new CoreError('internal', 'the CA core gave an incomplete answer');
      return certificate;
    },
    getCertificate: (selector, call) =>
      repeatable(
        procedures.getCertificate,
        'serialNumber' in selector
          ? { selector: { $case: 'serialNumber', value: selector.serialNumber } }
          : { selector: { $case: 'certificate', value: toBuffer(selector.certificate) } },
        call,
      ),
    findCertificates: (conditions, call) =>
      callStream(caller, procedures.findCertificates, { ...anyCertificate, ...conditions }, call),
    getTrustBundle: (call) => repeatable(procedures.getTrustBundle, {}, call),
    listProfiles: async (call) => (await repeatable(procedures.listProfiles, {}, call)).profiles,
    getProfile: (name, call) => repeatable(procedures.getProfile, { name }, call),
    renewCredential: (der, call) =>
      callUnary(caller, procedures.renewCredential, { certificationRequest: toBuffer(der) }, false, call),
    join: (der, call) => callUnary(caller, procedures.join, { certificationRequest: toBuffer(der) }, false, call),
    administration: createAdministration(caller),
    status: createStatusClient(caller),
    validation: createDomainValidationClient(caller),
    health: () => {
      const endpoints = connections.health();
      return { isReachable: endpoints.some(({ state }) => state === 'ready'), endpoints };
    },
    connect: (timeoutMs) => connections.connect(timeoutMs),
    close: async (timeoutMs = 5_000) => {
      stopFollowing();
      renewal?.close();
      await connections.close(timeoutMs);
    },
  };

  const { kind } = credential.current().party;
  const renewal =
    (options.renewsCredential ?? (kind === 'ra' || kind === 'perspective'))
      ? renewCredentialInTime({ client, credential, log, clock: options.clock })
      : undefined;
  return client;
}

const anyCertificate: FindCertificatesRequest = {
  name: '',
  profile: '',
  registrationAuthority: '',
  requesterId: '',
  state: CertificateState.CERTIFICATE_STATE_UNSPECIFIED,
  expiresBefore: undefined,
  expiresAfter: undefined,
  issuedAfter: undefined,
  keyFingerprint: Buffer.alloc(0),
  limit: 0,
  afterSerialNumber: '',
};

function toRevokeRequest({ serialNumber, reason, invalidityDate, requester }: Revocation) {
  return {
    serialNumber,
    reason,
    invalidityDate,
    requester: requester === undefined ? undefined : toWireRequester(requester),
  };
}
