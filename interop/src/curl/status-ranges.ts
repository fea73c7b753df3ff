// Parts of CRLs, RFC 9110 §14: a large CRL that broke off is not fetched anew.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { HttpAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';
import { callCurl, describeAnswer } from './request.ts';
import { crlResource, digestOf, fetchWhole, fieldOf } from './status-answers.ts';

const section = 'RFC 9110 §14';

/** The operations. */
export const ranges: readonly Operation[] = [
  { name: 'CRL: in two parts', section, run: fetchParts },
  { name: 'CRL: its end alone', section, run: fetchEnd },
  { name: 'CRL: goes on where it broke off', section, run: resume },
  { name: 'CRL: If-Range, of this CRL and of another', section: 'RFC 9110 §13.1.5', run: ifRange },
  { name: 'CRL: a part behind its end, 416', section: 'RFC 9110 §15.5.17', run: fetchBehind },
];

async function fetchParts(session: Session): Promise<void> {
  const resource = await crlResource(session);
  const whole = await fetchWhole(session, resource);
  const first = await callCurl(session, resource.url, { options: ['--range', '0-99'] });
  const second = await callCurl(session, resource.url, { options: ['--range', '100-'] });
  expectPart(first, whole, 0, 99);
  expectPart(second, whole, 100, whole.body.length - 1);
  assert.equal(digestOf(Buffer.concat([first.body, second.body])), digestOf(whole.body));
}

async function fetchEnd(session: Session): Promise<void> {
  const resource = await crlResource(session);
  const whole = await fetchWhole(session, resource);
  const end = await callCurl(session, resource.url, { options: ['--range', '-20'] });
  expectPart(end, whole, whole.body.length - 20, whole.body.length - 1);
}

async function resume(session: Session): Promise<void> {
  const resource = await crlResource(session);
  const { body } = await fetchWhole(session, resource);
  const file = session.file('broken-off.crl');
  writeFileSync(file, body.subarray(0, 50));
  await output('curl', ['--silent', '--show-error', '--fail', '--continue-at', '-', '--output', file, resource.url]);
  assert.equal(digestOf(readFileSync(file)), digestOf(body));
}

async function ifRange(session: Session): Promise<void> {
  const resource = await crlResource(session);
  const whole = await fetchWhole(session, resource);
  const options = ['--range', '0-9'];
  const same = { options, headers: [`If-Range: ${fieldOf(whole, 'etag')}`] };
  expectPart(await callCurl(session, resource.url, same), whole, 0, 9);
  // A part of this one would not fit to what there is of another one.
  const other = await fetchWhole(session, resource, { options, headers: ['If-Range: "another"'] });
  assert.equal(digestOf(other.body), digestOf(whole.body));
}

async function fetchBehind(session: Session): Promise<void> {
  const resource = await crlResource(session);
  const { body } = await fetchWhole(session, resource);
  const answer = await callCurl(session, resource.url, { options: ['--range', `${body.length}-`] });
  assert.equal(answer.status, 416, describeAnswer(answer));
  assert.equal(answer.headers.get('content-range'), `bytes */${body.length}`);
}

function expectPart(part: HttpAnswer, whole: HttpAnswer, from: number, to: number): void {
  assert.equal(part.status, 206, describeAnswer(part));
  assert.equal(part.headers.get('content-range'), `bytes ${from}-${to}/${whole.body.length}`);
  assert.equal(part.headers.get('etag'), whole.headers.get('etag'));
  assert.equal(digestOf(part.body), digestOf(whole.body.subarray(from, to + 1)));
}
