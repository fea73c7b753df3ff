import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBER } from 'asn1js';
import fc from 'fast-check';
import { GeneralNames } from 'pkijs';
import { DerError } from '../src/der/reader.ts';
import { sequence, utf8String, wrap } from '../src/der/writer.ts';
import {
  areGeneralNameSetsEqual,
  areGeneralNamesEqual,
  formatGeneralName,
  type GeneralName,
  NameError,
  parseGeneralName,
  readGeneralNames,
  writeGeneralNames,
} from '../src/general-names.ts';
import { parseName } from '../src/names.ts';
import { assertOnlyThrows, foreignBytes } from './support/foreign-bytes.ts';

const all: readonly GeneralName[] = [
  { kind: 'dns', value: 'a.example' },
  { kind: 'dns', value: '*.b.example' },
  { kind: 'ip', value: '192.0.2.1' },
  { kind: 'ip', value: '2001:db8::1' },
  { kind: 'uri', value: 'spiffe://example.org/workload' },
  { kind: 'uri', value: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6' },
  { kind: 'email', value: 'someone@example.com' },
  { kind: 'directory', value: parseName('CN=x,C=DE') },
  { kind: 'other', type: '1.3.6.1.4.1.311.20.2.3', value: utf8String('someone@example.com') },
  { kind: 'registered-id', value: '1.2.3.4' },
];
const raw = (tag: number, text: string) => sequence(wrap(tag, Buffer.from(text, 'latin1')));
const named = (detail: RegExp) => (error: unknown) =>
  error instanceof NameError && error.code === 'name' && detail.test(error.detail);
const refuses = (tag: number, text: string, detail: RegExp) =>
  assert.throws(() => readGeneralNames(raw(tag, text)), named(detail), text);

describe('RFC 5280 §4.2.1.6: reading and writing general names', () => {
  it('reads back what it writes, for all kinds', () => {
    const read = readGeneralNames(writeGeneralNames(all));
    assert.deepEqual(read.map(formatGeneralName), all.map(formatGeneralName));
    assert.deepEqual(Buffer.from(writeGeneralNames(read)), Buffer.from(writeGeneralNames(all)));
  });
  it('is read by another implementation as what was written', () => {
    const other = new GeneralNames({ schema: fromBER(Uint8Array.from(writeGeneralNames(all)).buffer).result });
    assert.deepEqual(
      other.names.map(({ type }) => type),
      [2, 2, 7, 7, 6, 6, 1, 4, 0, 8],
    );
    assert.deepEqual(
      [other.names[0]?.value, other.names[4]?.value, other.names[9]?.value],
      ['a.example', 'spiffe://example.org/workload', '1.2.3.4'],
    );
  });
  it('refuses an empty list', () => assert.throws(() => readGeneralNames(sequence()), DerError));
  it('refuses more names than any certificate carries', () => {
    const one = wrap(0x82, Buffer.from('a'));
    assert.throws(() => readGeneralNames(sequence(...new Array(1001).fill(one))), named(/more than 1000/));
  });
  it('refuses x400Address and ediPartyName by name', () => {
    refuses(0xa3, '', /x400Address/);
    refuses(0xa5, '', /ediPartyName/);
  });
  it('throws nothing but DerError and NameError for foreign bytes', () => {
    assertOnlyThrows(readGeneralNames, [DerError, NameError], foreignBytes(writeGeneralNames(all)));
  });
});

describe('RFC 1034 §3.5 and RFC 6125 §6.4.3: dNSName', () => {
  const label = 'a'.repeat(63);
  it('takes host names, single labels and a wildcard for the whole leftmost label', () => {
    for (const text of [
      'localhost',
      'a.example',
      'A-1.Example',
      '*.example',
      '1.2.3.4',
      `${label}.example`,
      'xn--bcher-kva.example',
    ]) {
      assert.deepEqual(readGeneralNames(raw(0x82, text)), [{ kind: 'dns', value: text }]);
    }
  });
  it('refuses what is no host name, and says which', () => {
    for (const text of [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      '-a',
      'a-',
      'a-.b',
      'a_b',
      'a b',
      '*',
      '*.',
      '**.a',
      'a.*',
      'x*.a',
      'a.*.b',
      `${label}a.b`,
      `${`${label}.`.repeat(4)}a`,
      'http://a',
      'a\nb',
    ]) {
      refuses(0x82, text, /^dNSName '/);
    }
  });
  it('refuses NUL and characters outside of ASCII', () => {
    refuses(0x82, 'a.example\0.b', /^dNSName holds a NUL/);
    refuses(0x82, 'b\xfccher.example', /^dNSName holds characters that are not ASCII/);
  });
  it('never puts control characters into a detail', () => {
    assert.throws(
      () => readGeneralNames(raw(0x82, 'a\r\nb\x1b[31m')),
      (error) => error instanceof NameError && !/\p{Cc}/u.test(error.detail),
    );
  });
});

describe('RFC 5280 §4.2.1.6: iPAddress', () => {
  it('takes 4 and 16 octets and nothing else', () => {
    for (const length of [0, 3, 5, 8, 15, 17, 32])
      refuses(0x87, '\x01'.repeat(length), new RegExp(`^iPAddress of ${length} octets`));
  });
  it('writes IPv6 as RFC 5952 §4 says', () => {
    for (const [text, canonical] of [
      ['2001:DB8:0:0:0:0:2:1', '2001:db8::2:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['::ffff:192.0.2.1', '::ffff:c000:201'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['1::', '1::'],
    ]) {
      assert.deepEqual(parseGeneralName(`IP:${text}`), { kind: 'ip', value: canonical });
    }
  });
  it('reads back every address it writes', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(address, (octets) => {
        const der = sequence(wrap(0x87, octets));
        assert.deepEqual(Buffer.from(writeGeneralNames(readGeneralNames(der))), Buffer.from(der));
      }),
    );
  });
  it('refuses text that is no address', () => {
    for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', 'fe80::1%eth0', '1::2::3', '12345::', 'a.example']) {
      assert.throws(() => parseGeneralName(`IP:${text}`), named(/^iPAddress/), text);
    }
  });
});

