import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeBase64 } from '../src/base64.ts';
import { decodePem, encodePem, PemError } from '../src/pem.ts';

const refuses = (text: string, detail: RegExp) =>
  assert.throws(
    () => decodePem(text, ['CERTIFICATE']),
    (error) => error instanceof PemError && detail.test(error.detail),
  );

describe('RFC 7468 §2: textual encoding', () => {
  it('reads back what it writes, for all octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (der) => {
        const text = encodePem('CERTIFICATE', der);
        assert.ok(text.split('\n').every((line) => line.length <= 64));
        assert.deepEqual(
          decodePem(text, ['CERTIFICATE']).map((block) => [block.label, Buffer.from(block.der)]),
          [['CERTIFICATE', Buffer.from(der)]],
        );
      }),
    );
  });
  it('reads several blocks, with explanatory text and any line ends between them', () => {
    const text = `Subject: x\r\n${encodePem('CERTIFICATE', Buffer.from('a')).replaceAll('\n', '\r\n')}\nmore\n${encodePem('X509 CRL', Buffer.from('b'))}`;
    assert.deepEqual(
      decodePem(text, ['CERTIFICATE', 'X509 CRL']).map(({ label }) => label),
      ['CERTIFICATE', 'X509 CRL'],
    );
  });
  it('refuses a label that was not asked for, naming it', () => {
    refuses(encodePem('PRIVATE KEY', Buffer.from('a')), /'PRIVATE KEY' where 'CERTIFICATE'/);
    refuses(encodePem('CERTIFICATE', Buffer.from('a')) + encodePem('PRIVATE KEY', Buffer.from('a')), /PRIVATE KEY/);
  });
  it('refuses text without a block, blocks without an end, and bodies that are not base64', () => {
    refuses('', /no '-----BEGIN CERTIFICATE-----'/);
    refuses('-----BEGIN CERTIFICATE-----\nYQ==\n', /END CERTIFICATE.* is missing/);
    refuses('-----BEGIN CERTIFICATE', /cut off/);
    refuses('-----BEGIN CERTIFICATE-----\nY*==\n-----END CERTIFICATE-----', /not base64/);
    refuses('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', /not base64/);
    refuses(`-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nYQ==\n-----END CERTIFICATE-----`, /not base64/);
  });
  it('throws nothing but PemError for foreign text', { timeout: 20_000 }, () => {
    const piece = fc.constantFrom('-----BEGIN ', 'CERTIFICATE', '-----', '-----END ', '\n', 'YQ==', ' ', 'x', '-', 'ä');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          decodePem(pieces.join(''), ['CERTIFICATE']);
        } catch (error) {
          assert.ok(error instanceof PemError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
    refuses('-----BEGIN '.repeat(100_000), /cut off/);
  });
});

describe('RFC 4648: base64', () => {
  const decode = (text: string) => decodeBase64(Buffer.from(text, 'latin1'));
  it('agrees with Buffer on everything Buffer writes, with white space anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.integer({ min: 1, max: 20 }), (octets, width) => {
        const text = Buffer.from(octets).toString('base64');
        const broken = text.replace(new RegExp(`.{${width}}`, 'g'), '$& \r\n\t');
        assert.deepEqual(decode(broken), Buffer.from(octets));
      }),
    );
  });
  it('refuses other characters, missing or misplaced padding, and bits under the padding', () => {
    for (const text of [
      '',
      ' ',
      'A',
      'AA',
      'AAA',
      'AA=',
      'A===',
      '=',
      '====',
      'AAAA=',
      'AAAA==',
      'AA==AA==',
      'AA=A',
      'AB==',
      'AAB=',
      'AA-_',
      'AA*A',
      'AAAA\0',
      'AAAAä',
    ]) {
      assert.equal(decode(text), undefined, text);
    }
  });
});
