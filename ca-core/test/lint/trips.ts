// For each lint, encodings that it must find. Every lint must stand here; the test refuses a lint without an example.
import { stringTags } from '@gatehouse/pkix/der/strings';
import {
  bitString,
  boolean,
  explicit,
  generalizedTime,
  implicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  set,
  setOf,
  time,
  wrap,
} from '@gatehouse/pkix/der/writer';
import {
  accessMethods,
  algorithms,
  attributeTypes,
  extensionIds,
  keyPurposes,
  policyIds,
} from '@gatehouse/pkix/object-identifiers';
import {
  algorithmIdentifier,
  attribute,
  buildCaWith,
  buildCertificate,
  buildServer,
  buildServerNamed,
  buildServerOf,
  buildServerWith,
  distributionPoint,
  dns,
  extension,
  generalizedTimeOf,
  identifiers,
  ip,
  keyUsageOf,
  location,
  mail,
  name,
  policies,
  rsaKey,
  uri,
  utcTimeOf,
} from './build-certificate.ts';

const ids = extensionIds;
const { printableString, teletexString, utf8String, bmpString } = stringTags;

const server = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  buildServerWith({ [id]: extension(id, value, critical) });
const ca = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  buildCaWith({ [id]: extension(id, value, critical) });
const lasting = (from: string, days: number, seconds = 0): Uint8Array => {
  const start = Date.parse(`${from}T00:00:00Z`);
  return buildServer({
    notBefore: time(new Date(start)),
    notAfter: time(new Date(start + days * 86_400_000 + seconds * 1000)),
  });
};
const keyed = (subjectPublicKeyInfo: Uint8Array): Uint8Array => buildServer({ subjectPublicKeyInfo });
const point = Buffer.concat([Uint8Array.of(4), Buffer.alloc(64, 1)]);
const ecKey = (parameters: Uint8Array, octets: Uint8Array = point): Uint8Array =>
  sequence(algorithmIdentifier(algorithms.ecPublicKey, parameters), bitString(octets));
const flagged = (id: string, value: Uint8Array): Uint8Array => extension(id, value, true);
const rawAttribute = (type: string, tag: number, octets: Uint8Array): Uint8Array =>
  sequence(objectIdentifier(type), wrap(tag, octets));
const ed25519Key = sequence(algorithmIdentifier(algorithms.ed25519), bitString(Buffer.alloc(32, 7)));
const noRevAvail = extension(ids.noRevAvail, nullValue());
const ocspLocation = sequence(location(accessMethods.ocsp, uri('http://ocsp.gatehouse.dev/')));
const statusLocation = sequence(distributionPoint(uri('http://crl.gatehouse.dev/1.crl')));
/** A server certificate with noRevAvail, and of the places where a status is found only those that are given. */
const shortLived = (changes: Readonly<Record<string, Uint8Array | undefined>>): Uint8Array =>
  buildServerWith({
    [ids.authorityInformationAccess]: undefined,
    [ids.crlDistributionPoints]: undefined,
    [ids.noRevAvail]: noRevAvail,
    ...changes,
  });
const constraints = sequence(wrap(0xa0, sequence(dns('gatehouse.dev'))));

