// Reading and judging identifiers: canonical forms, and each kind of bad input with its own subproblem.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHostName } from '@gatehouse/pkix/general-name-syntax';
import { parseIpAddress } from '@gatehouse/pkix/ip-address';
import fc from 'fast-check';
import { authorizedIdentifier, type IdentifierRules, readIdentifiers, readOneIdentifier } from '../src/identifier.ts';

const publicRules: IdentifierRules = {
  allowsDns: true,
  allowsIp: true,
  allowsWildcards: true,
  allowsInternalNames: false,
  refusesReverseNames: true,
};
const privateRules: IdentifierRules = { ...publicRules, allowsInternalNames: true, refusesReverseNames: false };

function dns(value: string, rules: IdentifierRules = publicRules) {
  return readOneIdentifier({ type: 'dns', value }, rules);
}

function ip(value: string, rules: IdentifierRules = publicRules) {
  return readOneIdentifier({ type: 'ip', value }, rules);
}

function typeOf(read: ReturnType<typeof readOneIdentifier>): string | undefined {
  return read !== undefined && 'detail' in read ? read.type : undefined;
}

describe('RFC 8555 §7.1.4: DNS identifiers', () => {
  it('are lower-cased and not changed otherwise', () => {
    assert.deepEqual(dns('WWW.Example.COM'), { type: 'dns', value: 'www.example.com' });
    assert.deepEqual(dns('XN--MNCHEN-3YA.de'), { type: 'dns', value: 'xn--mnchen-3ya.de' });
    assert.deepEqual(dns('*.Example.com'), { type: 'dns', value: '*.example.com' });
  });

  const notNames = [
    '',
    'münchen.de',
    'a_b.example.com',
    'a b.example.com',
    '\u212a.example.com',
    'a\0.example.com',
    'a/b.c',
  ];
  for (const value of notNames) {
    it(`refuses ${JSON.stringify(value)}, which is no name, as malformed`, () => {
      assert.equal(typeOf(dns(value)), 'malformed');
    });
  }

  const refused = [
    'a..example.com',
    '.example.com',
    'example.com.',
    '-a.example.com',
    'a-.example.com',
    `${'a'.repeat(64)}.example.com`,
    `${'abcdefg.'.repeat(32)}com`,
    '*.*.example.com',
    'a.*.example.com',
    '*',
    '*.',
    'a*.example.com',
    '10.0.0.1',
    '::1',
    '10.0.0.01',
    '10.0.0.1:80',
    '1.2.0x3',
    'xn--a.example.com',
  ];
  for (const value of refused) {
    it(`rejects '${value.slice(0, 40)}'`, () => {
      assert.equal(typeOf(dns(value)), 'rejectedIdentifier');
      assert.equal(typeOf(dns(value, privateRules)), 'rejectedIdentifier');
    });
  }

  it('may be of one label or below no public suffix only where the profile allows it', () => {
    for (const value of ['localhost', 'a.test', 'printer.corp', 'com']) {
      assert.equal(typeOf(dns(value)), 'rejectedIdentifier', value);
      assert.deepEqual(dns(value, privateRules), { type: 'dns', value });
    }
  });

  it('never are a wildcard directly below a public suffix of ICANN’s (BR §3.2.2.6)', () => {
    for (const value of ['*.com', '*.co.uk']) {
      assert.equal(typeOf(dns(value)), 'rejectedIdentifier');
      assert.equal(typeOf(dns(value, privateRules)), 'rejectedIdentifier');
    }
    // A private suffix belongs to somebody who can have it validated.
    assert.deepEqual(dns('*.github.io'), { type: 'dns', value: '*.github.io' });
  });

  it('are refused below the reverse zones where the profile follows the BR', () => {
    for (const value of ['1.0.0.127.in-addr.arpa', 'b.a.ip6.arpa']) {
      assert.equal(typeOf(dns(value)), 'rejectedIdentifier');
      assert.deepEqual(dns(value, privateRules), { type: 'dns', value });
    }
  });

  it('may be wildcards only where the profile allows it', () => {
    assert.equal(typeOf(dns('*.example.com', { ...publicRules, allowsWildcards: false })), 'rejectedIdentifier');
  });

  it('are refused where the profile takes addresses alone', () => {
    assert.equal(typeOf(dns('example.com', { ...publicRules, allowsDns: false })), 'rejectedIdentifier');
  });
});

