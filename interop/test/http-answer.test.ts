import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HttpAnswerError, readAnswers, readHeadAnswer, readLastAnswer } from '../src/http-answer.ts';

const octets = (...lines: readonly string[]) => Buffer.from(lines.join('\r\n'), 'latin1');

describe('RFC 9112: answers as they stood on the wire', () => {
  it('are read with status, fields in lower case, and the body that Content-Length says', () => {
    const answer = readLastAnswer(
      octets('HTTP/1.1 200 OK', 'Content-Type:  text/plain ', 'Content-Length: 2', '', 'ab'),
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain');
    assert.equal(answer.body.toString(), 'ab');
    assert.equal(answer.headerOctets, 66);
  });

  it('stand one after the other, and interim ones do not count', () => {
    const continued = ['HTTP/1.1 100 Continue', '', ''];
    const first = ['HTTP/1.1 401 Unauthorized', 'Content-Length: 0', '', ''];
    const second = ['HTTP/1.0 204 No Content', '', ''];
    const answers = readAnswers(Buffer.concat([continued, first, second].map((lines) => octets(...lines))));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [401, 204],
    );
  });

  it('join fields of one name', () => {
    const { headers } = readLastAnswer(octets('HTTP/1.1 204 No Content', 'A: 1', 'a: 2', '', ''));
    assert.equal(headers.get('a'), '1, 2');
  });

  it('have their chunks put together', () => {
    const { body } = readLastAnswer(
      octets('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '3', 'abc', '2', 'de', '0', '', ''),
    );
    assert.equal(body.toString(), 'abcde');
  });

  for (const [what, lines] of [
    ['no header end', ['HTTP/1.1 200 OK', 'A: 1']],
    ['another protocol', ['HTTP/2 200', '', '']],
    ['a field without a colon', ['HTTP/1.1 200 OK', 'nonsense', '', '']],
    ['a body that is shorter than it says', ['HTTP/1.1 200 OK', 'Content-Length: 3', '', 'ab']],
    ['a length that is none', ['HTTP/1.1 200 OK', 'Content-Length: x', '', 'ab']],
    ['a chunk that is not whole', ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '5', 'abc']],
  ] as const) {
    it(`are refused with ${what}`, () => assert.throws(() => readLastAnswer(octets(...lines)), HttpAnswerError));
  }

  it('have no body when the request was HEAD, RFC 9110 §9.3.2', () => {
    const header = ['HTTP/1.1 200 OK', 'Content-Length: 2', '', ''];
    const { headers, body } = readHeadAnswer(octets(...header));
    assert.deepEqual([headers.get('content-length'), body.length], ['2', 0]);
    assert.throws(() => readHeadAnswer(octets(...header, 'ab')), HttpAnswerError);
  });

  it('are refused when there is none', () => assert.throws(() => readLastAnswer(Buffer.alloc(0)), HttpAnswerError));

  it('are read or refused by HttpAnswerError, whatever the octets', () => {
    const parts = [
      'HTTP/1.1 200 OK\r\n',
      'Content-Length: 1\r\n',
      'Transfer-Encoding: chunked\r\n',
      '\r\n',
      '1\r\n',
      'x',
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 4 })), { maxLength: 12 });
    fc.assert(
      fc.property(text, (pieces) => {
        try {
          readAnswers(Buffer.from(pieces.join(''), 'latin1'));
        } catch (error) {
          assert(error instanceof HttpAnswerError);
        }
      }),
    );
  });
});
