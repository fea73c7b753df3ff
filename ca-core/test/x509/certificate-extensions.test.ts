// The extensions that the certificate writer decides by itself: identifiers, criticality, and that none stands twice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { boolean, octetString } from '@gatehouse/pkix/der/writer';
import {
  crlDistributionPoints,
  keyIdentifier,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCrlDistributionPoints,
  readExtendedKeyUsage,
  readSubjectKeyIdentifier,
  writeExtension,
} from '@gatehouse/pkix/extensions';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { generateSoftwareKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { contentsFor, createTestAuthority, extensionValue, fullFacts, issueTestCertificate } from './builders.ts';

const authority = createTestAuthority('ecdsa-p256');
const subjectKey = createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).subjectPublicKeyInfo;

function issue(facts = {}, changes = {}): Certificate {
  return readCertificate(issueTestCertificate(authority, facts, contentsFor(subjectKey, changes)).der);
}

describe('RFC 5280 §4.2.1.1 and §4.2.1.2: key identifiers', () => {
  it('RFC 7093 §2 method 1: the subject key identifier is 160 bits of SHA-256 of the subjectPublicKey', () => {
    const value = extensionValue(issue(), extensionIds.subjectKeyIdentifier);
    assert.deepEqual(readSubjectKeyIdentifier(value), keyIdentifier(subjectKey));
  });

  it('the authority key identifier is the subject key identifier of the issuer', () => {
    const own = extensionValue(authority.certificate, extensionIds.subjectKeyIdentifier);
    const value = extensionValue(issue(), extensionIds.authorityKeyIdentifier);
    assert.deepEqual(readAuthorityKeyIdentifier(value), readSubjectKeyIdentifier(own));
  });

  it('an identifier that the issuer made in its own way is taken over', () => {
    const identifier = Buffer.from('any octets');
    const issuer = {
      ...authority.certificate,
      extensions: [{ id: extensionIds.subjectKeyIdentifier, isCritical: false, value: octetString(identifier) }],
    };
    const value = extensionValue(issue({ issuer }), extensionIds.authorityKeyIdentifier);
    assert.deepEqual(Buffer.from(readAuthorityKeyIdentifier(value) ?? []), identifier);
  });
});

describe('RFC 5280 §4.2.1.6: subject alternative name', () => {
  it('is critical if the subject is empty, else not', () => {
    assert.equal(extensionOf(issue(), extensionIds.subjectAlternativeName)?.isCritical, false);
    assert.equal(extensionOf(issue({}, { subject: [] }), extensionIds.subjectAlternativeName)?.isCritical, true);
  });

  it('is left out when there is no name', () => {
    assert.equal(extensionOf(issue({}, { names: [] }), extensionIds.subjectAlternativeName), undefined);
  });

  it('§4.1.2.6: refuses a certificate with neither subject nor name', () => {
    assert.throws(() => issue({}, { subject: [], names: [] }), { name: 'CoreError', code: 'rejected-name' });
  });

  it('§4.1.2.6: refuses a CA without a subject', () => {
    const facts = { basicConstraints: { isCa: true }, keyUsage: ['keyCertSign'] };
    assert.throws(() => issue(facts, { subject: [] }), { name: 'CoreError', code: 'rejected-name' });
  });
});

describe('RFC 5280 §4.2.1.9: basic constraints', () => {
  it('are critical, with the path length of the facts', () => {
    const facts = { basicConstraints: { isCa: true, pathLength: 0 }, keyUsage: ['keyCertSign'] };
    const certificate = issue(facts);
    assert.deepEqual(readBasicConstraints(extensionValue(certificate, extensionIds.basicConstraints)), {
      ca: true,
      pathLength: 0,
    });
    assert.equal(extensionOf(certificate, extensionIds.basicConstraints)?.isCritical, true);
  });

  it('refuse a path length or keyCertSign without a CA, and a CA without keyCertSign', () => {
    assert.throws(() => issue({ basicConstraints: { isCa: false, pathLength: 0 } }), RangeError);
    assert.throws(() => issue({ keyUsage: ['keyCertSign'] }), RangeError);
    assert.throws(() => issue({ rsaKeyUsage: ['keyCertSign'] }), RangeError);
    assert.throws(() => issue({ basicConstraints: { isCa: true } }), RangeError);
  });
});

