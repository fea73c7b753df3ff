import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parameterValues, readIssueValue } from '../src/issue-value.ts';

describe('RFC 8659 §4.2: an issue-value', () => {
  it('names an issuer, and has parameters in their order', () => {
    assert.deepEqual(readIssueValue('ca1.example.net'), { issuer: 'ca1.example.net', parameters: [] });
    assert.deepEqual(readIssueValue(' \tCA.Example \t;  Policy = EV ;a=1'), {
      issuer: 'ca.example',
      parameters: [
        { tag: 'policy', value: 'EV' },
        { tag: 'a', value: '1' },
      ],
    });
    assert.deepEqual(readIssueValue('ca.example; a='), { issuer: 'ca.example', parameters: [{ tag: 'a', value: '' }] });
  });

  it('may name nobody', () => {
    for (const text of ['', ' ', ';', ' ; '])
      assert.deepEqual(readIssueValue(text), { issuer: '', parameters: [] }, text);
    assert.equal(readIssueValue('; a=b')?.issuer, '');
  });

  it('has values up to the next semicolon, equals signs included', () => {
    const value = readIssueValue('ca.example; accounturi=https://ca.example/acct?id=1');
    assert.deepEqual(value === undefined ? [] : parameterValues(value, 'accounturi'), ['https://ca.example/acct?id=1']);
  });

  it('is none when it does not follow the grammar', () => {
    for (const text of [
      'ca.example.',
      '.ca.example',
      'ca..example',
      '-ca.example',
      'ca-.example',
      'ca_1.example',
      'ca.example other',
      'ca.example; a',
      'ca.example; =b',
      'ca.example; a=b;',
      'ca.example; a=b; ;c=d',
      'ca.example; a b=c',
      'ca.example; a=b c',
      'ca.example; -a=b',
      'ca.example\n',
      'ca.example; a=\u00e4',
      '%%%%%',
    ]) {
      assert.equal(readIssueValue(text), undefined, text);
    }
  });

  it('is read or refused, whatever it is, in time that its length bounds', () => {
    const pieces = fc.array(
      fc.constantFrom(';', '=', ' ', '\t', '-', '.', 'a', 'ca.example', 'accounturi', '\u0000', '\u00ff'),
    );
    const text = fc.oneof(
      fc.string(),
      pieces.map((list) => list.join('')),
    );
    fc.assert(
      fc.property(text, (one) => {
        const value = readIssueValue(one);
        if (value === undefined) return;
        assert.match(value.issuer, /^[a-z0-9.-]*$/);
        for (const { tag, value: found } of value.parameters) assert.match(`${tag}=${found}`, /^[a-z0-9-]+=[!-:<-~]*$/);
      }),
      { numRuns: 3000 },
    );
    const started = performance.now();
    for (const unit of ['a', '-', 'a-', '; a=b', ' ', '.', 'a.']) readIssueValue(unit.repeat(30_000));
    readIssueValue(`ca.example;${' '.repeat(60_000)}x`);
    assert.ok(performance.now() - started < 1000);
  });
});
