import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { validateProfile } from '../../src/profiles/validate-profile.ts';
import { problems, profile, profileFile } from './profile-file.ts';

describe('profile file: form', () => {
  it('accepts a good file and fills in the defaults', () => {
    const read = profile();
    assert.equal(read.authority, 'issuing');
    assert.deepEqual(read.validity, {
      defaultMs: 86_400_000,
      maximumMs: 172_800_000,
      backdateMs: 300_000,
      isFixed: false,
    });
    assert.deepEqual(read.extendedKeyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.deepEqual(read.subject.attributes, [{ type: '2.5.4.3', presence: 'optional' }]);
    assert.deepEqual(read.keys[1], { kind: 'rsa', minimumBits: 2048, maximumBits: 4096 });
    assert.deepEqual(read.lints, { sets: ['rfc5280'], refuseAt: 'error', except: [] });
    assert.deepEqual(read.basicConstraints, { isCa: false });
    assert.equal(read.requesters, 'any');
    assert.equal(read.status, 'published');
  });

  it('gives file, line, column and key of each problem, all of them at once', () => {
    const text = profileFile({ validity: '{ default: 1d, maxmum: 2d }', extendedKeyUsage: '[serverAuht]' });
    const result = validateProfile(text, 'profiles/test.yaml');
    assert.ok(!result.ok);
    assert.match(
      result.message,
      /^profiles\/test\.yaml:8:\d+: validity\.maxmum: unknown key; did you mean 'maximum'\?$/m,
    );
    assert.match(result.message, /^profiles\/test\.yaml:7:\d+: extendedKeyUsage\.0: .* did you mean 'serverAuth'\?$/m);
  });

  it('says where YAML itself is broken', () => {
    const result = validateProfile('name: x\n  subject: [', 'x.yaml');
    assert.ok(!result.ok && result.problems.some(({ line }) => line === 2));
  });

  it('demands the keys without a sensible default', () => {
    const result = validateProfile('name: x', 'x.yaml');
    assert.ok(!result.ok);
    for (const key of ['description', 'subject', 'keys', 'validity']) {
      assert.match(result.message, new RegExp(`: ${key}: is required`));
    }
  });

  it('reads a fixed validity, which nobody can shorten', () => {
    const { validity } = profile({ validity: '{ fixed: 24h, backdate: 0s }' });
    assert.deepEqual(validity, { defaultMs: 86_400_000, maximumMs: 86_400_000, backdateMs: 0, isFixed: true });
  });

  it('takes dotted identifiers for purposes, attributes and extensions', () => {
    const read = profile({
      extendedKeyUsage: '[1.3.6.1.4.1.99999.1, cmcRA]',
      subject: '{ rule: from-request, attributes: [{ type: 1.3.6.1.4.1.99999.2, presence: optional }] }',
      requestExtensions: '{ copy: [tlsFeature, 1.3.6.1.4.1.99999.3] }',
    });
    assert.deepEqual(read.extendedKeyUsage, ['1.3.6.1.4.1.99999.1', '1.3.6.1.5.5.7.3.28']);
    assert.equal(read.subject.attributes[0]?.type, '1.3.6.1.4.1.99999.2');
    assert.deepEqual(read.requestExtensions.copy, ['1.3.6.1.5.5.7.1.24', '1.3.6.1.4.1.99999.3']);
  });
});

/** A change to a good file, and the problem that it makes. */
const mistakes: readonly (readonly [rule: string, changes: Readonly<Record<string, string>>, problem: RegExp])[] = [
  ['a name that is no label', { name: 'Bad Name' }, /^name: must be lower-case letters/],
  ['an empty description', { description: "''" }, /^description: must have at least 1 character/],
  ['a description with control characters', { description: '"a\\u001b[31m"' }, /^description: .*control characters/],
  ['no kind of key', { keys: '[]' }, /^keys: must have at least 1 entry/],
  ['a curve that is not supported', { keys: '[{ kind: ec, curves: [P-192] }]' }, /^keys\.0\.curves\.0: .*P-256/],
  [
    'RSA below 2048 bits',
    { keys: '[{ kind: rsa, minimumBits: 1024 }]' },
    /^keys\.0\.minimumBits: must be at least 2048/,
  ],
  [
    'RSA bits that no modulus may have',
    { keys: '[{ kind: rsa, minimumBits: 2049 }]' },
    /^keys\.0\.minimumBits: must be a multiple of 8/,
  ],
  [
    'RSA bounds upside down',
    { keys: '[{ kind: rsa, minimumBits: 4096, maximumBits: 2048 }]' },
    /^keys\.0\.minimumBits: is more than maximumBits/,
  ],
  ['one kind of key twice', { keys: '[{ kind: ed25519 }, { kind: ed25519 }]' }, /^keys\.1\.kind: is listed twice/],
  ['a purpose that is not known', { extendedKeyUsage: '[whatever]' }, /dotted object identifier/],
  ['a purpose twice', { extendedKeyUsage: '[serverAuth, 1.3.6.1.5.5.7.3.1]' }, /^extendedKeyUsage\.1: is listed twice/],
  ['an object identifier that is none', { policies: '[3.1.2]' }, /^policies\.0: must be a dotted object identifier/],
  ['a default above the maximum', { validity: '{ default: 3d, maximum: 2d }' }, /^validity\.default: is longer/],
  ['no maximum', { validity: '{ default: 3d }' }, /^validity\.maximum: is required/],
  ['fixed beside maximum', { validity: '{ fixed: 3d, maximum: 3d }' }, /^validity\.maximum: stands beside fixed/],
  [
    'fractions of a second',
    { validity: '{ fixed: 1500ms, backdate: 0s }' },
    /^validity\.fixed: must be one or more whole/,
  ],
  ['a life of more than a century', { validity: '{ fixed: 101y }' }, /^validity\.fixed: must be at most 100y/],
  ['a number without unit', { validity: '{ fixed: 90 }' }, /^validity\.fixed: /],
  ['back-dating beyond the life', { validity: '{ fixed: 1h, backdate: 1h }' }, /^validity\.backdate: must be shorter/],
  ['a required kind that is not allowed', { names: '{ allowed: [dns], required: [uri] }' }, /^names\.required\.0: uri/],
  ['a name of no kind', { names: '{ atLeastOne: true }' }, /^names\.atLeastOne: no kind/],
  ['wildcards without DNS', { names: '{ allowed: [ip], wildcards: true }' }, /^names\.wildcards: DNS names are not/],
  ['a common name among no names', { names: '{ allowed: [uri], commonNameAmongNames: true }' }, /needs dns or ip/],
  [
    'a common name among names without CN',
    { subject: '{ rule: from-request }', names: '{ allowed: [dns], commonNameAmongNames: true }' },
    /^names\.commonNameAmongNames: the subject has no CN/,
  ],
  ['nothing to name', { subject: '{ rule: from-request }', names: '{}' }, /would name nothing/],
  [
    'a fixed subject with a free attribute',
    { subject: '{ rule: fixed, attributes: [{ type: CN, presence: required }] }' },
    /^subject\.attributes\.0\.presence: must be fixed/,
  ],
  ['a fixed subject of nothing', { subject: '{ rule: fixed }' }, /^subject\.attributes: must list the attributes/],
  [
    'a template where the subject is not one',
    { subject: "{ rule: from-request, attributes: [{ type: CN, presence: template, value: '{dns}' }] }" },
    /template needs the rule template/,
  ],
  [
    'a placeholder for nothing',
    { subject: "{ rule: template, attributes: [{ type: CN, presence: template, value: '{host}' }] }" },
    /^subject\.attributes\.0\.value: \{host\} is neither/,
  ],
  [
    'a brace alone',
    { subject: "{ rule: template, attributes: [{ type: CN, presence: template, value: '{dns' }] }" },
    /brace without its partner/,
  ],
  [
    'a template without placeholder',
    { subject: '{ rule: template, attributes: [{ type: CN, presence: template, value: x }] }' },
    /has no placeholder/,
  ],
  [
    'an attribute twice',
    {
      subject:
        '{ rule: from-request, attributes: [{ type: CN, presence: optional }, { type: CN, presence: required }] }',
    },
    /^subject\.attributes\.1\.type: is listed twice/,
  ],
  [
    'a dictated unit beside a free one, whose scope nobody would check',
    {
      subject:
        '{ rule: template, attributes: [{ type: OU, presence: optional }, { type: OU, presence: fixed, value: x }] }',
    },
    /^subject\.attributes\.1\.type: is listed twice/,
  ],
  [
    'an attribute that is not known',
    { subject: '{ rule: from-request, attributes: [{ type: CommonNam, presence: optional }] }' },
    /is not the name of a subject attribute/,
  ],
  [
    'a fixed attribute without value',
    { subject: '{ rule: from-request, attributes: [{ type: O, presence: fixed }] }' },
    /^subject\.attributes\.0\.value: is required/,
  ],
  [
    'a country that is no code',
    { subject: '{ rule: fixed, attributes: [{ type: C, presence: fixed, value: Germany }] }' },
    /country code of ISO 3166-1/,
  ],
  ['RFC 5480 §3: EC keys that encipher', { keyUsage: '[keyEncipherment]' }, /^keyUsage\.0: .*RFC 5480.*rsaKeyUsage/],
  ['RFC 3279 §2.3.1: RSA keys that agree', { keyUsage: '[keyAgreement]' }, /^keyUsage\.0: keys of kind rsa/],
  ['RFC 3279 §2.3.1: RSA keys that agree, said apart', { rsaKeyUsage: '[keyAgreement]' }, /^rsaKeyUsage\.0: RSA keys/],
  [
    'usages for RSA where RSA is refused',
    { keys: '[{ kind: ed25519 }]', rsaKeyUsage: '[keyEncipherment]' },
    /^rsaKeyUsage: is set, but/,
  ],
  ['RFC 5280 §4.2.1.3: half of keyAgreement', { keyUsage: '[encipherOnly]' }, /without keyAgreement/],
  [
    'RFC 5280 §4.2.1.9: a CA that signs nothing',
    { basicConstraints: '{ isCa: true }' },
    /^keyUsage: a CA needs keyCertSign/,
  ],
  ['RFC 5280 §4.2.1.9: keyCertSign without CA', { keyUsage: '[keyCertSign]' }, /^basicConstraints\.isCa: must be true/],
  ['RFC 5280 §4.2.1.9: a path below no CA', { basicConstraints: '{ pathLength: 0 }' }, /pathLength: is for a CA only/],
  [
    'RFC 5280 §4.1.2.6: a CA that may lack a subject',
    { basicConstraints: '{ isCa: true }', keyUsage: '[keyCertSign]' },
    /^subject\.attributes: a CA needs a subject/,
  ],
  [
    'a CA whose key is only stated',
    {
      basicConstraints: '{ isCa: true }',
      keyUsage: '[keyCertSign]',
      subject: '{ rule: from-request, attributes: [{ type: CN, presence: required }] }',
      acceptsStatedPossession: 'true',
    },
    /^acceptsStatedPossession: must be false/,
  ],
  [
    'RFC 6960 §4.2.2.2: a responder that cannot sign',
    { extendedKeyUsage: '[OCSPSigning]', keyUsage: '[]' },
    /^keyUsage: OCSPSigning needs digitalSignature/,
  ],
  ['any purpose beside others', { extendedKeyUsage: '[anyExtendedKeyUsage, clientAuth]' }, /makes the other purposes/],
  ['an extension that the CA decides', { requestExtensions: '{ copy: [basicConstraints] }' }, /decided by the profile/],
  [
    'a URL that is not absolute',
    { crlDistributionPoints: '[/crl]' },
    /^crlDistributionPoints\.0: must be an absolute http/,
  ],
  ['RFC 5280 §8: an https URL', { crlDistributionPoints: "['https://example.com/crl']" }, /must be an absolute http/],
  ['a URL with a password', { crlDistributionPoints: "['http://u:p@example.com/crl']" }, /without user, password/],
  [
    'a URL with spaces',
    { authorityInformationAccess: "{ ocsp: ['http://example.com/a b'] }" },
    /^authorityInformationAccess\.ocsp\.0: must be an absolute http/,
  ],
  [
    'RFC 9608 §3: a CA that nobody could revoke',
    {
      basicConstraints: '{ isCa: true }',
      keyUsage: '[keyCertSign]',
      subject: '{ rule: from-request, attributes: [{ type: CN, presence: required }] }',
      status: 'no-rev-avail',
    },
    /^status: no-rev-avail is never for a CA/,
  ],
  [
    'RFC 9608 §3: a CRL of certificates without revocation',
    { status: 'no-rev-avail', crlDistributionPoints: "['http://example.com/crl']" },
    /^crlDistributionPoints: stands beside status no-rev-avail/,
  ],
  [
    'RFC 9608 §3: a responder for certificates without revocation',
    { status: 'no-rev-avail', authorityInformationAccess: "{ ocsp: ['http://example.com/ocsp'] }" },
    /^authorityInformationAccess\.ocsp: stands beside status no-rev-avail/,
  ],
  [
    'RFC 9608 §3: that the requester decides about revocation',
    { requestExtensions: '{ copy: [noRevAvail] }' },
    /decided by the profile/,
  ],
  ['a status that is none', { status: 'secret' }, /^status: must be one of: published, no-rev-avail, unpublished/],
  ['a kind of requester that is not known', { requesters: '[nobody]' }, /^requesters\.0: must be one of: user/],
  ['no requester', { requesters: '[]' }, /^requesters: must have at least 1 entry/],
  ['a lint that does not exist', { lints: '{ except: [no-such-lint] }' }, /^lints\.except\.0: is not the id of a lint/],
  [
    'evidence that nobody can verify',
    { evidence: '[{ type: client-chain }]' },
    /^evidence\.0\.type: is not a type of evidence/,
  ],
  ['the service authority', { authority: 'service' }, /^authority: must be issuing/],
  ['a published status of credentials', { authority: 'service' }, /^status: must be unpublished for the service/],
];

describe('RFC 9608: profiles without revocation', () => {
  it('may say where the certificate of the issuer is', () => {
    const caIssuers = ['http://example.com/issuer.crt'];
    const read = profile({
      status: 'no-rev-avail',
      authorityInformationAccess: `{ caIssuers: ['${caIssuers[0]}'] }`,
    });
    assert.equal(read.status, 'no-rev-avail');
    assert.deepEqual(read.authorityInformationAccess, { ocsp: [], caIssuers });
  });
});

describe('profile file: what must hold', () => {
  for (const [rule, changes, problem] of mistakes) {
    it(`refuses ${rule}`, () => {
      const found = problems(changes);
      assert.ok(
        found.some((each) => problem.test(each)),
        `${found.join('\n')} does not match ${problem}`,
      );
    });
  }

  it('never throws, and has a place for each problem, whatever stands in the file', () => {
    const keys = [
      'name',
      'subject',
      'names',
      'keys',
      'keyUsage',
      'validity',
      'lints',
      'requesters',
      'evidence',
      'policies',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 }), (key, value) => {
        const result = validateProfile(profileFile({ [key]: JSON.stringify(value) }), 'test.yaml');
        if (!result.ok) assert.ok(result.problems.length > 0 && result.problems.every(({ line }) => line > 0));
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void validateProfile(text, 'test.yaml')));
  });

  it('allows several dictated units and a lint that exists', () => {
    profile({
      subject:
        '{ rule: template, attributes: [{ type: OU, presence: fixed, value: a }, { type: OU, presence: fixed, value: b }] }',
      lints: '{ except: [cabf-br-named-curve] }',
    });
  });
});