describe('RFC 5280 §4.2: extensions', () => {
  const mustStaple = { id: extensionIds.tlsFeature, isCritical: false, value: Buffer.from('3003020105', 'hex') };

  it('are copied octet for octet', () => {
    const critical = { id: '1.3.6.1.4.1.99999.1', isCritical: true, value: boolean(true) };
    const certificate = issue({}, { extensions: [mustStaple, critical] });
    for (const wanted of [mustStaple, critical]) {
      const extension = extensionOf(certificate, wanted.id);
      assert.deepEqual(Buffer.from(extension?.value ?? []), Buffer.from(wanted.value));
      assert.equal(extension?.isCritical, wanted.isCritical);
    }
  });

  it('never stand twice', () => {
    const refusal = { name: 'CoreError', code: 'profile-refuses' };
    assert.throws(() => issue({}, { extensions: [mustStaple, mustStaple] }), refusal);
    for (const id of [
      extensionIds.subjectAlternativeName,
      extensionIds.subjectKeyIdentifier,
      extensionIds.authorityKeyIdentifier,
      extensionIds.keyUsage,
      extensionIds.basicConstraints,
    ]) {
      assert.throws(() => issue({}, { extensions: [{ ...mustStaple, id }] }), refusal);
    }
    const extendedKeyUsage = { ...mustStaple, id: extensionIds.extendedKeyUsage };
    assert.throws(() => issue(fullFacts, { extensions: [extendedKeyUsage] }), refusal);
  });

  it('that the profile leaves open may come from the request', () => {
    const value = Buffer.from('300a06082b06010505070301', 'hex');
    const certificate = issue({}, { extensions: [{ id: extensionIds.extendedKeyUsage, isCritical: false, value }] });
    assert.deepEqual(readExtendedKeyUsage(extensionValue(certificate, extensionIds.extendedKeyUsage)), [
      keyPurposes.serverAuth,
    ]);
  });
});

describe('RFC 9608 §2 and §3: noRevAvail', () => {
  it('stands in certificates of facts without revocation, NULL and not critical, and in no others', () => {
    const extension = extensionOf(issue({ isWithoutRevocation: true }), extensionIds.noRevAvail);
    assert.equal(extension?.isCritical, false);
    assert.deepEqual(Buffer.from(extension?.value ?? []), Buffer.from('0500', 'hex'));
    assert.equal(extensionOf(issue(), extensionIds.noRevAvail), undefined);
  });

  it('refuses a CA, and places where the status is found', () => {
    const ca = { basicConstraints: { isCa: true }, keyUsage: ['keyCertSign'] };
    assert.throws(() => issue({ isWithoutRevocation: true, ...ca }), RangeError);
    const { authorityInformationAccess, crlDistributionPoints } = fullFacts;
    assert.throws(() => issue({ isWithoutRevocation: true, authorityInformationAccess }), RangeError);
    assert.throws(() => issue({ isWithoutRevocation: true, crlDistributionPoints }), RangeError);
    const caIssuersOnly = { ocsp: [], caIssuers: authorityInformationAccess.caIssuers };
    issue({ isWithoutRevocation: true, authorityInformationAccess: caIssuersOnly });
  });
});

describe('RFC 5280 §4.2.1.13: a distribution point that comes with the contents', () => {
  const distributionPoint = writeExtension(crlDistributionPoints(['http://status.example/crl/issuing-3.crl']));

  it('is written as it is', () => {
    const certificate = issue({}, { distributionPoint });
    assert.deepEqual(readCrlDistributionPoints(extensionValue(certificate, extensionIds.crlDistributionPoints)), [
      'http://status.example/crl/issuing-3.crl',
    ]);
  });

  it('never stands beside another one, or beside noRevAvail', () => {
    assert.throws(() => issue(fullFacts, { distributionPoint }), RangeError);
    assert.throws(() => issue({ isWithoutRevocation: true }, { distributionPoint }), RangeError);
    const extensions = [crlDistributionPoints(['http://elsewhere.example/crl'])];
    assert.throws(() => issue({}, { distributionPoint, extensions }), { name: 'CoreError', code: 'profile-refuses' });
  });
});
