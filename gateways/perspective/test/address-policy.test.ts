import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import fc from 'fast-check';
import { createAddressPolicy } from '../src/address-policy.ts';
import { isInRange, metadataServices, specialPurposeRanges } from '../src/special-purpose.ts';

const strict = createAddressPolicy();
const isAllowed = (address: string) => strict.judge(address, 'a.test').isAllowed;
const reasonOf = (address: string, policy = strict, name = 'a.test') => {
  const verdict = policy.judge(address, name);
  return verdict.isAllowed ? undefined : verdict.reason;
};

/** An address in a range, its free bits as given. */
function within({ address, mask }: { address: Uint8Array; mask: Uint8Array }, free: Uint8Array): Uint8Array {
  return address.map((octet, i) => octet | ((free[i] ?? 0) & ~(mask[i] ?? 0)));
}

const ranges4 = specialPurposeRanges.filter(({ range }) => range.address.length === 4).map(({ range }) => range);
const special4 = fc
  .tuple(fc.constantFrom(...ranges4), fc.uint8Array({ minLength: 4, maxLength: 4 }))
  .map(([range, free]) => within(range, free));
const text = (octets: Uint8Array) => formatIpAddress(octets) ?? '';
const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const grouped = (octets: string) => octets.replace(/(.{4})(?!$)/g, '$1:');

describe('mpic.md §2.5: without a word of the operator', () => {
  it('no special-purpose address may be connected to', () => {
    const any = fc
      .tuple(fc.constantFrom(...specialPurposeRanges), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(([{ range }, free]) => text(within(range, free)));
    fc.assert(
      fc.property(any, (address) => assert.equal(isAllowed(address), false, address)),
      { numRuns: 3000 },
    );
  });

  it('nor one that carries a special-purpose IPv4 address, in whatever spelling', () => {
    fc.assert(
      fc.property(special4, (octets) => {
        const four = hex(octets);
        const inverted = hex(octets.map((octet) => octet ^ 0xff));
        for (const address of [
          `::ffff:${text(octets)}`,
          grouped(`00000000000000000000ffff${four}`),
          `64:ff9b::${text(octets)}`,
          grouped(`0064ff9b0001abcd00000000${four}`),
          grouped(`2002${four}00000000000000000001`),
          grouped(`20010000${four}80000000${'5db8d822'}`),
          grouped(`20010000c633640480000000${inverted}`),
          `::ffff:0:${text(octets)}`,
        ]) {
          assert.equal(isAllowed(address), false, address);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('every other address may, and is written canonically', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (octets) => {
        const special = [...specialPurposeRanges, ...metadataServices].some(({ range }) => isInRange(octets, range));
        assert.equal(isAllowed(text(octets)), !special);
        assert.equal(isAllowed(`::ffff:${text(octets)}`), !special);
        assert.equal(isAllowed(`64:ff9b::${text(octets)}`), !special);
      }),
      { numRuns: 2000 },
    );
    assert.deepEqual(strict.judge('::ffff:8.8.8.8', 'a.test'), { isAllowed: true, address: '8.8.8.8' });
    assert.deepEqual(strict.judge('2600:0:0::1', 'a.test'), { isAllowed: true, address: '2600::1' });
  });

  it('metadata services of clouds are refused by name', () => {
    for (const address of [
      '169.254.169.254',
      'fd00:ec2::254',
      '168.63.129.16',
      '100.100.100.200',
      '::ffff:169.254.169.254',
    ]) {
      assert.match(reasonOf(address) ?? '', /metadata|platform/, address);
    }
  });

  it('what is no address is refused', () => {
    for (const address of ['', 'a.test', '10.0.0', '010.0.0.1', '0x7f000001', '::1%lo', '[::1]', '1.2.3.4.5']) {
      assert.equal(reasonOf(address), 'is no IP address', address);
    }
  });

  it('the reason says which range, and what is inside of which', () => {
    assert.equal(reasonOf('10.1.2.3'), 'is in a special-purpose range (private use, RFC 1918)');
    assert.match(reasonOf('64:ff9b::a01:203') ?? '', /^holds 10\.1\.2\.3, which is in a special-purpose range/);
  });
});

describe('mpic.md §2.5: opened ranges', () => {
  const policy = createAddressPolicy({
    allow: ['127.0.0.0/8', '::1/128'],
    zones: [
      { zone: '*.corp.test', allow: ['10.20.0.0/16'] },
      { zone: 'dmz.corp.test', allow: ['10.30.0.0/16'] },
    ],
    refuse: ['192.0.3.0/24', '10.20.66.0/24'],
  });

  it('count for all names, or for those of their zone alone', () => {
    assert.equal(reasonOf('127.0.0.1', policy), undefined);
    assert.equal(reasonOf('::1', policy), undefined);
    assert.equal(reasonOf('::ffff:127.0.0.1', policy), undefined);
    assert.equal(reasonOf('10.20.1.1', policy, 'x.corp.test'), undefined);
    for (const name of ['corp.test', 'xcorp.test', 'a.test', 'x.corp.test.evil.test', '10.20.1.1']) {
      assert.match(reasonOf('10.20.1.1', policy, name) ?? '', /private use/, name);
    }
  });

  it('of the closest zone count, not those of a zone above', () => {
    assert.equal(reasonOf('10.30.1.1', policy, 'x.dmz.corp.test'), undefined);
    assert.equal(reasonOf('10.30.1.1', policy, 'dmz.corp.test'), undefined);
    assert.match(reasonOf('10.20.1.1', policy, 'dmz.corp.test') ?? '', /private use/);
  });

  it('open neither what is refused by name nor anything else', () => {
    assert.match(reasonOf('10.20.66.1', policy, 'x.corp.test') ?? '', /not looked at/);
    assert.match(reasonOf('192.0.3.1', policy) ?? '', /not looked at/);
    assert.match(reasonOf('10.21.0.1', policy, 'x.corp.test') ?? '', /private use/);
  });

  it('open a metadata service only when they are that one address', () => {
    const wide = createAddressPolicy({ allow: ['0.0.0.0/0', '::/0'] });
    assert.equal(reasonOf('10.0.0.1', wide), undefined);
    assert.match(reasonOf('169.254.169.254', wide) ?? '', /metadata/);
    assert.match(reasonOf('fd00:ec2::254', wide) ?? '', /metadata/);
    assert.match(reasonOf('64:ff9b::169.254.169.254', wide) ?? '', /metadata/);
    assert.equal(reasonOf('169.254.169.254', createAddressPolicy({ allow: ['169.254.169.254/32'] })), undefined);
  });

  it('of translated addresses do not open what is inside', () => {
    const translated = createAddressPolicy({ allow: ['2002::/16', '64:ff9b:1::/48'] });
    assert.match(reasonOf('2002:a00:1::1', translated) ?? '', /holds 10\.0\.0\.1/);
    assert.equal(reasonOf('2002:808:808::1', translated), undefined);
    assert.match(reasonOf('64:ff9b:1::a00:1', translated) ?? '', /holds 10\.0\.0\.1/);
  });

  it('must be ranges', () => {
    for (const range of ['10.0.0.0', '10.0.0.0/33', 'corp.test', '::/129', '']) {
      assert.throws(() => createAddressPolicy({ allow: [range] }), TypeError, range);
    }
    assert.ok(parseIpAddress('10.0.0.1'));
  });
});
