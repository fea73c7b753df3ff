import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeOcspPath } from '../src/ocsp-path.ts';

const octets = fc.uint8Array({ minLength: 1, maxLength: 600 }).map((bytes) => Buffer.from(bytes));

/** Ways in which clients and proxies write base64 into a path. */
const spellings: readonly (readonly [string, (base64: string) => string])[] = [
  ['as it is', (text) => text],
  ['as encodeURIComponent does', encodeURIComponent],
  ['with everything escaped', (text) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
  ['in capitals', (text) => text.replace(/[+/=]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)],
  ['with only the padding escaped', (text) => text.replaceAll('=', '%3D')],
  ['without padding', (text) => text.replaceAll('=', '')],
  ['with spaces for +', (text) => text.replaceAll('+', '%20')],
  ['in lines', (text) => text.replace(/.{64}/g, '$&%0A')],
];

describe('RFC 6960 appendix A.1: base64 in a path', () => {
  for (const [how, spell] of spellings) {
    it(`reads it ${how}`, () => {
      fc.assert(
        fc.property(octets, (bytes) => {
          assert.deepEqual(decodeOcspPath(spell(bytes.toString('base64'))), bytes);
        }),
      );
    });
  }

  for (const text of [
    '',
    '%',
    '%2',
    '%zz',
    '%ff%fe',
    'MEI-',
    'MEI_',
    'M.EI',
    'M=EI',
    'MEI=M',
    'MEIAM',
    '%4',
    'MEI%',
    'MEI%3',
    'ME%00I',
    '====',
    'MEI===',
    'MEÄ',
    'A'.repeat(9000),
  ]) {
    it(`refuses '${text.slice(0, 20)}'`, () => {
      assert.equal(decodeOcspPath(text), undefined);
    });
  }

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webPath()), (text) => {
        decodeOcspPath(text);
      }),
    );
  });
});
