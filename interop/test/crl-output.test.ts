import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CrlOutputError, parseCrlText } from '../src/status/crl-output.ts';

const url = 'http://127.0.0.1:6960/crl/issuing-1.crl';
const head = [
  'Certificate Revocation List (CRL):',
  '        Version 2 (0x1)',
  '        Signature Algorithm: ecdsa-with-SHA256',
  '        Issuer: CN = ca',
  '        Last Update: Nov 21 12:49:24 2026 GMT',
  '        Next Update: Nov 22 12:49:24 2026 GMT',
  '        CRL extensions:',
  '            X509v3 Authority Key Identifier: ',
  '                55:07:88:C0',
];
const scope = (only: string, lineEnd = '') => [
  '            X509v3 Issuing Distribution Point: critical',
  '                Full Name:',
  `                  URI:${url}${lineEnd}                ${only}`,
  '',
];
const number = ['            X509v3 CRL Number: ', '                1794999999999'];
const tail = ['    Signature Algorithm: ecdsa-with-SHA256', '    Signature Value:', '        30:45'];
const entries = [
  'Revoked Certificates:',
  '    Serial Number: 1002',
  '        Revocation Date: Nov 21 12:49:24 2026 GMT',
  '        CRL entry extensions:',
  '            X509v3 CRL Reason Code: ',
  '                Key Compromise',
  '            Invalidity Date: ',
  '                Nov 19 12:49:24 2026 GMT',
  '    Serial Number: 0AFF',
  '        Revocation Date: Nov 20 12:49:24 2026 GMT',
];
const parse = (...lines: readonly (readonly string[])[]) => parseCrlText(lines.flat().join('\n'));

describe('what openssl crl -text prints', () => {
  it('is read with its times, number and entries', () => {
    const crl = parse(head, number, entries, tail);
    assert.deepEqual(crl.thisUpdate, new Date('2026-11-21T12:49:24Z'));
    assert.deepEqual(crl.nextUpdate, new Date('2026-11-22T12:49:24Z'));
    assert.equal(crl.number, 1_794_999_999_999n);
    assert(crl.hasAuthorityKeyIdentifier);
    assert.deepEqual([crl.baseNumber, crl.distributionPoint, crl.freshest], [undefined, undefined, undefined]);
    assert.deepEqual(crl.entries, [
      {
        serialNumber: '1002',
        revokedAt: new Date('2026-11-21T12:49:24Z'),
        reason: 'Key Compromise',
        invalidSince: new Date('2026-11-19T12:49:24Z'),
      },
      {
        serialNumber: '0AFF',
        revokedAt: new Date('2026-11-20T12:49:24Z'),
        reason: undefined,
        invalidSince: undefined,
      },
    ]);
  });

  it('has no entries where nothing is revoked', () => {
    assert.deepEqual(parse(head, number, ['No Revoked Certificates.'], tail).entries, []);
  });

  for (const lineEnd of ['', '\n']) {
    it(`names a scope, ${lineEnd === '' ? 'in one line with the URL' : 'in a line of its own'}`, () => {
      const { distributionPoint } = parse(head, scope('Only User Certificates', lineEnd), number);
      assert.deepEqual(distributionPoint, { isCritical: true, url, only: 'users' });
      assert.equal(parse(head, scope('Only CA Certificates', lineEnd), number).distributionPoint?.only, 'authorities');
    });
  }

  it('names the base of a delta, and the delta of a base', () => {
    const base = ['            X509v3 Delta CRL Indicator: critical', '                17'];
    assert.equal(parse(head, base, number).baseNumber, 17n);
    const uncritical = ['            X509v3 Delta CRL Indicator: ', '                17'];
    assert.equal(parse(head, uncritical, number).baseNumber, undefined);
    const freshest = [
      '            X509v3 Freshest CRL: ',
      '                Full Name:',
      `                  URI:${url}`,
    ];
    assert.equal(parse(head, freshest, number).freshest, url);
    assert.equal(parse(head, freshest, number).distributionPoint, undefined);
  });

  it('is refused without a number, of version 1, or without a time', () => {
    for (const lines of [head, [...number], head.toSpliced(4, 1).concat(number)]) {
      assert.throws(() => parseCrlText(lines.join('\n')), CrlOutputError);
    }
  });

  it('is read or refused by CrlOutputError, whatever the text', () => {
    const line = fc.oneof(fc.constantFrom(...head, ...scope('Only'), ...number, ...entries), fc.string());
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          parseCrlText(lines.join('\n'));
        } catch (error) {
          assert(error instanceof CrlOutputError);
        }
      }),
    );
  });
});
