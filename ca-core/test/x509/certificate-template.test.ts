// The certificate writer against RFC 5280, our reader, node's X509Certificate and the encoder of @peculiar/asn1-x509.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { DerCursor, tags } from '@gatehouse/pkix/der/reader';
import {
  readAuthorityInformationAccess,
  readBasicConstraints,
  readCertificatePolicies,
  readCrlDistributionPoints,
  readExtendedKeyUsage,
} from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { attribute } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate as PeculiarCertificate } from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { generateSoftwareKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { createCertificateTemplate, writeTbsCertificate } from '../../src/x509/certificate-template.ts';
import {
  contentsFor,
  createTestAuthority,
  extensionValue,
  fullFacts,
  issueTestCertificate,
  plainFacts,
} from './builders.ts';

const authority = createTestAuthority('ecdsa-p256');
const subjectKey = createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).subjectPublicKeyInfo;

function issue(facts = {}, changes = {}): Certificate {
  return readCertificate(issueTestCertificate(authority, facts, contentsFor(subjectKey, changes)).der);
}

describe('RFC 5280 §4.1: what goes in comes out', () => {
  it('writes all fields of the facts and the contents', () => {
    const notBefore = new Date('2026-06-01T12:34:56Z');
    const notAfter = new Date('2027-06-01T12:34:55Z');
    const names: readonly GeneralName[] = [
      { kind: 'dns', value: 'www.example.com' },
      { kind: 'ip', value: '192.0.2.1' },
      { kind: 'uri', value: 'spiffe://example.org/web' },
      { kind: 'email', value: 'web@example.com' },
    ];
    const subject = [[attribute('C', 'DE')], [attribute('O', 'Beispiel Größe')], [attribute('CN', 'www.example.com')]];
    const certificate = issue(fullFacts, { notBefore, notAfter, names, subject });
    assert.equal(certificate.version, 3);
    assert.match(certificate.serialNumber, /^2a01[0-9a-f]{32}$/);
    assert.deepEqual(certificate.issuer, authority.certificate.subject);
    assert.deepEqual(certificate.subject, subject);
    assert.deepEqual(certificate.notBefore, notBefore);
    assert.deepEqual(certificate.notAfter, notAfter);
    assert.deepEqual(Buffer.from(certificate.subjectPublicKeyInfo), subjectKey);
    assert.deepEqual(subjectAlternativeNames(certificate), names);
    assert.deepEqual(
      readExtendedKeyUsage(extensionValue(certificate, extensionIds.extendedKeyUsage)),
      fullFacts.extendedKeyUsage,
    );
    assert.deepEqual(readCertificatePolicies(extensionValue(certificate, extensionIds.certificatePolicies)), [
      { id: '2.23.140.1.2.1' },
    ]);
    assert.deepEqual(
      readAuthorityInformationAccess(extensionValue(certificate, extensionIds.authorityInformationAccess)),
      fullFacts.authorityInformationAccess,
    );
    assert.deepEqual(
      readCrlDistributionPoints(extensionValue(certificate, extensionIds.crlDistributionPoints)),
      fullFacts.crlDistributionPoints,
    );
    assert.deepEqual(readBasicConstraints(extensionValue(certificate, extensionIds.basicConstraints)), { ca: false });
  });

  it('writes the same octets again from what was read', () => {
    const { tbs, der } = issueTestCertificate(authority, fullFacts, contentsFor(subjectKey));
    const read = readCertificate(der);
    const template = createCertificateTemplate({
      ...plainFacts,
      ...fullFacts,
      issuer: authority.certificate,
      signatureAlgorithm: authority.signer.signatureAlgorithm,
    });
    const again = writeTbsCertificate(template, {
      serialNumber: Buffer.from(read.serialNumber, 'hex'),
      notBefore: read.notBefore,
      notAfter: read.notAfter,
      subject: read.subject,
      subjectPublicKeyInfo: read.subjectPublicKeyInfo,
      names: subjectAlternativeNames(read),
      extensions: [],
    });
    assert.deepEqual(again, tbs);
  });

  it('is understood by other implementations in the same way', () => {
    const names: GeneralName[] = [
      { kind: 'dns', value: '*.example.com' },
      { kind: 'ip', value: '2001:db8::1' },
    ];
    const { der } = issueTestCertificate(authority, fullFacts, contentsFor(subjectKey, { names }));
    const node = new X509Certificate(der);
    assert.equal(node.subject, 'CN=www.example.com');
    assert.equal(node.subjectAltName, 'DNS:*.example.com, IP Address:2001:DB8:0:0:0:0:0:1');
    assert.deepEqual(node.keyUsage, fullFacts.extendedKeyUsage);
    assert.equal(node.ca, false);
  });

  it('is written by another encoder with the same octets', () => {
    const names: GeneralName[] = [
      { kind: 'dns', value: 'www.example.com' },
      { kind: 'ip', value: '192.0.2.1' },
    ];
    for (const notAfter of [new Date('2049-12-31T23:59:59Z'), new Date('2050-01-01T00:00:00Z')]) {
      const { der } = issueTestCertificate(authority, fullFacts, contentsFor(subjectKey, { names, notAfter }));
      const parsed = AsnConvert.parse(der, PeculiarCertificate);
      assert.equal(parsed.tbsCertificate.validity.notAfter.getTime().getTime(), notAfter.getTime());
      // Without the octets that the parser keeps, it has to encode every field anew.
      delete parsed.tbsCertificateRaw;
      assert.deepEqual(Buffer.from(AsnConvert.serialize(parsed)), Buffer.from(der));
    }
  });

  it('holds for any serial number, validity and names', () => {
    const seconds = fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
    const labels = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 19 }).filter((octets) => octets[0] !== 0),
        fc.tuple(seconds, seconds),
        fc.array(labels, { minLength: 1, maxLength: 40 }),
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter((text) => !text.includes('\0')),
        (serialNumber, period, hosts, commonName) => {
          const [from, to] = period.toSorted((a, b) => a - b);
          const names = hosts.map((host) => ({ kind: 'dns', value: `${host}.example` }) as const);
          const certificate = issue(
            {},
            {
              serialNumber,
              notBefore: new Date((from ?? 0) * 1000),
              notAfter: new Date((to ?? 0) * 1000),
              names,
              subject: [[attribute('CN', commonName.toWellFormed())]],
            },
          );
          assert.equal(certificate.serialNumber, Buffer.from(serialNumber).toString('hex'));
          assert.equal(certificate.notBefore.getTime(), (from ?? 0) * 1000);
          assert.equal(certificate.notAfter.getTime(), (to ?? 0) * 1000);
          assert.deepEqual(subjectAlternativeNames(certificate), names);
          assert.equal(certificate.subject[0]?.[0]?.value, commonName.toWellFormed());
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('RFC 5280 §4.1.2.5: validity', () => {
  function timeTags(changes: object): readonly (number | undefined)[] {
    const { tbs } = issueTestCertificate(authority, {}, contentsFor(subjectKey, changes));
    const fields = new DerCursor(tbs).enter(tags.sequence);
    fields.skip(0xa0);
    fields.skip(tags.integer);
    fields.skip(tags.sequence);
    fields.skip(tags.sequence);
    const validity = fields.enter(tags.sequence);
    return [validity.read().tag, validity.read().tag];
  }

  it('is UTCTime through 2049', () => {
    const notAfter = new Date('2049-12-31T23:59:59Z');
    assert.deepEqual(timeTags({ notAfter }), [tags.utcTime, tags.utcTime]);
  });

  it('is GeneralizedTime from 2050 on', () => {
    const notAfter = new Date('2050-01-01T00:00:00Z');
    assert.deepEqual(timeTags({ notAfter }), [tags.utcTime, tags.generalizedTime]);
    const never = issue({}, { notAfter: new Date('9999-12-31T23:59:59Z') });
    assert.equal(new X509Certificate(never.der).validTo, 'Dec 31 23:59:59 9999 GMT');
  });

  it('cuts fractions of a second', () => {
    const certificate = issue({}, { notBefore: new Date('2026-06-01T00:00:00.999Z') });
    assert.equal(certificate.notBefore.toISOString(), '2026-06-01T00:00:00.000Z');
  });

  it('refuses an end before the beginning', () => {
    assert.throws(() => issue({}, { notAfter: new Date('2026-05-31T00:00:00Z') }), RangeError);
    assert.throws(() => issue({}, { notAfter: new Date(Number.NaN) }), RangeError);
  });
});

describe('RFC 5280 §4.1.2.2: serial number', () => {
  it('refuses zero and more than 20 octets', () => {
    assert.throws(() => issue({}, { serialNumber: Uint8Array.of(0, 0) }), RangeError);
    assert.throws(() => issue({}, { serialNumber: new Uint8Array(0) }), RangeError);
    assert.throws(() => issue({}, { serialNumber: new Uint8Array(21).fill(1) }), RangeError);
  });

  it('refuses 20 octets that would need a 21st to be positive', () => {
    assert.throws(() => issue({}, { serialNumber: new Uint8Array(20).fill(0xff) }), RangeError);
  });
});
