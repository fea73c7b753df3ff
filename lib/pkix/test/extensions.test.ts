import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { fromBER } from 'asn1js';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import { DerError } from '../src/der/reader.ts';
import { octetString, sequence } from '../src/der/writer.ts';
import * as extensions from '../src/extensions.ts';
import { NameError } from '../src/general-names.ts';
import { extensionIds, keyPurposes } from '../src/object-identifiers.ts';
import { subjectPublicKeyOctets } from '../src/public-key.ts';
import { newKey, spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes, octets } from './support/foreign-bytes.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const schema = (bytes: Uint8Array) => ({ schema: fromBER(Uint8Array.from(bytes).buffer).result });

describe('RFC 5280 §4.2: the list of extensions', () => {
  const list = [extensions.basicConstraints({ ca: true }), extensions.extendedKeyUsage([keyPurposes.serverAuth])];
  it('is read back as it was written', () => {
    assert.deepEqual(
      extensions
        .readExtensions(extensions.writeExtensions(list))
        .map(({ id, isCritical, value }) => [id, isCritical, hex(value)]),
      list.map(({ id, isCritical, value }) => [id, isCritical, hex(value)]),
    );
    assert.equal(extensions.findExtension(list, extensionIds.basicConstraints), list[0]);
  });
  it('refuses an extension that occurs twice, naming it', () => {
    const twice = extensions.writeExtensions([...list, ...list]);
    assert.throws(
      () => extensions.readExtensions(twice),
      (error) => error instanceof DerError && /2\.5\.29\.19 occurs twice/.test(error.detail),
    );
  });
  it('refuses an empty list', () => assert.throws(() => extensions.readExtensions(sequence()), DerError));
  it('leaves out the criticality that is the default (X.690 §11.5)', () => {
    assert.equal(
      hex(extensions.writeExtension({ id: '1.2.3', isCritical: false, value: octets('0500') })),
      '300806022a0304020500',
    );
  });
  it('throws nothing but DerError for foreign bytes', () => {
    assertOnlyThrows(extensions.readExtensions, [DerError], foreignBytes(extensions.writeExtensions(list)));
  });
});

describe('RFC 5280 §4.2.1.9: basicConstraints', () => {
  it('is read back as it was written', () => {
    for (const value of [{ ca: false }, { ca: true }, { ca: true, pathLength: 0 }, { ca: true, pathLength: 300 }]) {
      const extension = extensions.basicConstraints(value);
      assert.ok(extension.isCritical);
      assert.deepEqual(extensions.readBasicConstraints(extension.value), value);
    }
    assert.equal(hex(extensions.basicConstraints({ ca: false }).value), '3000');
    assert.equal(
      new pkijs.BasicConstraints(schema(extensions.basicConstraints({ ca: true, pathLength: 3 }).value))
        .pathLenConstraint,
      3,
    );
  });
  it('refuses a negative path length', () => {
    assert.throws(() => extensions.readBasicConstraints(octets('30060101ff0201ff')), DerError);
  });
});

describe('RFC 5280 §4.2.1.3: keyUsage', () => {
  it('is read back as it was written, for every set of usages', () => {
    fc.assert(
      fc.property(fc.subarray([...extensions.keyUsageNames]), (usages) => {
        assert.deepEqual(extensions.readKeyUsage(extensions.keyUsage(usages).value), usages);
      }),
    );
  });
  it('has the bits of the RFC', () => {
    assert.equal(hex(extensions.keyUsage(['keyCertSign', 'cRLSign']).value), '03020106');
    assert.equal(hex(extensions.keyUsage(['digitalSignature', 'keyEncipherment']).value), '030205a0');
    assert.equal(hex(extensions.keyUsage(['decipherOnly']).value), '0303070080');
  });
  it('refuses bits that have no name', () =>
    assert.throws(() => extensions.readKeyUsage(octets('0303060040')), DerError));
});

describe('RFC 5280 §4.2.1.12: extendedKeyUsage', () => {
  it('is read back as it was written', () => {
    const purposes = [keyPurposes.serverAuth, keyPurposes.cmcRA];
    assert.deepEqual(extensions.readExtendedKeyUsage(extensions.extendedKeyUsage(purposes).value), purposes);
  });
  it('refuses an empty list', () => assert.throws(() => extensions.readExtendedKeyUsage(sequence()), DerError));
});

