// Conditions of `revoke --where`: what is not understood is refused, because a condition less would revoke more.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { BulkRevocationQuery } from '@gatehouse/proto/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import fc from 'fast-check';
import { startProgress } from '../src/progress.ts';
import { confirm } from '../src/prompt.ts';
import { formatWhere, parseWhere } from '../src/where.ts';

const fingerprint = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

describe('conditions of revoke --where', () => {
  test('are read one by one or separated by commas', () => {
    const expected = BulkRevocationQuery.create({ profile: 'tls-server', registrationAuthority: 'est' });
    assert.deepEqual(parseWhere(['profile=tls-server,ra=est']), expected);
    assert.deepEqual(parseWhere(['profile=tls-server', ' ra = est ']), expected);
  });

  test('each has its place in the query', () => {
    const query = parseWhere([
      `requester=demo,authority=issuing,issued-after=2030-01-31,issued-before=2030-02-01T12:00:00Z`,
      `key-fingerprint=${fingerprint.match(/../g)?.join(':').toUpperCase()}`,
    ]);
    assert.deepEqual(
      query,
      BulkRevocationQuery.create({
        requesterId: 'demo',
        authority: 'issuing',
        issuedAfter: new Date('2030-01-31T00:00:00Z'),
        issuedBefore: new Date('2030-02-01T12:00:00Z'),
        keyFingerprint: Buffer.from(fingerprint, 'hex'),
      }),
    );
  });

  test('the id of a requester may hold commas and equals signs', () => {
    const { requesterId, profile } = parseWhere(['requester=CN=a,O=b,profile=tls-client']);
    assert.deepEqual([requesterId, profile], ['CN=a,O=b', 'tls-client']);
  });

  test('a time may be a duration back from now', () => {
    const { issuedAfter } = parseWhere(['issued-after=2d']);
    const expected = Date.now() - 2 * 86_400_000;
    assert.ok(Math.abs((issuedAfter?.getTime() ?? 0) - expected) < 60_000);
  });

  for (const text of [
    'profile',
    'profile=',
    '=x',
    'Profile=x',
    'serial=01',
    'profile=a,profile=b',
    'profile=a,serial=01',
    'ra=est,',
    'key-fingerprint=abcd',
    'issued-after=yesterday',
    '',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseWhere([text]), FatalError);
    });
  }

  test('are printed in the form in which they are given', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
    const seconds = time.map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000));
    const queries = fc.record(
      {
        profile: name,
        registrationAuthority: fc.option(name, { nil: '' }),
        requesterId: fc.option(name, { nil: '' }),
        authority: fc.option(name, { nil: '' }),
        issuedAfter: fc.option(seconds, { nil: undefined }),
        issuedBefore: fc.option(seconds, { nil: undefined }),
        keyFingerprint: fc.constantFrom(Buffer.alloc(0), Buffer.from(fingerprint, 'hex')),
      },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(queries, (query) => assert.deepEqual(parseWhere([formatWhere(query)]), query)));
  });

  test('any text is understood or refused in words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseWhere([text]);
        } catch (error) {
          assert.ok(error instanceof FatalError, String(error));
        }
      }),
    );
  });
});

describe('a question', () => {
  for (const [typed, isYes] of [
    ['y\n', true],
    ['Yes\n', true],
    ['n\n', false],
    ['\n', false],
    ['yesterday\n', false],
    ['', false],
  ] as const) {
    test(`${JSON.stringify(typed)} is ${isYes ? 'a yes' : 'no yes'}`, async () => {
      const [input, output] = [new PassThrough(), new PassThrough()];
      input.end(typed);
      assert.equal(await confirm('Sure? ', { input, output }), isYes);
      assert.match(String(output.read()), /^Sure\? /);
    });
  }
});

describe('progress', () => {
  test('is one line on a terminal, and nothing elsewhere', () => {
    const written: string[] = [];
    const stream = (isTTY: boolean) => ({ isTTY, write: (text: string) => written.push(text) > 0 });
    const silent = startProgress(stream(false));
    silent.show('1 of 2');
    silent.end();
    assert.deepEqual(written, []);
    const progress = startProgress(stream(true));
    progress.show('1 of 2');
    progress.end();
    assert.equal(written.join(''), '\r\u001b[2K1 of 2\r\u001b[2K');
  });
});
