// Conditional requests, RFC 9110 §13, as mirrors and proxies send them: what has not changed is not sent again.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { revoke } from '../status/operator.ts';
import { enrollSubject } from '../status/subject.ts';
import { callCurl, describeAnswer } from './request.ts';
import {
  crlResource,
  digestOf,
  expectCachingFields,
  expectNotModified,
  fetchWhole,
  fieldOf,
  newOcspResource,
  ocspResource,
  type Resource,
} from './status-answers.ts';

type MakeResource = (session: Session) => Promise<Resource>;

const kinds: readonly (readonly [name: string, make: MakeResource])[] = [
  ['OCSP by GET', newOcspResource],
  ['CRL', crlResource],
];

/** The operations. */
export const caching: readonly Operation[] = [
  ...kinds.flatMap(([kind, make]) => [
    operation(`${kind}: fields for caches end with nextUpdate`, 'RFC 5019 §6.2', make, expectFields),
    operation(`${kind}: If-None-Match, 304`, 'RFC 9110 §13.1.2', make, ifNoneMatch),
    operation(`${kind}: If-Modified-Since, 304`, 'RFC 9110 §13.1.3', make, ifModifiedSince),
    operation(`${kind}: --etag-save and --etag-compare`, 'RFC 9110 §13.1.2', make, compareSavedTag),
    operation(`${kind}: HEAD`, 'RFC 9110 §9.3.2', make, head),
    operation(`${kind}: twice on one connection`, 'RFC 9112 §9.3', make, fetchTwice),
    operation(`${kind}: HTTP/1.0`, 'RFC 9110 §2.5', make, fetchOld),
    operation(`${kind}: no way leads to TLS`, 'RFC 5280 §8', make, stayPlain),
  ]),
  { name: 'OCSP by GET: a tag ends with the status that it was for', section: 'RFC 9110 §8.8.3', run: tagChanges },
];

function operation(
  name: string,
  section: string,
  make: MakeResource,
  run: (session: Session, resource: Resource) => Promise<void>,
): Operation {
  return { name, section, run: async (session) => await run(session, await make(session)) };
}

async function expectFields(session: Session, resource: Resource): Promise<void> {
  await expectCachingFields(await fetchWhole(session, resource), resource);
}

async function ifNoneMatch(session: Session, resource: Resource): Promise<void> {
  const whole = await fetchWhole(session, resource);
  const tag = fieldOf(whole, 'etag');
  for (const value of [tag, `"another", ${tag}`, `W/${tag}`, '*']) {
    expectNotModified(await callCurl(session, resource.url, { headers: [`If-None-Match: ${value}`] }), whole);
  }
  // RFC 9110 §13.2.2: a tag is more exact than a time.
  const headers = ['If-None-Match: "another"', `If-Modified-Since: ${fieldOf(whole, 'last-modified')}`];
  const again = await fetchWhole(session, resource, { headers });
  assert.equal(digestOf(again.body), digestOf(whole.body));
}

async function ifModifiedSince(session: Session, resource: Resource): Promise<void> {
  const whole = await fetchWhole(session, resource);
  const modified = fieldOf(whole, 'last-modified');
  expectNotModified(await callCurl(session, resource.url, { headers: [`If-Modified-Since: ${modified}`] }), whole);
  for (const time of ['Thu, 01 Jan 2015 00:00:00 GMT', 'no time at all']) {
    await fetchWhole(session, resource, { headers: [`If-Modified-Since: ${time}`] });
  }
}

async function compareSavedTag(session: Session, { url }: Resource): Promise<void> {
  const tagFile = session.file('tag');
  const fetch = (...options: readonly string[]) =>
    output('curl', [
      '--silent',
      '--show-error',
      '--write-out',
      '%{http_code}',
      '--output',
      '/dev/null',
      ...options,
      url,
    ]);
  assert.equal((await fetch('--etag-save', tagFile)).toString(), '200');
  assert.notEqual(readFileSync(tagFile, 'latin1').trim(), '');
  assert.equal((await fetch('--etag-compare', tagFile)).toString(), '304');
}

async function head(session: Session, resource: Resource): Promise<void> {
  const whole = await fetchWhole(session, resource);
  const { headers } = await fetchWhole(session, resource, { method: 'HEAD' });
  for (const name of ['content-length', 'etag', 'expires', 'last-modified']) {
    assert.equal(headers.get(name), whole.headers.get(name), name);
  }
}

async function fetchTwice(session: Session, { url }: Resource): Promise<void> {
  const files = [session.file('first'), session.file('second')] as const;
  const each = (file: string) => ['--silent', '--write-out', '%{http_code} %{num_connects}\\n', '--output', file, url];
  const counts = await output('curl', [...each(files[0]), '--next', ...each(files[1])]);
  assert.equal(counts.toString('latin1'), '200 1\n200 0\n');
  const [first, second] = files.map((file) => digestOf(readFileSync(file)));
  assert.equal(first, second);
}

async function fetchOld(session: Session, resource: Resource): Promise<void> {
  const whole = await fetchWhole(session, resource, { options: ['--http1.0'] });
  assert.equal(whole.headers.get('transfer-encoding'), undefined);
  await expectCachingFields(whole, resource);
}

async function stayPlain(session: Session, resource: Resource): Promise<void> {
  // What a browser says that would rather use TLS.
  const headers = ['Upgrade-Insecure-Requests: 1', 'X-Forwarded-Proto: https'];
  await fetchWhole(session, resource, { headers, options: ['--location', '--proto-redir', '=https'] });
}

async function tagChanges(session: Session): Promise<void> {
  const subject = await enrollSubject(session, 'changing');
  const resource = await ocspResource(session, subject);
  const before = await fetchWhole(session, resource);
  await revoke(session, subject.serialNumber, 'superseded');
  await untilStatus(session, subject, 'revoked');
  const after = await callCurl(session, resource.url, { headers: [`If-None-Match: ${fieldOf(before, 'etag')}`] });
  assert.equal(after.status, 200, describeAnswer(after));
  assert.notEqual(fieldOf(after, 'etag'), fieldOf(before, 'etag'));
  await expectCachingFields(after, resource);
}