describe('RFC 7093 §2: key identifiers', () => {
  it('are the leftmost 160 bits of the SHA-256 of the key octets', () => {
    const spki = spkiOf(newKey());
    const point = Buffer.from(spki).subarray(-65);
    assert.deepEqual(subjectPublicKeyOctets(spki), point);
    const wanted = createHash('sha256').update(point).digest().subarray(0, 20);
    assert.deepEqual(Buffer.from(extensions.keyIdentifier(spki)), wanted);
    assert.deepEqual(
      Buffer.from(extensions.readSubjectKeyIdentifier(extensions.subjectKeyIdentifier(spki).value)),
      wanted,
    );
    const authority = extensions.authorityKeyIdentifier(wanted);
    assert.deepEqual(Buffer.from(extensions.readAuthorityKeyIdentifier(authority.value) ?? []), wanted);
    assert.deepEqual(
      new pkijs.AuthorityKeyIdentifier(schema(authority.value)).keyIdentifier?.valueBlock.valueHexView,
      Uint8Array.from(wanted),
    );
  });
  it('may be absent from an authorityKeyIdentifier', () =>
    assert.equal(extensions.readAuthorityKeyIdentifier(sequence()), undefined));
});

describe('RFC 5280 §4.2.1.4, §4.2.2.1, §4.2.1.13: policies and places', () => {
  it('reads back policies, with and without the place of a statement', () => {
    const policies = [{ id: '2.23.140.1.2.1' }, { id: '1.2.3', cps: 'https://a.example/cps' }];
    const { value } = extensions.certificatePolicies(policies);
    assert.deepEqual(extensions.readCertificatePolicies(value), policies);
    assert.equal(new pkijs.CertificatePolicies(schema(value)).certificatePolicies.length, 2);
  });
  it('reads back where status, issuer and CRL are', () => {
    const access = { ocsp: ['http://o.example/'], caIssuers: ['http://i.example/ca.cer', 'ldap://h/x'] };
    assert.deepEqual(
      extensions.readAuthorityInformationAccess(extensions.authorityInformationAccess(access).value),
      access,
    );
    const points = ['http://a.example/1.crl', 'http://b.example/1.crl'];
    const { value } = extensions.crlDistributionPoints(points);
    assert.deepEqual(extensions.readCrlDistributionPoints(value), points);
    assert.equal(new pkijs.CRLDistributionPoints(schema(value)).distributionPoints.length, 2);
  });
  it('refuses to write a place that is no URI', () => {
    assert.throws(() => extensions.crlDistributionPoints(['nowhere']), NameError);
    assert.throws(() => extensions.authorityInformationAccess({ ocsp: ['/x'] }), NameError);
  });
});

describe('foreign extension values', () => {
  const spki = spkiOf(newKey());
  const readers: readonly [string, (value: Uint8Array) => unknown, Uint8Array][] = [
    [
      'basicConstraints',
      extensions.readBasicConstraints,
      extensions.basicConstraints({ ca: true, pathLength: 1 }).value,
    ],
    ['keyUsage', extensions.readKeyUsage, extensions.keyUsage(['cRLSign']).value],
    ['extendedKeyUsage', extensions.readExtendedKeyUsage, extensions.extendedKeyUsage(['1.2.3', '1.2.4']).value],
    ['subjectKeyIdentifier', extensions.readSubjectKeyIdentifier, extensions.subjectKeyIdentifier(spki).value],
    [
      'authorityKeyIdentifier',
      extensions.readAuthorityKeyIdentifier,
      extensions.authorityKeyIdentifier(Buffer.alloc(20)).value,
    ],
    [
      'subjectAltName',
      extensions.readSubjectAlternativeName,
      extensions.subjectAlternativeName([{ kind: 'dns', value: 'a' }]).value,
    ],
    [
      'certificatePolicies',
      extensions.readCertificatePolicies,
      extensions.certificatePolicies([{ id: '1.2.3', cps: 'http://a/' }]).value,
    ],
    [
      'authorityInfoAccess',
      extensions.readAuthorityInformationAccess,
      extensions.authorityInformationAccess({ ocsp: ['http://a/'] }).value,
    ],
    [
      'cRLDistributionPoints',
      extensions.readCrlDistributionPoints,
      extensions.crlDistributionPoints(['http://a/']).value,
    ],
    [
      'nameConstraints',
      extensions.readNameConstraints,
      extensions.nameConstraints({
        permitted: [{ kind: 'dns', value: 'a' }],
        excluded: [{ kind: 'ip', value: '10.0.0.0/8' }],
      }).value,
    ],
  ];
  for (const [name, read, seed] of readers) {
    it(`of ${name} are read or refused with a typed error`, () => {
      assertOnlyThrows(read, [DerError, NameError], foreignBytes(seed, octetString(seed)), 600);
    });
  }
});

describe('RFC 9608 §2, RFC 6960 §4.2.2.2.1: extensions that say something by being there', () => {
  it('hold NULL and are not critical', () => {
    assert.equal(hex(extensions.writeExtension(extensions.noRevocationAvailable())), '30090603551d3804020500');
    assert.equal(hex(extensions.writeExtension(extensions.ocspNoCheck())), '300f06092b060105050730010504020500');
  });
});
