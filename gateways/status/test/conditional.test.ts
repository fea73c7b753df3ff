import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRangeCurrent, judgePreconditions, type Validators } from '../src/conditional.ts';
import { formatHttpDate } from '../src/http-date.ts';

const now = Date.UTC(2026, 5, 2);
const lastModified = Date.UTC(2026, 5, 1, 12) + 400;
const validators: Validators = { etag: '"abc"', lastModified, isDateCertain: true };
const [before, same, after] = [lastModified - 1_000, lastModified, lastModified + 1_000].map(formatHttpDate) as [
  string,
  string,
  string,
];
const judge = (headers: Readonly<Record<string, string>>, of = validators) => judgePreconditions(headers, of, now);

describe('RFC 9110 §13: conditional requests', () => {
  it('has no condition without a field', () => {
    assert.equal(judge({}), 'proceed');
  });

  for (const [field, verdict] of [
    ['"abc"', 'not-modified'],
    ['W/"abc"', 'not-modified'],
    ['"x", "abc"', 'not-modified'],
    ['"x,y" , W/"abc"', 'not-modified'],
    ['*', 'not-modified'],
    ['"abd"', 'proceed'],
    ['abc', 'proceed'],
    ['"x"abc"', 'proceed'],
    ['', 'proceed'],
  ] as const) {
    it(`§13.1.2: If-None-Match: ${field} → ${verdict}`, () => {
      assert.equal(judge({ 'if-none-match': field }), verdict);
    });
  }

  it('§13.1.3: If-Modified-Since counts by the second', () => {
    assert.equal(judge({ 'if-modified-since': before }), 'proceed');
    assert.equal(judge({ 'if-modified-since': same }), 'not-modified');
    assert.equal(judge({ 'if-modified-since': after }), 'not-modified');
    assert.equal(judge({ 'if-modified-since': 'yesterday' }), 'proceed');
  });

  it('§8.8.2.2: a date that does not tell two representations apart proves nothing', () => {
    assert.equal(judge({ 'if-modified-since': same }, { ...validators, isDateCertain: false }), 'proceed');
  });

  it('§13.2.2: If-None-Match stands before If-Modified-Since', () => {
    assert.equal(judge({ 'if-none-match': '"x"', 'if-modified-since': after }), 'proceed');
    assert.equal(judge({ 'if-none-match': '"abc"', 'if-modified-since': before }), 'not-modified');
  });

  it('§13.1.1, §13.1.4: If-Match is compared strongly, and stands before If-Unmodified-Since', () => {
    assert.equal(judge({ 'if-match': '"abc"' }), 'proceed');
    assert.equal(judge({ 'if-match': '*' }), 'proceed');
    assert.equal(judge({ 'if-match': 'W/"abc"' }), 'failed');
    assert.equal(judge({ 'if-match': '"abd"' }), 'failed');
    assert.equal(judge({ 'if-unmodified-since': same }), 'proceed');
    assert.equal(judge({ 'if-unmodified-since': before }), 'failed');
    assert.equal(judge({ 'if-match': '"abc"', 'if-unmodified-since': before }), 'proceed');
    assert.equal(judge({ 'if-match': '"abd"', 'if-none-match': '"abc"' }), 'failed');
  });

  it('§13.1.5: If-Range takes the entity-tag, or exactly the date', () => {
    assert.equal(isRangeCurrent(undefined, validators, now), true);
    assert.equal(isRangeCurrent('"abc"', validators, now), true);
    assert.equal(isRangeCurrent('"abd"', validators, now), false);
    assert.equal(isRangeCurrent('W/"abc"', validators, now), false);
    assert.equal(isRangeCurrent(same, validators, now), true);
    assert.equal(isRangeCurrent(after, validators, now), false);
    assert.equal(isRangeCurrent(same, { ...validators, isDateCertain: false }, now), false);
  });

  it('finds its tag among any others, and never throws', () => {
    const tag = fc.stringMatching(/^(?:W\/)?"[!#-~]{0,12}"$/).filter((text) => !text.endsWith('"abc"'));
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 20 }), fc.array(tag, { maxLength: 20 }), (head, tail) => {
        assert.equal(judge({ 'if-none-match': [...head, '"abc"', ...tail].join(', ') }), 'not-modified');
        assert.equal(judge({ 'if-none-match': [...head, ...tail].join(', ') }), 'proceed');
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'])
          judge({ [name]: text });
        isRangeCurrent(text, validators, now);
      }),
    );
  });
});