/** Examples by lint id, in the order of the tables. */
export const trips: Readonly<Record<string, readonly Uint8Array[]>> = {
  'rfc5280-version-3': [buildServer({ version: undefined }), buildServer({ version: explicit(0, integer(1)) })],
  'rfc5280-serial-number-positive': [
    buildServer({ serialNumber: integer(0) }),
    buildServer({ serialNumber: wrap(0x02, Buffer.alloc(16, 0x81)) }),
  ],
  'rfc5280-serial-number-length': [buildServer({ serialNumber: integer(Buffer.alloc(21, 0x11)) })],
  'rfc5280-serial-number-minimal': [
    buildServer({ serialNumber: wrap(0x02, Uint8Array.of(0, 0x11), Buffer.alloc(12, 9)) }),
    buildServer({ serialNumber: wrap(0x02, Uint8Array.of(0xff, 0x81), Buffer.alloc(12, 9)) }),
  ],
  'rfc5280-signature-algorithm-identical': [
    buildCertificate(buildServer(), algorithmIdentifier(algorithms.ecdsaWithSHA384)),
  ],
  'rfc5280-unique-identifiers-absent': [
    buildServer({ uniqueIdentifier: implicit(1, bitString(Buffer.alloc(4))) }),
    buildServer({ uniqueIdentifier: implicit(2, bitString(Buffer.alloc(4))) }),
  ],
  'rfc5280-validity-form': [
    buildServer({ notBefore: utcTimeOf('2611010000Z') }),
    buildServer({ notAfter: utcTimeOf('270101000000+0100') }),
    buildServer({ notAfter: generalizedTimeOf('20510101000000.5Z') }),
  ],
  'rfc5280-validity-time-type': [
    buildServer({ notBefore: generalizedTime(new Date('2026-11-01T00:00:00Z')) }),
    buildServer({ notAfter: generalizedTime(new Date('2049-12-31T23:59:59Z')) }),
  ],
  'rfc5280-validity-order': [lasting('2026-11-01', -1), lasting('2026-11-01', 0)],
  'rfc5280-extensions-not-empty': [buildServer({ extensions: [] })],
  'rfc5280-extensions-unique': [
    buildServer({
      extensions: [
        extension(ids.extendedKeyUsage, identifiers(keyPurposes.serverAuth)),
        extension(ids.subjectAlternativeName, sequence(dns('a.gatehouse.dev'))),
        extension(ids.extendedKeyUsage, identifiers(keyPurposes.clientAuth)),
      ],
    }),
  ],
  'rfc5280-default-values-omitted': [
    buildServerWith({ [ids.keyUsage]: extension(ids.keyUsage, keyUsageOf(0), false, true) }),
    server(ids.basicConstraints, sequence(boolean(false)), true),
  ],
  'rfc5280-signature-parameters': [
    buildServer({ signature: algorithmIdentifier(algorithms.ecdsaWithSHA256, nullValue()) }),
    buildServer({ signature: algorithmIdentifier(algorithms.sha256WithRSAEncryption) }),
    buildServer({ signature: algorithmIdentifier(algorithms.rsassaPss, nullValue()) }),
    buildServer({ signature: algorithmIdentifier(algorithms.mlDsa65, nullValue()) }),
  ],
  'rfc5280-key-parameters': [
    keyed(rsaKey(2n ** 2047n + 1n, 65_537n, [])),
    keyed(sequence(algorithmIdentifier(algorithms.ed25519, nullValue()), bitString(Buffer.alloc(32, 7)))),
  ],
  'rfc5480-named-curve': [keyed(ecKey(sequence(integer(1)))), keyed(ecKey(nullValue()))],
  'rfc5480-point-form': [
    keyed(ecKey(objectIdentifier(algorithms.secp256r1), Uint8Array.of(0))),
    keyed(ecKey(objectIdentifier(algorithms.secp256r1), Buffer.concat([Uint8Array.of(6), Buffer.alloc(64, 1)]))),
  ],
  'rfc3279-rsa-integers-positive': [keyed(rsaKey(-(2n ** 2047n))), keyed(rsaKey(2n ** 2047n + 1n, -3n))],
  'rfc5280-issuer-not-empty': [buildServer({ issuer: sequence() })],
  'rfc5280-ca-subject-not-empty': [buildCaWith({}, { subject: sequence() })],
  'rfc5280-relative-distinguished-name-not-empty': [buildServer({ subject: sequence(set()) })],
  'rfc5280-relative-distinguished-name-order': [
    buildServer({
      subject: sequence(
        set(attribute(attributeTypes.OU, 'a unit of the house'), attribute(attributeTypes.CN, 'www.gatehouse.dev')),
      ),
    }),
  ],
  'rfc5280-name-string-type': [
    buildServerOf(attribute(attributeTypes.O, 'Gatehouse', teletexString)),
    buildServerOf(attribute(attributeTypes.O, 'Gatehouse', bmpString)),
    buildServerOf(attribute(attributeTypes.C, 'DE', utf8String)),
    buildServerOf(attribute(attributeTypes.serialNumber, '4711', utf8String)),
    buildServerOf(attribute(attributeTypes.DC, 'dev', utf8String)),
    buildServer({ issuer: name(attribute(attributeTypes.CN, 'CA', teletexString)) }),
  ],
  'rfc5280-name-repertoire': [
    buildServerOf(rawAttribute(attributeTypes.O, printableString, Buffer.from('Gate@House'))),
    buildServerOf(rawAttribute(attributeTypes.O, utf8String, Uint8Array.of(0x47, 0xc3))),
  ],
  'rfc5280-name-control-characters': [
    buildServerOf(attribute(attributeTypes.O, 'Gate\0house')),
    buildServerOf(attribute(attributeTypes.O, 'Gate\x7fhouse')),
  ],
  'rfc5280-name-attribute-not-empty': [buildServerOf(attribute(attributeTypes.O, ''))],
  'rfc5280-name-upper-bounds': [
    buildServerOf(attribute(attributeTypes.O, 'g'.repeat(65))),
    buildServerOf(attribute(attributeTypes.L, 'é'.repeat(129))),
    buildServer({ issuer: name(attribute(attributeTypes.CN, 'c'.repeat(65))) }),
  ],
  'rfc5280-country-name-length': [
    buildServerOf(attribute(attributeTypes.C, 'DEU', printableString)),
    buildServerOf(attribute(attributeTypes.C, '49', printableString)),
  ],
  'rfc5280-authority-key-identifier-not-critical': [
    server(ids.authorityKeyIdentifier, sequence(implicit(0, octetString(Buffer.alloc(20)))), true),
  ],
  'rfc5280-subject-key-identifier-not-critical': [
    server(ids.subjectKeyIdentifier, octetString(Buffer.alloc(20)), true),
  ],
  'rfc5280-key-usage-critical': [server(ids.keyUsage, keyUsageOf(0))],
  'rfc5280-policy-mappings-critical': [ca(ids.policyMappings, sequence(identifiers('1.2.3', '1.2.4')))],
  'rfc5280-issuer-alternative-name-not-critical': [
    server(ids.issuerAlternativeName, sequence(dns('ca.gatehouse.dev')), true),
  ],
  'rfc5280-subject-directory-attributes-not-critical': [server(ids.subjectDirectoryAttributes, sequence(), true)],
  'rfc5280-name-constraints-critical': [ca(ids.nameConstraints, constraints)],
  'rfc5280-policy-constraints-critical': [ca(ids.policyConstraints, sequence(implicit(0, integer(0))))],
  'rfc5280-crl-distribution-points-not-critical': [
    server(ids.crlDistributionPoints, sequence(distributionPoint(uri('http://crl.gatehouse.dev/1'))), true),
  ],
  'rfc5280-inhibit-any-policy-critical': [ca(ids.inhibitAnyPolicy, integer(0))],
  'rfc5280-freshest-crl-not-critical': [
    server(ids.freshestCrl, sequence(distributionPoint(uri('http://crl.gatehouse.dev/d'))), true),
  ],
  'rfc5280-authority-information-access-not-critical': [
    server(
      ids.authorityInformationAccess,
      sequence(location(accessMethods.ocsp, uri('http://o.gatehouse.dev/'))),
      true,
    ),
  ],
  'rfc5280-subject-information-access-not-critical': [
    server(ids.subjectInformationAccess, sequence(location('1.2.3', uri('http://o.gatehouse.dev/'))), true),
  ],
  'rfc5280-ca-subject-key-identifier-present': [buildCaWith({ [ids.subjectKeyIdentifier]: undefined })],
  'rfc5280-subject-key-identifier-present': [buildServerWith({ [ids.subjectKeyIdentifier]: undefined })],
  'rfc5280-authority-key-identifier-present': [
    buildServerWith({ [ids.authorityKeyIdentifier]: undefined }),
    server(ids.authorityKeyIdentifier, sequence()),
  ],
  'rfc5280-authority-key-identifier-issuer-and-serial': [
    server(ids.authorityKeyIdentifier, sequence(implicit(0, octetString(Buffer.alloc(20))), implicit(2, integer(5)))),
  ],
  'rfc5280-extended-key-usage-not-empty': [server(ids.extendedKeyUsage, sequence())],
  'rfc5280-any-extended-key-usage-not-critical': [
    server(ids.extendedKeyUsage, identifiers(keyPurposes.anyExtendedKeyUsage), true),
  ],
  'rfc5280-ca-basic-constraints-critical': [ca(ids.basicConstraints, sequence(boolean(true)))],
  'rfc5280-path-length-only-in-ca': [server(ids.basicConstraints, sequence(integer(0)), true)],
  'rfc5280-path-length-needs-key-cert-sign': [ca(ids.keyUsage, keyUsageOf(6), true)],
  'rfc5280-path-length-not-negative': [ca(ids.basicConstraints, sequence(boolean(true), integer(-1)), true)],
  'rfc5280-ca-key-usage-present': [buildCaWith({ [ids.keyUsage]: undefined }), ca(ids.keyUsage, keyUsageOf(0), true)],
  'rfc5280-key-cert-sign-only-in-ca': [server(ids.keyUsage, keyUsageOf(0, 5), true)],
  'rfc5280-key-usage-not-empty': [
    server(ids.keyUsage, keyUsageOf(), true),
    server(ids.keyUsage, bitString(Uint8Array.of(0)), true),
  ],
  'rfc5280-key-usage-minimal': [
    server(ids.keyUsage, bitString(Uint8Array.of(0x80)), true),
    server(ids.keyUsage, bitString(Uint8Array.of(0x80, 0x40), 6), true),
  ],
  'rfc5280-encipher-only-needs-key-agreement': [
    server(ids.keyUsage, keyUsageOf(0, 7), true),
    server(ids.keyUsage, keyUsageOf(0, 4, 7, 8), true),
  ],
  'rfc5280-key-usage-fits-key': [
    server(ids.keyUsage, keyUsageOf(0, 2), true),
    buildServerWith({ [ids.keyUsage]: flagged(ids.keyUsage, keyUsageOf(0, 4)) }, { subjectPublicKeyInfo: ed25519Key }),
    buildServerWith(
      { [ids.keyUsage]: flagged(ids.keyUsage, keyUsageOf(0, 4)) },
      { subjectPublicKeyInfo: rsaKey(2n ** 2047n + 1n) },
    ),
  ],
  'rfc5280-name-constraints-only-in-ca': [server(ids.nameConstraints, constraints, true)],
  'rfc5280-name-constraints-not-empty': [ca(ids.nameConstraints, sequence(), true)],
  'rfc5280-policy-extensions-only-in-ca': [server(ids.inhibitAnyPolicy, integer(0), true)],
  'rfc5280-subject-alternative-name-not-empty': [buildServerNamed()],
  'rfc5280-empty-subject-has-critical-alternative-name': [
    buildServerOf(),
    buildServerWith({ [ids.subjectAlternativeName]: undefined }, { subject: sequence() }),
  ],
  'rfc5280-subject-alternative-name-not-critical': [
    server(ids.subjectAlternativeName, sequence(dns('www.gatehouse.dev')), true),
  ],
  'rfc5280-general-name-kind': [buildServerNamed(wrap(0x89, Uint8Array.of(1)))],
  'rfc5280-general-name-ascii': [
    buildServerNamed(dns('www.gatehouse.dev\0.evil.example')),
    buildServerNamed(dns('wéb.gatehouse.dev')),
    buildServerNamed(uri('https://gatehouse.dev/\n')),
  ],
  'rfc5280-dns-name-syntax': [
    buildServerNamed(dns('')),
    buildServerNamed(dns(' ')),
    buildServerNamed(dns('www.gatehouse.dev.')),
    buildServerNamed(dns('-www.gatehouse.dev')),
    buildServerNamed(dns('www..gatehouse.dev')),
    buildServerNamed(dns(`${'a'.repeat(64)}.gatehouse.dev`)),
    buildServerNamed(dns(`${'a.'.repeat(126)}dev`)),
    buildServerNamed(dns('www*.gatehouse.dev')),
  ],
  'rfc5280-mail-address-syntax': [
    buildServerNamed(mail('Gate House <a@gatehouse.dev>')),
    buildServerNamed(mail('gatehouse.dev')),
    buildServerNamed(mail('a b@gatehouse.dev')),
    buildServerNamed(mail('a@gatehouse..dev')),
  ],
  'rfc5280-uri-absolute': [
    buildServerNamed(uri('/path')),
    buildServerNamed(uri('https:')),
    buildServerNamed(uri('https:///path')),
    buildServerNamed(uri('https://user@:443/path')),
    buildServerNamed(uri('urn:a b')),
    buildServerNamed(uri('https://gatehouse.dev/{id}')),
  ],
  'rfc5280-ip-address-length': [buildServerNamed(ip(9, 9, 9)), buildServerNamed(ip(9, 9, 9, 9, 255, 255, 255, 0))],
  'rfc5280-certificate-policies-not-empty': [server(ids.certificatePolicies, sequence())],
  'rfc5280-certificate-policies-unique': [server(ids.certificatePolicies, policies('1.2.3', '1.2.4', '1.2.3'))],
  'rfc5280-authority-information-access-not-empty': [server(ids.authorityInformationAccess, sequence())],
  'rfc5280-authority-information-access-location': [
    server(ids.authorityInformationAccess, sequence(location(accessMethods.ocsp, uri('ocsp.gatehouse.dev')))),
    server(ids.authorityInformationAccess, sequence(location(accessMethods.ocsp, dns('ocsp.gatehouse.dev')))),
  ],
  'rfc5280-crl-distribution-points-not-empty': [server(ids.crlDistributionPoints, sequence())],
  'rfc5280-distribution-point-has-name': [
    server(ids.crlDistributionPoints, sequence(sequence(implicit(1, bitString(Uint8Array.of(0x40), 6))))),
    server(ids.crlDistributionPoints, sequence(distributionPoint())),
  ],
  'rfc5280-distribution-point-location': [
    server(ids.crlDistributionPoints, sequence(distributionPoint(uri('/1.crl')))),
    server(ids.crlDistributionPoints, sequence(distributionPoint(uri('file:///1.crl')))),
  ],
  'rfc9608-no-rev-avail-null': [
    shortLived({ [ids.noRevAvail]: extension(ids.noRevAvail, sequence()) }),
    shortLived({ [ids.noRevAvail]: extension(ids.noRevAvail, new Uint8Array()) }),
    shortLived({ [ids.noRevAvail]: extension(ids.noRevAvail, wrap(0x05, Uint8Array.of(0))) }),
  ],
  'rfc9608-no-rev-avail-not-critical': [shortLived({ [ids.noRevAvail]: flagged(ids.noRevAvail, nullValue()) })],
  'rfc9608-no-rev-avail-not-in-ca': [buildCaWith({ [ids.noRevAvail]: noRevAvail })],
  'rfc9608-no-rev-avail-without-distribution-points': [
    shortLived({ [ids.crlDistributionPoints]: extension(ids.crlDistributionPoints, statusLocation) }),
  ],
  'rfc9608-no-rev-avail-without-freshest-crl': [
    shortLived({ [ids.freshestCrl]: extension(ids.freshestCrl, statusLocation) }),
  ],
  'rfc9608-no-rev-avail-without-responder': [
    shortLived({ [ids.authorityInformationAccess]: extension(ids.authorityInformationAccess, ocspLocation) }),
  ],
  'rfc6960-ocsp-no-check-null': [server(ids.ocspNoCheck, boolean(true)), server(ids.ocspNoCheck, new Uint8Array())],
  'rfc6960-ocsp-no-check-not-critical': [server(ids.ocspNoCheck, nullValue(), true)],
  'rfc6960-responder-status-settled': [
    buildServerWith({
      [ids.extendedKeyUsage]: extension(ids.extendedKeyUsage, identifiers(keyPurposes.OCSPSigning)),
      [ids.crlDistributionPoints]: undefined,
      [ids.authorityInformationAccess]: undefined,
    }),
  ],
  'cabf-br-serial-number-entropy': [buildServer({ serialNumber: integer(Buffer.alloc(7, 0x11)) })],
  'cabf-br-serial-number-below-2-159': [buildServer({ serialNumber: integer(Buffer.alloc(20, 0xff)) })],
  'cabf-br-validity-398-days': [lasting('2025-01-01', 398), lasting('2025-01-01', 399, -1)],
  'cabf-br-validity-200-days': [lasting('2026-03-15', 200), lasting('2026-11-01', 365)],
  'cabf-br-validity-100-days': [lasting('2027-03-15', 100)],
  'cabf-br-validity-47-days': [lasting('2029-03-15', 47)],
  'cabf-br-rsa-modulus-size': [keyed(rsaKey(2n ** 2039n + 1n))],
  'cabf-br-rsa-modulus-divisible-by-8': [keyed(rsaKey(2n ** 2048n + 1n))],
  'cabf-br-rsa-modulus-odd': [keyed(rsaKey(2n ** 2047n))],
  'cabf-br-rsa-exponent-odd': [keyed(rsaKey(2n ** 2047n + 1n, 1n)), keyed(rsaKey(2n ** 2047n + 1n, 65_536n))],
  'cabf-br-rsa-exponent-range': [keyed(rsaKey(2n ** 2047n + 1n, 3n)), keyed(rsaKey(2n ** 2047n + 1n, 2n ** 256n + 1n))],
  'cabf-br-named-curve': [keyed(ecKey(objectIdentifier('1.3.132.0.10')))],
  'cabf-br-key-algorithm': [keyed(ed25519Key)],
  'cabf-br-signature-digest': [
    buildServer({ signature: algorithmIdentifier(algorithms.sha1WithRSAEncryption, nullValue()) }),
    buildServer({ signature: algorithmIdentifier(algorithms.ecdsaWithSHA1) }),
  ],
  'cabf-br-signature-algorithm': [buildServer({ signature: algorithmIdentifier(algorithms.mlDsa65) })],
  'cabf-br-subject-alternative-name-present': [
    buildServerWith({ [ids.subjectAlternativeName]: undefined }),
    buildServerNamed(mail('a@gatehouse.dev')),
  ],
  'cabf-br-subject-alternative-name-kinds': [buildServerNamed(dns('www.gatehouse.dev'), uri('https://gatehouse.dev/'))],
  'cabf-br-subject-alternative-name-not-critical': [
    server(ids.subjectAlternativeName, sequence(dns('www.gatehouse.dev')), true),
  ],
  'cabf-br-dns-name-no-underscore': [buildServerNamed(dns('my_host.gatehouse.dev'))],
  'cabf-br-dns-name-no-reserved-label': [buildServerNamed(dns('ab--c.gatehouse.dev'))],
  'cabf-br-dns-name-wildcard': [
    buildServerNamed(dns('*.dev')),
    buildServerNamed(dns('www.*.gatehouse.dev')),
    buildServerNamed(dns('w*.gatehouse.dev')),
  ],
  'cabf-br-dns-name-no-reverse-zone': [
    buildServerNamed(dns('9.9.9.9.in-addr.arpa')),
    buildServerNamed(dns('1.0.ip6.arpa')),
  ],
  'cabf-br-dns-name-not-internal': [
    buildServerNamed(dns('localhost')),
    buildServerNamed(dns('db.corp')),
    buildServerNamed(dns('*.example.test')),
    buildServerNamed(dns('router.home.arpa')),
    buildServerNamed(dns('a.b.7')),
  ],
  'cabf-br-ip-address-not-reserved': [
    buildServerNamed(ip(127, 0, 0, 1)),
    buildServerNamed(ip(10, 1, 2, 3)),
    buildServerNamed(ip(...Buffer.alloc(15), 1)),
    buildServerNamed(ip(0xfd, ...Buffer.alloc(15))),
    buildServerNamed(ip(0x20, 0x01, 0x0d, 0xb8, ...Buffer.alloc(12))),
  ],
  'cabf-br-common-name-among-names': [
    buildServerOf(attribute(attributeTypes.CN, 'other.gatehouse.dev')),
    buildServerOf(attribute(attributeTypes.CN, 'WWW.gatehouse.dev')),
    buildServerOf(attribute(attributeTypes.CN, '9.9.9.10')),
  ],
  'cabf-br-common-name-not-recommended': [buildServerOf(attribute(attributeTypes.CN, 'www.gatehouse.dev'))],
  'cabf-br-single-valued-names': [
    buildServer({
      subject: sequence(
        setOf([attribute(attributeTypes.O, 'Gatehouse'), attribute(attributeTypes.CN, 'www.gatehouse.dev')]),
      ),
    }),
  ],
  'cabf-br-attributes-unique': [
    buildServerOf(attribute(attributeTypes.O, 'Gatehouse'), attribute(attributeTypes.O, 'Other')),
  ],
  'cabf-br-no-organizational-unit': [buildServerOf(attribute(attributeTypes.OU, 'Gate'))],
  'cabf-br-country-name-assigned': [
    buildServerOf(attribute(attributeTypes.C, 'de', printableString)),
    buildServerOf(attribute(attributeTypes.C, 'ZZ', printableString)),
  ],
  'cabf-br-subject-not-only-metadata': [
    buildServerOf(attribute(attributeTypes.O, '-')),
    buildServerOf(attribute(attributeTypes.O, ' . ')),
  ],
  'cabf-br-server-auth-present': [
    buildServerWith({ [ids.extendedKeyUsage]: undefined }),
    server(ids.extendedKeyUsage, identifiers(keyPurposes.clientAuth)),
  ],
  'cabf-br-extended-key-usage-forbidden': [
    server(ids.extendedKeyUsage, identifiers(keyPurposes.serverAuth, keyPurposes.anyExtendedKeyUsage)),
    server(ids.extendedKeyUsage, identifiers(keyPurposes.serverAuth, keyPurposes.codeSigning)),
  ],
  'cabf-br-extended-key-usage-others': [
    server(ids.extendedKeyUsage, identifiers(keyPurposes.serverAuth, keyPurposes.cmcRA)),
  ],
  'cabf-br-extended-key-usage-not-critical': [server(ids.extendedKeyUsage, identifiers(keyPurposes.serverAuth), true)],
  'cabf-br-key-usage-forbidden': [server(ids.keyUsage, keyUsageOf(0, 1), true)],
  'cabf-br-key-usage-digital-signature': [server(ids.keyUsage, keyUsageOf(4), true)],
  'cabf-br-key-usage-present': [buildServerWith({ [ids.keyUsage]: undefined })],
  'cabf-br-key-usage-not-recommended': [server(ids.keyUsage, keyUsageOf(0, 4), true)],
  'cabf-br-basic-constraints-critical': [server(ids.basicConstraints, sequence())],
  'cabf-br-name-constraints-absent': [server(ids.nameConstraints, constraints, true)],
  'cabf-br-authority-key-identifier-fields': [
    server(
      ids.authorityKeyIdentifier,
      sequence(
        implicit(0, octetString(Buffer.alloc(20))),
        wrap(0xa1, explicit(4, name(attribute(attributeTypes.CN, 'Root')))),
        implicit(2, integer(5)),
      ),
    ),
  ],
  'cabf-br-certificate-policies-present': [
    buildServerWith({ [ids.certificatePolicies]: undefined }),
    server(ids.certificatePolicies, policies('1.2.3')),
  ],
  'cabf-br-any-policy-absent': [server(ids.certificatePolicies, policies('2.23.140.1.2.1', policyIds.anyPolicy))],
  'cabf-br-certificate-policies-not-critical': [server(ids.certificatePolicies, policies('2.23.140.1.2.1'), true)],
  'cabf-br-authority-information-access-present': [buildServerWith({ [ids.authorityInformationAccess]: undefined })],
  'cabf-br-authority-information-access-methods': [
    server(
      ids.authorityInformationAccess,
      sequence(location(accessMethods.caIssuers, uri('https://ca.gatehouse.dev/ca.cer'))),
    ),
    server(ids.authorityInformationAccess, sequence(location('1.3.6.1.5.5.7.48.3', uri('http://t.gatehouse.dev/')))),
  ],
  'cabf-br-status-location-present': [
    buildServerWith({ [ids.authorityInformationAccess]: undefined, [ids.crlDistributionPoints]: undefined }),
  ],
  'cabf-br-distribution-point-form': [
    server(ids.crlDistributionPoints, sequence(distributionPoint(uri('https://crl.gatehouse.dev/1.crl')))),
    server(
      ids.crlDistributionPoints,
      sequence(sequence(wrap(0xa2, explicit(4, name(attribute(attributeTypes.CN, 'CA')))))),
    ),
  ],
};