describe('RFC 5280 §4.2.1.6: uniformResourceIdentifier', () => {
  it('takes absolute URIs with a host or without authority', () => {
    for (const text of [
      'https://a.example:8443/x?y#z',
      'http://192.0.2.1/',
      'http://[2001:db8::1]:80/',
      'ldap://u@h/x',
      'urn:x:y',
      'spiffe://trust_domain.example/a',
      'tag:a,b',
    ]) {
      assert.deepEqual(readGeneralNames(raw(0x86, text)), [{ kind: 'uri', value: text }]);
    }
  });
  it('refuses the others, and says which', () => {
    for (const text of [
      '',
      'a',
      '/a',
      '//a/b',
      'http:',
      'http://',
      'http:///x',
      'http://a_b/',
      'http://-a/',
      'http://[::1',
      'http://[1.2.3.4]/',
      'http://a/%',
      'http://a/ b',
      'http://a/"',
      '1http://a',
      'http://a/\x7f',
    ]) {
      refuses(0x86, text, /^uniformResourceIdentifier '/);
    }
    refuses(0x86, 'http://a/\0', /NUL/);
    refuses(0x86, 'http://a/\xe4', /ASCII/);
  });
});

describe('RFC 5321 §4.1.2: rfc822Name', () => {
  it('takes mailboxes', () => {
    for (const text of [
      'a@b.example',
      "o'neil+x@b",
      '"a b"@c.example',
      '"a\\"b"@c',
      'a@[192.0.2.1]',
      'a@[IPv6:2001:db8::1]',
    ]) {
      assert.deepEqual(readGeneralNames(raw(0x81, text)), [{ kind: 'email', value: text }]);
    }
  });
  it('refuses the others, and says which', () => {
    for (const text of [
      '',
      'a',
      '@b',
      'a@',
      'a@b@c',
      '.a@b',
      'a.@b',
      'a..b@c',
      'a b@c',
      'A <a@b>',
      'a@-b',
      '"a@b',
      'a@[1.2.3]',
      'a@[IPv6:1.2.3.4]',
      'a@[::1]',
      `${'a'.repeat(65)}@b`,
    ]) {
      refuses(0x81, text, /^rfc822Name '/);
    }
    refuses(0x81, 'a@b\0', /NUL/);
    refuses(0x81, 'a@b\xfc', /ASCII/);
  });
  it('looks through long addresses in no time', { timeout: 2000 }, () => {
    refuses(0x81, `${'a.'.repeat(8000)}@b`, /rfc822Name/);
    refuses(0x81, `"${'\\a'.repeat(8000)}@b`, /rfc822Name/);
    refuses(0x86, `http://${'a.'.repeat(8000)}`, /uniformResourceIdentifier/);
  });
});

describe('text of general names', () => {
  it('reads back what it writes', () => {
    for (const name of all)
      assert.deepEqual(formatGeneralName(parseGeneralName(formatGeneralName(name))), formatGeneralName(name));
    assert.equal(formatGeneralName({ kind: 'dns', value: 'a.example' }), 'DNS:a.example');
    assert.deepEqual(parseGeneralName('dns:a.example'), { kind: 'dns', value: 'a.example' });
  });
  it('refuses with a NameError whatever is no general name', () => {
    for (const text of [
      '',
      'a.example',
      'DNS:',
      'DNS:a b',
      'X:y',
      'RID:x',
      'RID:1',
      'dirName:x',
      'otherName:1.2.3',
      'otherName:1.2.3;#0c',
      'otherName:9.9;#0500',
    ]) {
      assert.throws(() => parseGeneralName(text), NameError, text);
    }
  });
});

describe('RFC 5280 §7: comparison', () => {
  const dns = (value: string): GeneralName => ({ kind: 'dns', value });
  it('compares hosts without case and local parts with it', () => {
    assert.ok(areGeneralNamesEqual(dns('A.Example'), dns('a.example')));
    assert.ok(areGeneralNamesEqual({ kind: 'email', value: 'a@B.example' }, { kind: 'email', value: 'a@b.example' }));
    assert.ok(!areGeneralNamesEqual({ kind: 'email', value: 'A@b.example' }, { kind: 'email', value: 'a@b.example' }));
    assert.ok(!areGeneralNamesEqual({ kind: 'uri', value: 'urn:A' }, { kind: 'uri', value: 'urn:a' }));
    assert.ok(
      areGeneralNamesEqual(
        { kind: 'directory', value: parseName('CN=A') },
        { kind: 'directory', value: parseName('CN=a') },
      ),
    );
    assert.ok(!areGeneralNamesEqual(dns('1.2.3.4'), { kind: 'ip', value: '1.2.3.4' }));
  });
  it('compares sets in any order', () => {
    assert.ok(areGeneralNameSetsEqual([dns('a'), dns('b')], [dns('B'), dns('A'), dns('a')]));
    assert.ok(!areGeneralNameSetsEqual([dns('a')], [dns('a'), dns('b')]));
    assert.ok(!areGeneralNameSetsEqual([dns('a'), dns('b')], [dns('a')]));
    assert.ok(areGeneralNameSetsEqual([], []));
    assert.ok(areGeneralNameSetsEqual(all, all.toReversed()));
  });
});
