// Extensions of CRLs and their entries: what is written is read, octets as RFC 5280 has them, and what it forbids is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  crlNumber,
  crlReasons,
  deltaCrlIndicator,
  freshestCrl,
  invalidityDate,
  isCrlReason,
  issuingDistributionPoint,
  readCrlNumber,
  readFreshestCrl,
  readInvalidityDate,
  readIssuingDistributionPoint,
  readReasonCode,
  reasonCode,
} from '../../src/crl/extensions.ts';
import { DerError } from '../../src/der/reader.ts';
import { boolean, enumerated, implicit, integer, sequence, wrap } from '../../src/der/writer.ts';
import { crlDistributionPoints } from '../../src/extensions.ts';
import { writeGeneralName } from '../../src/general-names.ts';
import { NameError } from '../../src/names.ts';
import { assertOnlyThrows, foreignBytes, octets } from '../support/foreign-bytes.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const url = 'http://status.example/crl/issuing-3.crl';

describe('RFC 5280 §5.2.3: CRL number', () => {
  it('reads what it wrote, up to 20 octets', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 159n - 1n }), (number) => {
        assert.equal(readCrlNumber(crlNumber(number).value), number);
      }),
    );
    assert.equal(readCrlNumber(crlNumber(Number.MAX_SAFE_INTEGER).value), BigInt(Number.MAX_SAFE_INTEGER));
  });
  it('is not critical', () => assert.equal(crlNumber(1).isCritical, false));
  it('refuses a negative one and one of more than 20 octets', () => {
    for (const number of [-1, -1n, 2n ** 159n, 0.5]) assert.throws(() => crlNumber(number), DerError);
    for (const number of [-1n, 2n ** 159n]) assert.throws(() => readCrlNumber(integer(number)), DerError);
  });
});

describe('RFC 5280 §5.2.4: delta CRL indicator', () => {
  it('is critical and holds the number of the base', () => {
    const extension = deltaCrlIndicator(300);
    assert.equal(extension.isCritical, true);
    assert.equal(extension.id, '2.5.29.27');
    assert.equal(hex(extension.value), '0202012c');
  });
});

describe('RFC 5280 §5.2.5: issuing distribution point', () => {
  it('is critical, and names the URI octet for octet as the certificate does', () => {
    const extension = issuingDistributionPoint({ fullName: [url], onlyContains: 'user-certificates' });
    assert.equal(extension.isCritical, true);
    const name = wrap(0xa0, wrap(0xa0, wrap(0x86, Buffer.from(url))));
    assert.equal(hex(extension.value), hex(sequence(name, octets('8101ff'))));
    assert.ok(hex(crlDistributionPoints([url]).value).includes(hex(name)));
  });

  it('reads what it wrote', () => {
    for (const onlyContains of ['user-certificates', 'ca-certificates', 'attribute-certificates'] as const) {
      for (const fullName of [[], [url], [url, 'ldap://directory.example/cn=crl']]) {
        const { value } = issuingDistributionPoint({ fullName, onlyContains });
        assert.deepEqual(readIssuingDistributionPoint(value), {
          fullName,
          onlyContains,
          hasOnlySomeReasons: false,
          isIndirect: false,
        });
      }
    }
    const { value } = issuingDistributionPoint({ fullName: [url] });
    assert.equal(readIssuingDistributionPoint(value).onlyContains, undefined);
  });

  it('tells indirect CRLs and CRLs by reason, and writes none', () => {
    const indirect = readIssuingDistributionPoint(sequence(implicit(4, boolean(true))));
    assert.deepEqual([indirect.isIndirect, indirect.hasOnlySomeReasons], [true, false]);
    const byReason = readIssuingDistributionPoint(sequence(octets('83020640')));
    assert.deepEqual([byReason.isIndirect, byReason.hasOnlySomeReasons], [false, true]);
    assert.throws(() => issuingDistributionPoint({ fullName: [url], isIndirect: true }), DerError);
    assert.throws(() => issuingDistributionPoint({ fullName: [url], hasOnlySomeReasons: true }), DerError);
  });

  it('does not write an empty one', () => assert.throws(() => issuingDistributionPoint({}), DerError));

  it('refuses more than one kind of certificate', () => {
    const both = sequence(implicit(1, boolean(true)), implicit(2, boolean(true)));
    assert.throws(() => readIssuingDistributionPoint(both), /more than one kind/);
  });

  it('passes over names that are no URIs', () => {
    const relative = sequence(wrap(0xa0, wrap(0xa1, sequence())));
    assert.deepEqual(readIssuingDistributionPoint(relative).fullName, []);
    const dns = writeGeneralName({ kind: 'dns', value: 'a.example' });
    assert.deepEqual(readIssuingDistributionPoint(sequence(wrap(0xa0, wrap(0xa0, dns)))).fullName, []);
  });

  it('takes foreign bytes or throws DerError or NameError', () => {
    const seed = issuingDistributionPoint({ fullName: [url], onlyContains: 'ca-certificates' }).value;
    assertOnlyThrows(readIssuingDistributionPoint, [DerError, NameError], foreignBytes(seed));
  });
});

describe('RFC 5280 §5.2.6: freshest CRL', () => {
  it('is not critical, has the syntax of CRL distribution points, and is read', () => {
    const extension = freshestCrl([url]);
    assert.equal(extension.isCritical, false);
    assert.equal(extension.id, '2.5.29.46');
    assert.deepEqual(readFreshestCrl(extension.value), [url]);
  });
});

describe('RFC 5280 §5.3: extensions of an entry', () => {
  it('§5.3.1: knows all reasons, and not 7', () => {
    for (const reason of Object.values(crlReasons)) {
      assert.equal(readReasonCode(reasonCode(reason).value), reason);
      assert.equal(reasonCode(reason).isCritical, false);
    }
    for (const reason of [7, 11, -1, 1.5, Number.NaN]) {
      assert.equal(isCrlReason(reason), false);
      assert.throws(() => reasonCode(reason), DerError);
    }
    assert.throws(() => readReasonCode(enumerated(7)), DerError);
    assert.throws(() => readReasonCode(integer(1)), DerError);
  });

  it('§5.3.2: the invalidity date is always GeneralizedTime', () => {
    const at = new Date('2026-01-02T03:04:05Z');
    assert.equal(hex(invalidityDate(at).value), `180f${Buffer.from('20260102030405Z').toString('hex')}`);
    assert.deepEqual(readInvalidityDate(invalidityDate(at).value), at);
    assert.throws(() => readInvalidityDate(wrap(0x17, Buffer.from('260102030405Z'))), DerError);
  });
});
