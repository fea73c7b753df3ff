/**
 * Exactly once: a retry with the same idempotency key gets the first answer, whether the first call is still being
 * decided, was answered a moment ago or before a restart (ARCHITECTURE §1.4). Refusals are not remembered: what was
 * refused has changed nothing and may be asked again.
 */
import { hash } from 'node:crypto';
import { type EnrollRequest, NameAssignment } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { Duration } from '@gatehouse/proto/duration';
import type { Keep } from '../keep.ts';
import { DuplicateRequestError, findRequestByIdempotencyKey } from '../store/requests.ts';
import type { EnrollmentAnswer } from './answer.ts';
import { answerOfRecord } from './recorded-answer.ts';

/** Enrollments that are being decided right now, by RA and idempotency key. */
export type InFlight = Map<string, { readonly content: Uint8Array; readonly answer: Promise<EnrollmentAnswer> }>;

const perspectiveResults = 'perspective-results';

const keyForm = /^[\x21-\x7e]{8,128}$/;

/**
 * Answers `request` as it was answered first, or by `decide`.
 * Throws CoreError `malformed` for a key that is none, `conflict` for a key that came with other content before.
 */
export async function answerOnce(
  keep: Keep,
  registrationAuthority: string,
  request: EnrollRequest,
  decide: (content: Uint8Array) => Promise<EnrollmentAnswer>,
): Promise<EnrollmentAnswer> {
  if (!keyForm.test(request.idempotencyKey)) {
    throw new CoreError('malformed', 'the idempotency key must be 8 to 128 visible ASCII characters');
  }
  const content = digestContent(request);
  const slot = `${registrationAuthority} ${request.idempotencyKey}`;

  const concurrent = keep.inFlight.get(slot);
  if (concurrent !== undefined) {
    refuseOtherContent(concurrent.content, content);
    return { ...(await concurrent.answer), isRepeated: true };
  }
  const answer = firstOrDecided(keep, registrationAuthority, request.idempotencyKey, content, decide);
  keep.inFlight.set(slot, { content, answer });
  try {
    return await answer;
  } finally {
    keep.inFlight.delete(slot);
  }
}

async function firstOrDecided(
  keep: Keep,
  registrationAuthority: string,
  idempotencyKey: string,
  content: Uint8Array,
  decide: (content: Uint8Array) => Promise<EnrollmentAnswer>,
): Promise<EnrollmentAnswer> {
  const recorded = recordedAnswer(keep, registrationAuthority, idempotencyKey, content);
  if (recorded !== undefined) return recorded;
  try {
    return await decide(content);
  } catch (error) {
    // Another instance was faster; its answer is the first.
    if (!(error instanceof DuplicateRequestError)) throw error;
    const first = recordedAnswer(keep, registrationAuthority, idempotencyKey, content);
    if (first === undefined) throw error;
    return first;
  }
}

function recordedAnswer(
  keep: Keep,
  registrationAuthority: string,
  idempotencyKey: string,
  content: Uint8Array,
): EnrollmentAnswer | undefined {
  const record = findRequestByIdempotencyKey(keep.store, registrationAuthority, idempotencyKey);
  if (record === undefined) return undefined;
  refuseOtherContent(record.contentSha256, content);
  return answerOfRecord(keep, record);
}

function refuseOtherContent(first: Uint8Array, now: Uint8Array): void {
  if (Buffer.compare(first, now) !== 0) {
    throw new CoreError('conflict', 'the idempotency key was used for another request');
  }
}

/**
 * SHA-256 over what decides about the certificate, each part with its length. The requester's address is left out:
 * a client that retries over another network is still the same.
 */
function digestContent(request: EnrollRequest): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (part: Uint8Array | string): void => {
    const octets = typeof part === 'string' ? Buffer.from(part) : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(octets.length);
    parts.push(length, octets);
  };
  add(request.profile);
  add(request.subjectKey?.$case ?? '');
  switch (request.subjectKey?.$case) {
    case 'certificationRequest':
    case 'certificateRequestMessage':
      add(request.subjectKey.value);
      break;
    case 'publicKey':
      add(request.subjectKey.value.subjectPublicKeyInfo);
      add(request.subjectKey.value.proofOfPossession);
      break;
  }
  add(request.names === undefined ? '' : NameAssignment.encode(request.names).finish());
  add(request.validity === undefined ? '' : Duration.encode(request.validity).finish());
  add(String(request.requester?.kind ?? ''));
  add(request.requester?.id ?? '');
  add(request.renews);
  add(request.changesNames ? 'changes-names' : '');
  // Left out where nothing is wanted: digests that are recorded stay what they are.
  if (request.notBefore !== undefined) add(`not-before ${request.notBefore.getTime()}`);
  if (request.notAfter !== undefined) add(`not-after ${request.notAfter.getTime()}`);
  for (const evidence of request.evidence) {
    // CAA is looked at again between two attempts (RFC 8659 §2.2): what perspectives say is not what was asked for.
    if (evidence.type === perspectiveResults) continue;
    add(evidence.type);
    add(evidence.payload);
    // Without their number, the next piece of evidence would read like further certificates of this one.
    add(String(evidence.certificates.length));
    for (const certificate of evidence.certificates) add(certificate);
  }
  return hash('sha256', Buffer.concat(parts), 'buffer');
}
