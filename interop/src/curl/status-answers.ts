// What curl asks of the status gate, and the fields that let caches keep an answer for as long as it is good and no longer:
// RFC 5019 §6 for OCSP; CRLs are held to the same.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { HttpAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';
import { crlUrl, readCrl } from '../status/crl-files.ts';
import { expectCurrent } from '../status/expect-ocsp.ts';
import { judgeResponse, writeRequest } from '../status/openssl-ocsp.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';
import { toBase64 } from './enroll.ts';
import { callCurl, describeAnswer } from './request.ts';

/** A thing to fetch again and again, and when it is good. */
export type Resource = {
  readonly url: string;
  readonly contentType: string;
  /** thisUpdate and nextUpdate of what an answer holds. @throws when it is not in order */
  times(body: Buffer): Promise<{ readonly thisUpdate: Date; readonly nextUpdate: Date | undefined }>;
};

/** An OCSP response by GET, RFC 6960 appendix A.1. */
export async function ocspResource(session: Session, subject: Subject): Promise<Resource> {
  const question = { certificates: [subject.certificateFile], options: ['-no_nonce'] };
  const file = session.file('request.der');
  await writeRequest(session, file, question);
  return {
    url: `${subject.ocsp}/${encodeURIComponent(toBase64(readFileSync(file)))}`,
    contentType: 'application/ocsp-response',
    times: async (body) => {
      const { statuses } = await judgeResponse(session, session.write('response.der', body), question);
      return expectCurrent(statuses);
    },
  };
}

/** An OCSP response for a certificate of its own. */
export async function newOcspResource(session: Session): Promise<Resource> {
  return await ocspResource(session, await enrollSubject(session, 'cached'));
}

/** A CRL that is not made anew while others revoke. */
export async function crlResource(session: Session): Promise<Resource> {
  return {
    url: crlUrl(session, 'issuing-ca'),
    contentType: 'application/pkix-crl',
    times: async (body) => await readCrl(session.write('list.crl', body)),
  };
}

/** Fetches all of it, with what `options` add. @throws when it does not come, or not with the fields it must have */
export async function fetchWhole(
  session: Session,
  resource: Resource,
  options: Parameters<typeof callCurl>[2] = {},
): Promise<HttpAnswer> {
  const answer = await callCurl(session, resource.url, options);
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('content-type'), resource.contentType);
  expectNoDetour(answer);
  return answer;
}

/** RFC 5019 §6.2: the fields of an answer that may be kept, and the times in what it holds. @throws when they differ */
export async function expectCachingFields(answer: HttpAnswer, resource: Resource): Promise<void> {
  const { thisUpdate, nextUpdate } = await resource.times(answer.body);
  assert(nextUpdate !== undefined);
  assert.equal(fieldOf(answer, 'last-modified'), thisUpdate.toUTCString(), 'Last-Modified must be thisUpdate');
  assert.equal(fieldOf(answer, 'expires'), nextUpdate.toUTCString(), 'Expires must be nextUpdate');
  const directives = fieldOf(answer, 'cache-control').split(/, */);
  const maximumAge = Number(/^max-age=(\d+)$/.exec(directives.find((one) => one.startsWith('max-age=')) ?? '')?.[1]);
  const secondsLeft = (nextUpdate.getTime() - new Date(fieldOf(answer, 'date')).getTime()) / 1000;
  assert(maximumAge > 0 && maximumAge <= secondsLeft + 1, `max-age ${maximumAge} must end before ${secondsLeft} s`);
  for (const directive of ['public', 'no-transform', 'must-revalidate'])
    assert(directives.includes(directive), directive);
  // RFC 9110 §8.8.3; a strong one, since octets are what is compared.
  assert.match(fieldOf(answer, 'etag'), /^"[\x21\x23-\x7e]+"$/);
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
}

/** A field that must be there. */
export function fieldOf({ headers }: HttpAnswer, name: string): string {
  const value = headers.get(name);
  assert(value !== undefined, `there must be ${name}`);
  return value;
}

/** A status service that needs the PKI cannot check the PKI: no answer leads to TLS, now or later. */
export function expectNoDetour({ headers }: HttpAnswer): void {
  for (const name of ['location', 'strict-transport-security', 'upgrade', 'alt-svc']) {
    assert.equal(headers.get(name), undefined, `there must be no ${name}`);
  }
}

/** RFC 9110 §15.4.5: nothing is new, and what is kept stays good. */
export function expectNotModified(answer: HttpAnswer, before: HttpAnswer): void {
  assert.equal(answer.status, 304, describeAnswer(answer));
  for (const name of ['etag', 'expires', 'last-modified']) {
    assert.equal(answer.headers.get(name), before.headers.get(name), name);
  }
  assert.match(fieldOf(answer, 'cache-control'), /max-age=\d+/);
}

/** For comparing what came in several ways. */
export function digestOf(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('hex');
}
