import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toPostgresText } from '@gatehouse/runtime/database/postgres-text';
import fc from 'fast-check';

describe('the text of a statement for PostgreSQL', () => {
  it('numbers its parameters', () => {
    assert.equal(
      toPostgresText('insert into "a" ("b", "c") values (?, ?) on conflict do nothing').text,
      'insert into "a" ("b", "c") values ($1, $2) on conflict do nothing',
    );
  });

  it('leaves what stands in quotes alone', () => {
    assert.equal(
      toPostgresText(`select 'what?', "why?", 'it''s ?', "a""?" where x = ? and y = '?' and z = ?`).text,
      `select 'what?', "why?", 'it''s ?', "a""?" where x = $1 and y = '?' and z = $2`,
    );
  });

  it('has one name, and another text has another', () => {
    const [one, two] = [toPostgresText('select ?'), toPostgresText('select ?, ?')];
    assert.equal(toPostgresText('select ?'), one);
    assert.notEqual(one.name, two.name);
    // PostgreSQL cuts names off behind 63 octets.
    assert.ok(one.name.length < 63);
  });

  it('has as many parameters as marks outside of quotes, whatever stands between', () => {
    const quoted = fc.tuple(fc.constantFrom("'", '"'), fc.string()).map(([quote, text]) => {
      return quote + text.replaceAll(quote, quote + quote) + quote;
    });
    const plain = fc.string().map((text) => text.replaceAll(/['"?$]/g, ''));
    const parts = fc.array(fc.oneof(quoted, plain, fc.constant('?')));
    fc.assert(
      fc.property(parts, (list) => {
        // A quote that follows another would belong to the text before.
        const text = list.join(' ');
        let count = 0;
        const expected = list.map((part) => (part === '?' ? `$${++count}` : part)).join(' ');
        assert.equal(toPostgresText(text).text, expected);
      }),
      { numRuns: 500 },
    );
  });
});
