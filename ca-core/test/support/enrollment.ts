// What tests ask of a core, and what they make of its answers: keys, requests, refusals and the audit log.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type CertificationRequestInput,
  createCertificationRequest,
  type RequestAttribute,
} from '@gatehouse/pkix/certification-request';
import type { Extension } from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName } from '@gatehouse/pkix/names';
import type { AuditEvent, ListAuditEventsRequest, VerifyAuditResponse } from '@gatehouse/proto/administration';
import type {
  CertificateAuthorityClient,
  EnrollRequest,
  EnrollResponse,
  Issued,
  NameAssignment,
} from '@gatehouse/proto/certificate-authority';
import { CoreError, type CoreErrorType, fromServiceError } from '@gatehouse/proto/core-error';
import { RequesterKind } from '@gatehouse/proto/types';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { type TestCore, unary } from './running-core.ts';

/** A requester as gates name theirs. */
export const requester = { kind: RequesterKind.REQUESTER_KIND_USER, id: 'demo', address: '192.0.2.7', display: 'Demo' };

/** A key that nobody has seen. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** What a certification request of a test holds; subject as RFC 4514 text, names as `DNS:a.example`. */
export type RequestParts = {
  readonly key?: KeyObject;
  readonly subject?: string;
  readonly names?: readonly string[];
  readonly extensions?: readonly Extension[];
  readonly attributes?: readonly RequestAttribute[];
  readonly signature?: NonNullable<CertificationRequestInput['signature']>;
};

/** A signed certification request, DER. */
export function certificationRequest(parts: RequestParts = {}): Buffer {
  const { key = newKey(), subject = '', names = [], ...rest } = parts;
  const input = { ...rest, key, subject: parseName(subject), names: names.map(parseGeneralName) };
  return Buffer.from(createCertificationRequest(input));
}

/** An enrollment with a fresh idempotency key, for `tls-server` unless told. */
export function enrollRequest(csr: Uint8Array, changes: Partial<EnrollRequest> = {}): EnrollRequest {
  return {
    idempotencyKey: newRequestId(),
    profile: 'tls-server',
    subjectKey: { $case: 'certificationRequest', value: Buffer.from(csr) },
    names: undefined,
    validity: undefined,
    requester,
    renews: Buffer.alloc(0),
    evidence: [],
    changesNames: false,
    notBefore: undefined,
    notAfter: undefined,
    ...changes,
  };
}

/** Names that an RA assigns. */
export function assignment(names: readonly string[], changes: Partial<NameAssignment> = {}): NameAssignment {
  return {
    subject: undefined,
    subjectAlternativeNames: names.map((text) => {
      const name = parseGeneralName(text);
      if (name.kind !== 'dns' && name.kind !== 'ip' && name.kind !== 'uri' && name.kind !== 'email') {
        throw new TypeError(`${text} has no text form in the contract`);
      }
      return { name: { $case: name.kind, value: name.value } };
    }),
    replacesRequested: false,
    ...changes,
  };
}

/** Enrolls; fails with CoreError. */
export function enroll(client: CertificateAuthorityClient, request: EnrollRequest): Promise<EnrollResponse> {
  return unary<EnrollResponse>((callback) => client.enroll(request, callback));
}

/** The certificate of an answer; a pending one fails. */
export function issuedOf({ outcome }: EnrollResponse): Issued {
  if (outcome?.$case !== 'issued') assert.fail(`not issued but ${outcome?.$case}`);
  return outcome.value;
}

/** Enrolls and expects a certificate. */
export async function issue(client: CertificateAuthorityClient, request: EnrollRequest): Promise<Issued> {
  return issuedOf(await enroll(client, request));
}

/** Expects a refusal of this type whose detail fits, and answers it. */
export async function refused(call: Promise<unknown>, code: CoreErrorType, detail = /./): Promise<CoreError> {
  const error = await call.then(
    () => assert.fail(`was not refused with ${code}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CoreError)) throw error;
  assert.equal(error.code, code, error.detail);
  assert.match(error.detail, detail);
  return error;
}

/** Everything that a stream brings; its failure as CoreError. */
export function collect<Message>(stream: ClientReadableStream<Message>): Promise<readonly Message[]> {
  return new Promise((resolve, reject) => {
    const messages: Message[] = [];
    stream.on('data', (message: Message) => messages.push(message));
    stream.on('error', (error: ServiceError) => reject(fromServiceError(error)));
    stream.on('end', () => resolve(messages));
  });
}

/** Events of the audit log that fit, newest first. */
export function auditEvents(
  core: TestCore,
  conditions: Partial<ListAuditEventsRequest> = {},
): Promise<readonly AuditEvent[]> {
  return collect(
    core.operator.administration.listAuditEvents({
      action: '',
      serialNumber: '',
      registrationAuthority: '',
      after: undefined,
      before: undefined,
      limit: 0,
      isEverything: false,
      ...conditions,
    }),
  );
}

/** The newest event of the log that somebody brought about: CRLs are signed in between, in their own time. */
export async function lastAuditEvent(core: TestCore): Promise<AuditEvent> {
  const event = (await auditEvents(core, { limit: 32 })).find(({ action }) => action !== 'crl-generated');
  assert.ok(event, 'the audit log is empty');
  return event;
}

/** How many records the log has, all of which hold. */
export async function assertAuditHolds(core: TestCore): Promise<void> {
  const found = await unary<VerifyAuditResponse>((callback) => core.operator.administration.verifyAudit({}, callback));
  assert.equal(found.firstBreak, undefined);
  assert.ok(found.records > 0);
}
