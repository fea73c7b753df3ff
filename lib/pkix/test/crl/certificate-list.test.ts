// CRLs: those of openssl, those made of parts that may be wrong, and foreign bytes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CertificateListError,
  maximumCertificateListOctets,
  readCertificateList,
} from '../../src/crl/certificate-list.ts';
import {
  crlNumber,
  crlReasons,
  deltaCrlIndicator,
  freshestCrl,
  invalidityDate,
  issuingDistributionPoint,
  reasonCode,
} from '../../src/crl/extensions.ts';
import { bitString, boolean, explicit, implicit, integer, nullValue, sequence, time } from '../../src/der/writer.ts';
import { authorityKeyIdentifier, type Extension, keyIdentifier, writeExtensions } from '../../src/extensions.ts';
import { extensionIds } from '../../src/object-identifiers.ts';
import { signatureAlgorithmFor, verifySignature } from '../../src/signature-algorithms.ts';
import { makeAuthority, now } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from '../support/foreign-bytes.ts';
import { opensslCrl } from './openssl.ts';

const authority = makeAuthority({ subject: 'CN=authority' });
const { identifier, sign } = signatureAlgorithmFor(authority.key);
const url = 'http://status.example/crl/issuing-3.crl';

type Parts = {
  readonly version?: Uint8Array | null;
  readonly innerAlgorithm?: Uint8Array;
  readonly nextUpdate?: Uint8Array | null;
  readonly entries?: readonly Uint8Array[] | null;
  readonly extensions?: readonly Extension[];
  readonly after?: Uint8Array;
};

/** A CRL, signed, of parts that may be wrong; null leaves one out. */
function makeCrl(parts: Parts = {}): Uint8Array {
  const { version = integer(1), nextUpdate = time(new Date('2026-07-01T00:00:00Z')), entries = null } = parts;
  const { extensions = [crlNumber(7)] } = parts;
  const tbs = sequence(
    ...(version === null ? [] : [version]),
    parts.innerAlgorithm ?? identifier,
    authority.certificate.subjectDer,
    time(now),
    ...(nextUpdate === null ? [] : [nextUpdate]),
    ...(entries === null ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [explicit(0, writeExtensions(extensions))]),
    ...(parts.after === undefined ? [] : [parts.after]),
  );
  return sequence(tbs, identifier, bitString(sign(tbs)));
}

function entry(serialNumber: Uint8Array, ...extensions: readonly Extension[]): Uint8Array {
  return sequence(serialNumber, time(now), ...(extensions.length === 0 ? [] : [writeExtensions(extensions)]));
}

function readAll(der: Uint8Array) {
  const list = readCertificateList(der);
  return { list, entries: [...list.entries()] };
}

function refuses(der: Uint8Array, detail: RegExp): void {
  assert.throws(
    () => readAll(der),
    (error) => error instanceof CertificateListError && error.code === 'malformed' && detail.test(error.detail),
  );
}

describe('RFC 5280 §5.1: CRLs of openssl', () => {
  it('reads entries, numbers and the authority key identifier', () => {
    const der = opensslCrl(authority, [
      { serialNumber: '0a', revocation: '260203040506Z' },
      { serialNumber: '0b', revocation: '260205000000Z,certificateHold' },
      { serialNumber: 'c0ffee', revocation: '260204000000Z,keyTime,20251224000000Z' },
    ]);
    const { list, entries } = readAll(der);
    assert.equal(list.crlNumber, 7n);
    assert.equal(list.baseCrlNumber, undefined);
    assert.equal(list.issuingDistributionPoint, undefined);
    assert.deepEqual(list.freshestCrl, []);
    assert.deepEqual(Buffer.from(list.issuerDer), Buffer.from(authority.certificate.subjectDer));
    assert.deepEqual(
      Buffer.from(list.authorityKeyIdentifier ?? []),
      Buffer.from(keyIdentifier(authority.certificate.subjectPublicKeyInfo)),
    );
    assert.equal((list.nextUpdate?.getTime() ?? 0) - list.thisUpdate.getTime(), 7 * 24 * 60 * 60 * 1000);
    assert.deepEqual(entries, [
      { serialNumber: '0a', revocationDate: new Date('2026-02-03T04:05:06Z'), reason: 0, invalidityDate: undefined },
      {
        serialNumber: '0b',
        revocationDate: new Date('2026-02-05T00:00:00Z'),
        reason: crlReasons.certificateHold,
        invalidityDate: undefined,
      },
      {
        serialNumber: 'c0ffee',
        revocationDate: new Date('2026-02-04T00:00:00Z'),
        reason: crlReasons.keyCompromise,
        invalidityDate: new Date('2025-12-24T00:00:00Z'),
      },
    ]);
    const { signatureAlgorithm, tbs, signature } = list;
    const spki = authority.certificate.subjectPublicKeyInfo;
    assert.ok(verifySignature({ algorithm: signatureAlgorithm, spki, data: tbs, signature }).ok);
  });

  it('reads one without entries, and a long number', () => {
    const { list, entries } = readAll(opensslCrl(authority, [], { number: 'FF00000000000000000001' }));
    assert.deepEqual(entries, []);
    assert.equal(list.crlNumber, 0xff00000000000000000001n);
  });

  it('§5.2.5 and §5.2.6: reads a critical issuing distribution point and the freshest CRL', () => {
    const { list } = readAll(
      opensslCrl(authority, [], {
        extensions: [
          'issuingDistributionPoint = critical, @point',
          `freshestCRL = URI:${url}`,
          '[point]',
          `fullname = URI:${url}`,
          'onlyuser = TRUE',
        ],
      }),
    );
    assert.deepEqual(list.issuingDistributionPoint, {
      fullName: [url],
      onlyContains: 'user-certificates',
      hasOnlySomeReasons: false,
      isIndirect: false,
    });
    assert.deepEqual(list.freshestCrl, [url]);
  });
});

