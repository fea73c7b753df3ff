import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FindingError, readFinding } from '../src/checkers/finding.ts';
import { parseStaple } from '../src/stapling/s-client-status.ts';
import { parsePointers } from '../src/status/pointers.ts';

describe('RFC 5280 §4.2.2.1, §4.2.1.13: where a certificate sends for its status', () => {
  it('is read from what openssl x509 -ext prints', () => {
    const lines = [
      'Authority Information Access: ',
      '    OCSP - URI:http://127.0.0.1:6960/ocsp',
      '    CA Issuers - URI:http://127.0.0.1:6960/issuer/abc.crt',
      'X509v3 CRL Distribution Points: ',
      '    Full Name:',
      '      URI:http://127.0.0.1:6960/crl/issuing-1.crl',
      '',
    ];
    assert.deepEqual(parsePointers(lines.join('\n')), {
      ocsp: ['http://127.0.0.1:6960/ocsp'],
      issuers: ['http://127.0.0.1:6960/issuer/abc.crt'],
      crls: ['http://127.0.0.1:6960/crl/issuing-1.crl'],
    });
  });

  it('is nothing where it prints nothing', () => {
    assert.deepEqual(parsePointers('No extensions matched in certificate\n'), { ocsp: [], issuers: [], crls: [] });
  });
});

describe('what a checker finds out', () => {
  const found = {
    status: 'revoked',
    reason: 'superseded',
    revokedAt: '2026-11-21T12:49:24Z',
    thisUpdate: '2026-11-21T13:00:00Z',
  };

  it('is read, and what is null or missing is not there', () => {
    assert.deepEqual(readFinding(JSON.stringify({ ...found, nextUpdate: null })), {
      status: 'revoked',
      reason: 'superseded',
      revokedAt: new Date(found.revokedAt),
      thisUpdate: new Date(found.thisUpdate),
      nextUpdate: undefined,
    });
  });

  for (const [what, text] of [
    ['no JSON', 'good'],
    ['no object', '7'],
    ['another status', JSON.stringify({ ...found, status: 'fine' })],
    ['no thisUpdate', JSON.stringify({ ...found, thisUpdate: undefined })],
    ['a time that is none', JSON.stringify({ ...found, revokedAt: 'today' })],
    ['a reason that is a number', JSON.stringify({ ...found, reason: 4 })],
  ] as const) {
    it(`is refused with ${what}`, () => assert.throws(() => readFinding(text), FindingError));
  }
});

describe('RFC 6066 §8: what openssl s_client -status prints', () => {
  const response = (status: string) =>
    `CONNECTED(00000003)\nOCSP response: \n====\nOCSP Response Data:\n    OCSP Response Status: successful (0x0)\n    Cert Status: ${status}\n`;

  it('has the status that was stapled', () => {
    for (const status of ['good', 'revoked', 'unknown']) assert.equal(parseStaple(response(status))?.status, status);
  });

  it('has none where nothing was stapled, and nothing at all where no server is', () => {
    const nothing = parseStaple('CONNECTED(00000003)\nOCSP response: no response sent\n');
    assert(nothing !== undefined);
    assert.equal(nothing.status, undefined);
    assert.equal(parseStaple('connect:errno=111\n'), undefined);
  });
});
