import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MalformedRequestError, readCaaRequest, readDomainControlRequest } from '../src/request.ts';
import { caaRequest, controlRequest, thumbprint, token } from './support/looking.ts';

type Overrides = Parameters<typeof controlRequest>[0];

function refuses(overrides: Overrides, detail: RegExp): void {
  const check = (cause: unknown) => cause instanceof MalformedRequestError && detail.test(cause.detail);
  assert.throws(() => readDomainControlRequest(controlRequest(overrides)), check, JSON.stringify(overrides));
}

const dns = (value: string, isWildcard = false) => ({ identifier: { type: 'dns', value, isWildcard } });
const ip = (value: string, isWildcard = false) => ({ identifier: { type: 'ip', value, isWildcard } });
const attempt = (overrides: object) => ({
  attempt: { id: 'A'.repeat(22), order: 'o', authorization: 'a', perspectives: [], ...overrides },
});

describe('mpic.md §2.1: a request to validate control', () => {
  it('is read', () => {
    assert.equal(readDomainControlRequest(controlRequest()).method, 'http-01');
    const persist = {
      ...controlRequest({ method: 'dns-persist-01', token: '', thumbprints: [thumbprint, 'B'.repeat(43)] }),
    };
    const question = readDomainControlRequest(persist);
    assert.equal(question.method === 'dns-persist-01' && question.variant, 'draft-02');
    assert.equal(readDomainControlRequest(controlRequest(attempt({ order: '' }))).attempt.order, '');
  });

  it('is for a name in lower-case A-labels', () => {
    for (const value of [
      'a',
      'localhost',
      'xn--bcher-kva.test',
      `${'a'.repeat(63)}.test`,
      '1.in-addr.arpa',
      'a--b.test',
    ]) {
      assert.equal(readDomainControlRequest(controlRequest(dns(value))).identifier.value, value);
    }
    const long = `${'a'.repeat(60)}.`.repeat(4) + 'a'.repeat(10);
    for (const value of [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      'A.test',
      'b\u00fccher.test',
      'a_b.test',
      '*.a.test',
      '-a.test',
      'a-.test',
    ]) {
      refuses(dns(value), /^identifier/);
    }
    for (const value of [
      `${'a'.repeat(64)}.test`,
      long,
      '127.0.0.1',
      '2130706433',
      'a.0x7f',
      'a\\.test',
      'a.test\n',
      'a b',
    ]) {
      refuses(dns(value), /^identifier/);
    }
  });

  it('RFC 8738 §3: or for an address in the form of RFC 5952', () => {
    for (const value of ['192.0.2.1', '2001:db8::1', '::1']) {
      assert.equal(readDomainControlRequest(controlRequest(ip(value))).identifier.type, 'ip');
    }
    for (const value of [
      '010.0.0.1',
      '1.2.3',
      '2001:DB8::1',
      '2001:db8:0::1',
      '::ffff:1.2.3.4',
      '::ffff:102:304',
      'fe80::1%lo',
      '[::1]',
      'a.test',
    ]) {
      refuses(ip(value), /RFC 5952/);
    }
    refuses({ identifier: { type: 'email', value: 'a@a.test', isWildcard: false } }, /must be dns or ip/);
    refuses({ identifier: undefined }, /is missing/);
  });

  it('speaks for a wildcard by dns methods only, and for an address never by them', () => {
    assert.equal(
      readDomainControlRequest(controlRequest({ ...dns('a.test', true), method: 'dns-01' })).isWildcard,
      true,
    );
    for (const method of ['http-01', 'tls-alpn-01']) refuses({ ...dns('a.test', true), method }, /wildcard/);
    for (const method of ['dns-01', 'dns-account-01']) refuses({ ...ip('192.0.2.1'), method }, /RFC 8738/);
    refuses({ ...ip('192.0.2.1'), method: 'dns-persist-01', token: '' }, /RFC 8738/);
    refuses(ip('192.0.2.1', true), /wildcard/);
    for (const method of ['', 'http-02', 'HTTP-01', 'tls-sni-01']) refuses({ method }, /^method/);
  });

  it('has a token of 22 to 128 characters of base64url, but for dns-persist-01', () => {
    for (const bad of ['', 'A'.repeat(21), 'A'.repeat(129), `${token}=`, `${token}/`, `../${token}`, `${token}\n`]) {
      refuses({ token: bad }, /^token/);
    }
    refuses({ method: 'dns-persist-01' }, /has none/);
  });

  it('has one thumbprint, or for dns-persist-01 up to 32', () => {
    for (const bad of ['', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}=`])
      refuses({ thumbprints: [bad] }, /^thumbprint/);
    refuses({ thumbprints: [] }, /^thumbprints/);
    refuses({ thumbprints: [thumbprint, thumbprint] }, /takes one/);
    refuses(
      { method: 'dns-persist-01', token: '', thumbprints: Array.from({ length: 33 }, () => thumbprint) },
      /1 to 32/,
    );
  });

  it('has an absolute https account URI, and a variant only where there are two', () => {
    for (const bad of [
      '',
      '/acct/1',
      'http://ca.example/1',
      'https://',
      'https://ca.example/\u00e4',
      'https://ca example/',
      `https://ca.example/${'a'.repeat(512)}`,
    ]) {
      refuses({ accountUri: bad }, /^accountUri/);
    }
    refuses({ variant: 'draft-02' }, /has none/);
    refuses({ method: 'dns-persist-01', token: '', variant: 'draft-03' }, /^variant/);
  });

  it('belongs to an attempt with an unguessable id and sorted perspectives', () => {
    refuses({ attempt: undefined }, /^attempt/);
    refuses(attempt({ id: 'short' }), /^attempt/);
    refuses(attempt({ order: 'a b' }), /^attempt/);
    refuses(attempt({ authorization: 'a'.repeat(129) }), /^attempt/);
    refuses(attempt({ perspectives: ['b', 'a'] }), /sorted/);
    refuses(attempt({ perspectives: ['a', 'a'] }), /sorted/);
    refuses(attempt({ perspectives: [''] }), /^attempt/);
    refuses(attempt({ perspectives: Array.from({ length: 17 }, (_, i) => `p${i + 10}`) }), /at most 16/);
  });
});

describe('mpic.md §2: a request for permission', () => {
  it('is read, with the same rules, and never for an address', () => {
    assert.equal(readCaaRequest(caaRequest()).thumbprint, thumbprint);
    assert.throws(() => readCaaRequest(caaRequest({ ...ip('192.0.2.1') })), /no CAA records/);
    assert.throws(() => readCaaRequest(caaRequest({ thumbprint: '' })), MalformedRequestError);
    assert.throws(() => readCaaRequest(caaRequest({ ...dns('a.test', true) })), /wildcard/);
  });
});