describe('RFC 5280 §5.1.2: the fields of a CRL', () => {
  it('reads its own parts', () => {
    const delta = [
      crlNumber(9),
      deltaCrlIndicator(7),
      issuingDistributionPoint({ fullName: [url] }),
      freshestCrl([url]),
    ];
    const removed = entry(integer(0xc0ffee), reasonCode(8), invalidityDate(now));
    const { list, entries } = readAll(makeCrl({ extensions: delta, entries: [entry(integer(255)), removed] }));
    assert.deepEqual([list.crlNumber, list.baseCrlNumber], [9n, 7n]);
    assert.deepEqual(entries, [
      { serialNumber: 'ff', revocationDate: now, reason: 0, invalidityDate: undefined },
      { serialNumber: 'c0ffee', revocationDate: now, reason: 8, invalidityDate: now },
    ]);
  });

  it('gives the entries anew each time', () => {
    const list = readCertificateList(makeCrl({ entries: [entry(integer(5)), entry(integer(6))] }));
    const [first] = list.entries();
    assert.equal(first?.serialNumber, '05');
    assert.equal([...list.entries()].length, 2);
  });

  it('§5.1.2.5: takes a CRL without nextUpdate, and one of 2050', () => {
    assert.equal(readCertificateList(makeCrl({ nextUpdate: null })).nextUpdate, undefined);
    const late = new Date('2050-01-01T00:00:00Z');
    assert.deepEqual(readCertificateList(makeCrl({ nextUpdate: time(late) })).nextUpdate, late);
  });

  it('§5.1.2.1: takes version 1 without extensions', () => {
    const list = readCertificateList(makeCrl({ version: null, extensions: [] }));
    assert.equal(list.crlNumber, undefined);
    refuses(makeCrl({ version: null }), /extensions in a CRL of version 1/);
    refuses(makeCrl({ version: integer(2) }), /version 3 is unknown/);
  });

  it('§5.1.1.2: refuses two different signature algorithms', () => {
    const other = signatureAlgorithmFor(makeAuthority().key, { digest: 'sha512' }).identifier;
    refuses(makeCrl({ innerAlgorithm: other }), /not the one that was signed/);
  });

  it('refuses octets that belong nowhere', () => {
    refuses(makeCrl({ after: nullValue() }), /too many/);
    refuses(Buffer.concat([makeCrl(), Buffer.of(0)]), /too many/);
  });
});

describe('RFC 5280 §5.2 and §5.3: what would be misunderstood is refused', () => {
  const unknown = (isCritical: boolean): Extension => ({ id: '1.3.6.1.4.1.99999.1', isCritical, value: nullValue() });
  const certificateIssuer: Extension = { id: '2.5.29.29', isCritical: true, value: sequence() };

  it('unknown critical extensions of the CRL and of an entry, and only those', () => {
    refuses(makeCrl({ extensions: [unknown(true)] }), /critical extension 1\.3\.6\.1\.4\.1\.99999\.1/);
    refuses(makeCrl({ entries: [entry(integer(5), unknown(true))] }), /critical extension/);
    const { entries } = readAll(
      makeCrl({ extensions: [unknown(false)], entries: [entry(integer(5), unknown(false))] }),
    );
    assert.equal(entries.length, 1);
  });

  it('§5.3.3: indirect CRLs, by what they say of themselves and by their entries', () => {
    const value = sequence(implicit(4, boolean(true)));
    refuses(
      makeCrl({ extensions: [{ id: extensionIds.issuingDistributionPoint, isCritical: true, value }] }),
      /indirect/,
    );
    refuses(makeCrl({ entries: [entry(integer(5), certificateIssuer)] }), /2\.5\.29\.29/);
  });

  it('negative serial numbers, and reasons that there are not', () => {
    refuses(makeCrl({ entries: [entry(integer(-1))] }), /negative/);
    const value = Uint8Array.of(0x0a, 0x01, 0x07);
    refuses(
      makeCrl({ entries: [entry(integer(5), { id: extensionIds.reasonCode, isCritical: false, value })] }),
      /reason/,
    );
  });
});

describe('CRLs: limits and foreign bytes', () => {
  it('refuses more than 256 MiB before it reads them', () => {
    refuses(new Uint8Array(maximumCertificateListOctets + 1), /octets where/);
  });

  it('stops at an entry that is wrong, and gives those before it', () => {
    const list = readCertificateList(makeCrl({ entries: [entry(integer(5)), sequence(), entry(integer(6))] }));
    const seen: string[] = [];
    assert.throws(() => {
      for (const { serialNumber } of list.entries()) seen.push(serialNumber);
    }, CertificateListError);
    assert.deepEqual(seen, ['05']);
  });

  it('reads what it was told, for every entry', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 159n }), { maxLength: 40 }), (numbers) => {
        const { entries } = readAll(
          makeCrl({ entries: numbers.length === 0 ? null : numbers.map((n) => entry(integer(n))) }),
        );
        assert.deepEqual(
          entries.map(({ serialNumber }) => BigInt(`0x${serialNumber}`)),
          numbers,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('takes foreign bytes or throws CertificateListError', () => {
    const seed = makeCrl({
      extensions: [
        authorityKeyIdentifier(Buffer.alloc(20, 1)),
        crlNumber(9),
        deltaCrlIndicator(7),
        issuingDistributionPoint({ fullName: [url], onlyContains: 'user-certificates' }),
        freshestCrl([url]),
      ],
      entries: [entry(integer(5)), entry(integer(6), reasonCode(1), invalidityDate(now))],
    });
    assertOnlyThrows(readAll, [CertificateListError], foreignBytes(seed), 4000);
  });
});
