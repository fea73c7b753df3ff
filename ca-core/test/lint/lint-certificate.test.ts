import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DerError } from '@gatehouse/pkix/der/reader';
import { stringTags } from '@gatehouse/pkix/der/strings';
import { generalizedTime, nullValue, sequence, time, wrap } from '@gatehouse/pkix/der/writer';
import {
  accessMethods,
  algorithms,
  attributeTypes,
  extensionIds,
  keyPurposes,
} from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import fc from 'fast-check';
import { type LintPolicy, lintCertificate, readLintSubject, refuseLinted } from '../../src/lint/lint.ts';
import {
  algorithmIdentifier,
  attribute,
  buildCaWith,
  buildCertificate,
  buildServer,
  buildServerNamed,
  buildServerOf,
  buildServerWith,
  dns,
  extension,
  identifiers,
  ip,
  location,
  mail,
  rsaKey,
  uri,
} from './build-certificate.ts';

const strict: LintPolicy = { sets: ['rfc5280', 'cabf-br'], refuseAt: 'warning', except: [] };
const usual: LintPolicy = { sets: ['rfc5280', 'cabf-br'], refuseAt: 'error', except: [] };
const rfcOnly: LintPolicy = { sets: ['rfc5280'], refuseAt: 'warning', except: [] };

function idsOf(bytes: Uint8Array, policy: LintPolicy): readonly string[] {
  return lintCertificate(readLintSubject(bytes), policy).map(({ lint }) => lint.id);
}

describe('BR §4.3.1.2: certificates without fault', () => {
  const good: Readonly<Record<string, Uint8Array>> = {
    'a TLS server': buildServer(),
    'a whole certificate': buildCertificate(buildServer(), algorithmIdentifier(algorithms.ecdsaWithSHA256)),
    'an RSA key': buildServer({ subjectPublicKeyInfo: rsaKey(2n ** 2047n + 1n) }),
    'an empty subject and critical names': buildServerWith(
      {
        [extensionIds.subjectAlternativeName]: extension(
          extensionIds.subjectAlternativeName,
          sequence(dns('www.gatehouse.dev')),
          true,
        ),
      },
      { subject: sequence() },
    ),
    'exactly the longest validity period': buildServer({ notAfter: time(new Date('2027-05-19T23:59:59Z')) }),
    'an A-label': buildServerNamed(dns('xn--mnchen-3ya.gatehouse.dev')),
    'a subordinate CA': buildCaWith(),
    'a short-lived server without revocation (RFC 9608)': buildServerWith(
      {
        [extensionIds.noRevAvail]: extension(extensionIds.noRevAvail, nullValue()),
        [extensionIds.crlDistributionPoints]: undefined,
        [extensionIds.authorityInformationAccess]: extension(
          extensionIds.authorityInformationAccess,
          sequence(location(accessMethods.caIssuers, uri('http://ca.gatehouse.dev/issuer.crt'))),
        ),
      },
      { notAfter: time(new Date('2026-11-07T23:59:59Z')) },
    ),
  };
  for (const [what, bytes] of Object.entries(good)) {
    it(`finds nothing in ${what}`, () => assert.deepEqual(idsOf(bytes, strict), []));
  }

  it('finds nothing by RFC 6960 in a responder that is trusted as long as it lives', () => {
    const responder = buildServerWith({
      [extensionIds.extendedKeyUsage]: extension(extensionIds.extendedKeyUsage, identifiers(keyPurposes.OCSPSigning)),
      [extensionIds.ocspNoCheck]: extension(extensionIds.ocspNoCheck, nullValue()),
      [extensionIds.crlDistributionPoints]: undefined,
      [extensionIds.authorityInformationAccess]: undefined,
    });
    assert.deepEqual(idsOf(responder, rfcOnly), []);
  });

  it('finds nothing in a CA certificate that lasts beyond 2049', () => {
    assert.deepEqual(
      idsOf(buildCaWith({}, { notAfter: generalizedTime(new Date('2056-01-01T00:00:00Z')) }), strict),
      [],
    );
  });

  it('finds nothing by RFC 5280 in names of every kind', () => {
    const names = [
      mail('first.last+tag@gatehouse.dev'),
      mail('"quoted local"@gatehouse.dev'),
      uri('urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'),
      uri('spiffe://gatehouse.dev/workload'),
      uri('https://[2001:db8::1]:8443/a?b=c#d'),
      dns('_acme.gatehouse.dev'),
      dns('localhost'),
      ip(127, 0, 0, 1),
    ];
    assert.deepEqual(idsOf(buildServerNamed(...names), rfcOnly), []);
  });

  it('takes a commonName that repeats a DNS name or an address, RFC 5952 for version 6', () => {
    const id = extensionIds.subjectAlternativeName;
    const names = extension(id, sequence(dns('a.gatehouse.dev'), ip(9, 9, 9, 9), ip(0x26, ...Buffer.alloc(14), 9)));
    for (const commonName of ['a.gatehouse.dev', '9.9.9.9', '2600::9']) {
      const subject = sequence(wrap(0x31, attribute(attributeTypes.CN, commonName)));
      const ids = idsOf(buildServerWith({ [id]: names }, { subject }), usual);
      assert.deepEqual(ids, ['cabf-br-common-name-not-recommended']);
    }
  });
});

