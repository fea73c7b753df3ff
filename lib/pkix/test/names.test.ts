import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBER } from 'asn1js';
import fc from 'fast-check';
import { RelativeDistinguishedNames } from 'pkijs';
import { DerError } from '../src/der/reader.ts';
import { objectIdentifier, octetString, sequence, set, utf8String } from '../src/der/writer.ts';
import {
  areNamesEqual,
  attribute,
  attributeValues,
  checkUpperBounds,
  formatName,
  isNameWithin,
  type Name,
  NameError,
  nameKey,
  parseName,
  readName,
  upperBounds,
  writeName,
} from '../src/names.ts';
import { attributeTypes } from '../src/object-identifiers.ts';
import { assertOnlyThrows, foreignBytes } from './support/foreign-bytes.ts';

const shortNames = ['CN', 'O', 'OU', 'L', 'ST', 'UID', 'title', 'GN', 'SN', 'postalCode'] as const;
const arbitraryAttribute = fc
  .tuple(fc.constantFrom<string>(...shortNames, '1.3.6.1.4.1.99999.1'), fc.string({ unit: 'binary', maxLength: 20 }))
  .filter(([, value]) => !value.includes('\0'))
  .map(([type, value]) => attribute(type, value));
const arbitraryName: fc.Arbitrary<Name> = fc.array(fc.array(arbitraryAttribute, { minLength: 1, maxLength: 3 }), {
  maxLength: 5,
});
const named = (detail: RegExp) => (error: unknown) => error instanceof NameError && detail.test(error.detail);

describe('RFC 5280 §4.1.2.4: writing and reading names', () => {
  it('reads back what it writes, for every name', () => {
    fc.assert(
      fc.property(arbitraryName, (name) => {
        const read = readName(writeName(name));
        assert.ok(areNamesEqual(read, name));
        assert.deepEqual(writeName(read), writeName(name));
      }),
    );
  });
  it('writes country and serial number as PrintableString, domain component and e-mail as IA5String, others as UTF8String', () => {
    const tagOf = (type: string, value: string) => attribute(type, value).tag;
    assert.deepEqual([tagOf('C', 'DE'), tagOf('serialNumber', '1'), tagOf('dnQualifier', 'x')], [0x13, 0x13, 0x13]);
    assert.deepEqual([tagOf('DC', 'example'), tagOf('emailAddress', 'a@b')], [0x16, 0x16]);
    assert.deepEqual([tagOf('CN', 'x'), tagOf('O', 'x'), tagOf('1.2.3.4', 'x')], [0x0c, 0x0c, 0x0c]);
  });
  it('knows short names, long names and object identifiers, in any case', () => {
    for (const type of ['CN', 'cn', 'commonName', '2.5.4.3'])
      assert.equal(attribute(type, 'x').type, attributeTypes.CN);
    assert.throws(() => attribute('nonsense', 'x'), named(/'nonsense' is not a known attribute type/));
  });
  it('refuses a value its string type does not have', () => {
    assert.throws(() => attribute('C', 'DÄ'), named(/^C: /));
    assert.throws(() => attribute('DC', 'ä'), named(/^DC: /));
    assert.throws(() => attribute('CN', 'a\0b'), named(/^CN: holds a NUL/));
  });
  it('is read by another implementation as what was written', () => {
    const der = Uint8Array.from(writeName(parseName('CN=dev1,O=Größe AG,C=DE')));
    const other = new RelativeDistinguishedNames({ schema: fromBER(der.buffer).result });
    const read = other.typesAndValues.map(({ type, value }) => [type, String(value.valueBlock.value)]);
    assert.deepEqual(read, [
      [attributeTypes.C, 'DE'],
      [attributeTypes.O, 'Größe AG'],
      [attributeTypes.CN, 'dev1'],
    ]);
    assert.ok(areNamesEqual(readName(new Uint8Array(other.toSchema().toBER())), parseName('CN=dev1,O=Größe AG,C=DE')));
  });
  it('refuses a NUL and invalid UTF-8, naming the attribute', () => {
    const raw = (value: Uint8Array) => sequence(set(sequence(objectIdentifier(attributeTypes.O), value)));
    assert.throws(() => readName(raw(utf8String('a\0b'))), named(/^O: holds a NUL/));
    assert.throws(() => readName(raw(Buffer.from('0c01ff', 'hex'))), named(/^O: .*UTF-8/));
    assert.throws(() => readName(raw(octetString(Buffer.from('x')))), named(/^O: /));
  });
  it('refuses an empty relative name, and more attributes than a name has', () => {
    assert.throws(() => readName(sequence(set())), DerError);
    const one = set(sequence(objectIdentifier('2.5.4.3'), utf8String('x')));
    assert.throws(() => readName(sequence(...new Array(200).fill(one))), named(/more than 128/));
  });
  it('throws nothing but DerError and NameError for foreign bytes', () => {
    const seed = writeName(parseName('CN=a+serialNumber=1,O=Größe,DC=example,C=DE'));
    assertOnlyThrows(readName, [DerError, NameError], foreignBytes(seed));
  });
});

