// What every refusal of HTTP must be: the status that it should, one short line of plain text, and no word of what is
// inside.

import assert from 'node:assert/strict';
import { describeAnswer } from './curl/request.ts';
import type { HttpAnswer } from './http-answer.ts';

/** Longest line that a refusal may be. */
const longestLine = 400;

/** @throws when it is not; `header` is a field that must be there, in this form */
export function expectPlainRefusal(
  answer: HttpAnswer,
  status: number,
  header?: readonly [name: string, form: RegExp],
): void {
  assert.equal(answer.status, status, describeAnswer(answer));
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain\b/);
  assert.equal(answer.headers.get('content-length'), String(answer.body.length));
  const text = answer.body.toString('utf8');
  assert.match(text, /^[^\r\n]+\n?$/, `'${text}' must be one line`);
  assert(text.length <= longestLine, `'${text}' must be short`);
  // Neither a stack trace, nor a file, nor the name of an error class.
  assert.doesNotMatch(text, /\bat \S+:\d+|\.ts\b|node:|\b[A-Z]\w*Error\b|undefined|\[object/);
  if (header === undefined) return;
  const [name, form] = header;
  assert.match(answer.headers.get(name) ?? '', form, `the field ${name} must be there`);
}