describe('BR §7.1.2.7.12: what private PKIs do', () => {
  const names = [
    dns('localhost'),
    dns('*.localhost'),
    dns('example.test'),
    dns('db.internal'),
    ip(127, 0, 0, 1),
    ip(10, 0, 0, 1),
  ];
  const bare = {
    [extensionIds.certificatePolicies]: undefined,
    [extensionIds.authorityInformationAccess]: undefined,
    [extensionIds.crlDistributionPoints]: undefined,
    [extensionIds.subjectAlternativeName]: extension(extensionIds.subjectAlternativeName, sequence(...names)),
  };

  it('is noticed and never refused: internal names, reserved addresses, no policy, no status location', () => {
    for (const policy of [usual, strict]) {
      const findings = lintCertificate(readLintSubject(buildServerWith(bare)), policy);
      assert.deepEqual(
        findings.map(({ lint }) => lint.id),
        [
          'cabf-br-dns-name-not-internal',
          'cabf-br-ip-address-not-reserved',
          'cabf-br-certificate-policies-present',
          'cabf-br-authority-information-access-present',
          'cabf-br-status-location-present',
        ],
      );
      refuseLinted(findings);
    }
  });
});

describe('CORE.md, issuance step 6: what a profile chooses', () => {
  const faulty = buildServerWith({ [extensionIds.subjectKeyIdentifier]: undefined });
  const wrong = buildServerOf(attribute(attributeTypes.C, 'DEU', stringTags.printableString));

  it('runs only the sets of the policy', () => {
    assert.deepEqual(idsOf(buildServerNamed(dns('localhost')), rfcOnly), []);
    assert.deepEqual(idsOf(wrong, { ...usual, sets: ['cabf-br'] }), ['cabf-br-country-name-assigned']);
    assert.deepEqual(idsOf(wrong, { ...usual, sets: [] }), []);
  });

  it('refuses at the severity of the policy, and not what the policy excepts', () => {
    const refuses = (bytes: Uint8Array, policy: LintPolicy) =>
      lintCertificate(readLintSubject(bytes), policy).some((finding) => finding.refuses);
    assert.equal(refuses(faulty, usual), false);
    assert.equal(refuses(faulty, strict), true);
    assert.equal(refuses(faulty, { ...strict, except: ['rfc5280-subject-key-identifier-present'] }), false);
    assert.equal(refuses(wrong, { ...usual, sets: ['rfc5280'] }), true);
  });

  it('names the lint, its section and the offender in a refusal', () => {
    assert.throws(
      () => refuseLinted(lintCertificate(readLintSubject(wrong), usual)),
      (error: unknown) =>
        error instanceof CoreError &&
        error.code === 'profile-refuses' &&
        /rfc5280-country-name-length \(RFC 5280 appendix A\.1 .*"DEU".*1 more: cabf-br-country-name-assigned/.test(
          error.detail,
        ),
    );
  });

  it('judges by the rules in force when the certificate is issued, else by notBefore', () => {
    const long = buildServer({ notAfter: time(new Date('2027-05-20T00:00:00Z')) });
    assert.deepEqual(idsOf(long, usual), ['cabf-br-validity-200-days']);
    assert.deepEqual(idsOf(long, { ...usual, at: new Date('2026-03-14T23:59:59Z') }), []);
    assert.deepEqual(idsOf(buildServer(), { ...usual, at: new Date('2029-03-15T00:00:00Z') }), [
      'cabf-br-validity-47-days',
    ]);
  });

  it('does not hold subscriber rules against a CA', () => {
    const ca = buildCaWith({}, { notAfter: time(new Date('2046-01-01T00:00:00Z')) });
    assert.deepEqual(idsOf(ca, strict), []);
  });
});

describe('X.690 §8 to §11: octets that are no certificate', () => {
  it('are a DerError when the fields cannot be told apart', () => {
    for (const bytes of [Buffer.alloc(0), sequence(), buildServer().subarray(0, 200), Buffer.from('not DER')]) {
      assert.throws(() => readLintSubject(bytes), DerError);
    }
  });

  it('are findings of the lints concerned when a part cannot be read', () => {
    const id = extensionIds.basicConstraints;
    const findings = lintCertificate(
      readLintSubject(buildServerWith({ [id]: extension(id, wrap(0x04), true) })),
      usual,
    );
    assert.ok(findings.length > 0);
    for (const { detail } of findings) assert.match(detail, /^cannot be judged: /);
  });

  it('never raise anything but a DerError, whatever octet is changed', () => {
    const bytes = Buffer.from(buildServer());
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Buffer.from(bytes);
        for (const { at, to } of changes) changed[at] = to;
        try {
          lintCertificate(readLintSubject(changed), strict);
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