describe('RFC 5280 appendix A: upper bounds', () => {
  it('counts characters and not octets or code units', () => {
    checkUpperBounds([[attribute('CN', 'ä'.repeat(64))]]);
    checkUpperBounds([[attribute('CN', '😀'.repeat(64))]]);
    assert.throws(
      () => checkUpperBounds([[attribute('CN', 'a'.repeat(65))]]),
      named(/^CN: 65 characters where 1 to 64/),
    );
  });
  it('wants exactly two letters of a country', () => {
    assert.throws(() => checkUpperBounds([[attribute('C', 'DEU')]]), named(/^C: 3 characters where exactly 2/));
    assert.deepEqual(upperBounds(attributeTypes.C)?.maximum, 2);
  });
  it('refuses empty values', () =>
    assert.throws(() => checkUpperBounds([[attribute('O', '')]]), named(/^O: 0 characters/)));
});

describe('RFC 5280 §7.1: comparison', () => {
  const equal = (a: string, b: string) => areNamesEqual(parseName(a), parseName(b));
  it('ignores case, white space and string type', () => {
    assert.ok(equal('CN=Example  Device,O=ACME', 'CN=example device,O=acme'));
    assert.ok(equal('CN=\\ a ', 'CN=a'));
    const printable: Name = [[{ type: attributeTypes.CN, value: 'x', tag: 0x13 }]];
    assert.ok(areNamesEqual(printable, parseName('CN=x')));
  });
  it('normalises and folds as RFC 4518 §2 says', () => {
    assert.ok(equal('CN=Straße', 'CN=STRASSE'));
    assert.ok(equal('CN=Å', 'CN=A\u030a'));
    assert.ok(equal('CN=ﬁ', 'CN=fi'));
    assert.ok(equal('CN=a\u00adb', 'CN=ab'));
  });
  it('keeps what is different apart', () => {
    for (const [a, b] of [
      ['CN=a', 'CN=b'],
      ['CN=a', 'O=a'],
      ['CN=a,O=b', 'O=b,CN=a'],
      ['CN=a', 'CN=a,O=b'],
      ['CN=a b', 'CN=ab'],
      ['CN=a+O=b', 'CN=a,O=b'],
    ] as const) {
      assert.ok(!equal(a, b), `${a} and ${b}`);
      assert.notEqual(nameKey(parseName(a)), nameKey(parseName(b)));
    }
  });
  it('takes the attributes of one relative name in any order', () => assert.ok(equal('CN=a+O=b', 'O=B+CN=A')));
  it('has the same key for equal names, for every name', () => {
    fc.assert(
      fc.property(arbitraryName, (name) => {
        const upper = name.map((attributes) =>
          attributes.map((each) => ({ ...each, value: `  ${each.value.toUpperCase()}` })).reverse(),
        );
        assert.ok(areNamesEqual(name, upper));
        assert.equal(nameKey(name), nameKey(upper));
      }),
    );
  });
  it('sees a directory subtree', () => {
    assert.ok(isNameWithin(parseName('CN=a,O=b,C=DE'), parseName('O=B,C=de')));
    assert.ok(!isNameWithin(parseName('O=b,C=DE'), parseName('CN=a,O=b,C=DE')));
  });
});

describe('RFC 4514: text', () => {
  it('writes the last relative name first and escapes what is special (§2.4)', () => {
    const name: Name = [
      [attribute('C', 'DE')],
      [attribute('O', 'Sue, Grabbit + "Runn"')],
      [attribute('CN', '#a '), attribute('serialNumber', '7')],
    ];
    assert.equal(formatName(name), 'CN=\\#a\\ +serialNumber=7,O=Sue\\, Grabbit \\+ \\"Runn\\",C=DE');
  });
  it("reads the RFC's own examples (§4)", () => {
    const texts = [
      'UID=jsmith,DC=example,DC=net',
      'OU=Sales+CN=J.  Smith,DC=example,DC=net',
      'CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net',
      'CN=Before\\0dAfter,DC=example,DC=net',
    ];
    for (const text of texts) assert.equal(formatName(parseName(text)), text);
    assert.equal(attributeValues(parseName('CN=Lu\\C4\\8Di\\C4\\87'), attributeTypes.CN)[0], 'Lučić');
    assert.equal(formatName(parseName('1.3.6.1.4.1.1466.0=#0c0548656c6c6f')), '1.3.6.1.4.1.1466.0=#0c0548656c6c6f');
    assert.deepEqual(parseName(''), []);
  });
  it('reads quoted values and spaces around separators', () => {
    assert.equal(formatName(parseName('CN = "a, b" , O = c')), 'CN=a\\, b,O=c');
  });
  it('reads back what it writes, for every name', () => {
    fc.assert(fc.property(arbitraryName, (name) => assert.deepEqual(parseName(formatName(name)), name)));
  });
  it('never writes a control character', () => {
    fc.assert(fc.property(arbitraryName, (name) => assert.doesNotMatch(formatName(name), /[\p{Cc}\p{Zl}\p{Zp}]/u)));
  });
  it('refuses with a NameError whatever is no name', () => {
    for (const text of [
      'x',
      '=a',
      'CN=a,',
      'CN=a,,O=b',
      'CN="a',
      'CN=\\',
      'CN=\\x',
      'CN=#0',
      'CN=#0400',
      'CN=\\ff',
      'CN="a"b',
      '1.=a',
    ]) {
      assert.throws(() => parseName(text), NameError, text);
    }
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('C', 'N', '=', ',', '+', '\\', '"', '#', ' ', '0', 'c', '1', '.', 'ä') }),
        (text) => {
          try {
            parseName(text);
          } catch (error) {
            assert.ok(error instanceof NameError, String(error));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