describe('RFC 8738 §3: IP identifiers', () => {
  it('are written as in RFC 5952', () => {
    assert.deepEqual(ip('192.0.2.1'), { type: 'ip', value: '192.0.2.1' });
    assert.deepEqual(ip('2001:DB8:0:0:0:0:0:1'), { type: 'ip', value: '2001:db8::1' });
  });

  for (const value of ['10.0.0.01', 'fe80::1%eth0', '1.2.3', 'example.com', '', '[::1]', '10.0.0.0/8']) {
    it(`refuses '${value}', which is no address, as malformed`, () => {
      assert.equal(typeOf(ip(value)), 'malformed');
    });
  }

  it('are rejected when they are IPv4 addresses in the form of IPv6', () => {
    assert.equal(typeOf(ip('::ffff:192.0.2.1')), 'rejectedIdentifier');
    assert.equal(typeOf(ip('::FFFF:c000:201')), 'rejectedIdentifier');
  });

  it('are rejected where the profile takes names alone', () => {
    assert.equal(typeOf(ip('192.0.2.1', { ...publicRules, allowsIp: false })), 'rejectedIdentifier');
  });
});

describe('RFC 8555 §6.7.1: a list of identifiers', () => {
  it('tells of each bad one with the identifier as it was written', () => {
    const reading = readIdentifiers(
      [
        { type: 'dns', value: 'good.example.com' },
        { type: 'dns', value: 'Bad_.example.com' },
        { type: 'email', value: 'a@example.com' },
        { type: 'ip', value: '10.0.0.01' },
      ],
      publicRules,
    );
    assert.deepEqual(
      reading?.problems.map(({ type, identifier }) => [type, identifier]),
      [
        ['malformed', { type: 'dns', value: 'Bad_.example.com' }],
        ['unsupportedIdentifier', { type: 'email', value: 'a@example.com' }],
        ['malformed', { type: 'ip', value: '10.0.0.01' }],
      ],
    );
  });

  it('loses duplicates and nothing else, and keeps its order', () => {
    const values = ['b.example.com', 'A.example.com', 'B.EXAMPLE.COM', '*.b.example.com'];
    const reading = readIdentifiers(
      values.map((value) => ({ type: 'dns', value })),
      publicRules,
    );
    assert.deepEqual(
      reading?.identifiers.map(({ value }) => value),
      ['b.example.com', 'a.example.com', '*.b.example.com'],
    );
  });

  it('has 1 to 100 objects with two texts', () => {
    const one = { type: 'dns', value: 'example.com' };
    for (const bad of [undefined, null, {}, 'a', [], [null], ['a'], [{ type: 'dns' }], [{ type: 1, value: 'a' }]]) {
      assert.equal(readIdentifiers(bad, publicRules), undefined);
    }
    assert.equal(readIdentifiers(new Array(101).fill(one), publicRules), undefined);
    assert.notEqual(readIdentifiers(new Array(100).fill(one), publicRules), undefined);
  });
});

describe('RFC 8555 §7.1.4: what is authorized', () => {
  it('is the name without its wildcard', () => {
    assert.deepEqual(authorizedIdentifier({ type: 'dns', value: '*.example.com' }), {
      type: 'dns',
      value: 'example.com',
      isWildcard: true,
    });
    assert.deepEqual(authorizedIdentifier({ type: 'ip', value: '::1' }), {
      type: 'ip',
      value: '::1',
      isWildcard: false,
    });
  });
});

describe('identifiers of strangers', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.stringMatching(/^[a-zA-Z0-9.*_:-]{0,80}$/),
    fc.domain(),
    fc.ipV4Extended(),
    fc.ipV6(),
  );

  it('never make reading fail, and what is taken is a name that stays the same when it is read again', () => {
    fc.assert(
      fc.property(fc.constantFrom('dns', 'ip', 'x'), text, fc.boolean(), (type, value, isPublic) => {
        const rules = isPublic ? publicRules : privateRules;
        const read = readOneIdentifier({ type, value }, rules);
        assert.ok(read !== undefined);
        if ('detail' in read) return;
        if (read.type === 'ip') assert.ok(parseIpAddress(read.value) !== undefined);
        else {
          assert.ok(isHostName(read.value.replace(/^\*\./, '')));
          assert.equal(read.value, value.toLowerCase());
          assert.equal(parseIpAddress(read.value), undefined);
        }
        assert.deepEqual(readOneIdentifier(read, rules), read);
      }),
      { numRuns: 5_000 },
    );
  });

  it('never make reading a list fail', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readIdentifiers(value, publicRules);
      }),
    );
  });
});
