import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { perspectiveSchema, validationSchema } from '@gatehouse/gateway-perspective/config';

describe('ARCHITECTURE §5: the section perspective', () => {
  it('needs a name and nothing else; what is its own is kept apart by the name', () => {
    const section = perspectiveSchema.parse({ name: 'dublin' });
    assert.equal(section.listen.port, 5290);
    assert.deepEqual(section.callers, ['acme']);
    assert.equal(section.core.credential, 'perspective/dublin/credential.pem');
    assert.equal(section.signingKey, 'perspective/dublin/signing-key.json');
    assert.deepEqual(section.validation.resolver, ['127.0.0.1:53']);
    assert.deepEqual([section.validation.httpPort, section.validation.tlsPort], [80, 443]);
    assert.deepEqual([section.validation.allow, section.validation.zones], [[], []]);
  });

  it('takes one resolver, several, or those of this machine', () => {
    assert.deepEqual(validationSchema.parse({ resolver: '[::1]:53' }).resolver, ['[::1]:53']);
    assert.deepEqual(validationSchema.parse({ resolver: ['127.0.0.1', '127.0.0.2:53'] }).resolver.length, 2);
    assert.ok(validationSchema.parse({ resolver: 'system' }).resolver.length > 0);
  });

  it('opens private addresses zone by zone', () => {
    const zones = [{ zone: '*.corp.example', resolver: '10.1.0.53', allow: ['10.20.0.0/16'] }];
    assert.deepEqual(validationSchema.parse({ zones }).zones, [
      { zone: '*.corp.example', resolver: ['10.1.0.53'], allow: ['10.20.0.0/16'] },
    ]);
  });

  const refused: readonly (readonly [what: string, value: unknown])[] = [
    ['a resolver by its name', { resolver: 'dns.example' }],
    ['no resolver', { resolver: [] }],
    ['a range that is none', { allow: ['10.0.0.0'] }],
    ['a zone with a wildcard inside', { zones: [{ zone: 'a.*.example' }] }],
    ['an issuer domain name with capitals', { issuerDomainNames: ['CA.example'] }],
    ['a port that is none', { httpPort: 0 }],
    ['a key that is none', { permissive: true }],
  ];
  for (const [what, value] of refused) {
    it(`refuses ${what}`, () => {
      assert.equal(validationSchema.safeParse(value).success, false);
    });
  }

  it('refuses a name that could not be registered', () => {
    for (const name of ['', 'Dublin', 'a_b', '-a', 'a'.repeat(64)]) {
      assert.equal(perspectiveSchema.safeParse({ name }).success, false, name);
    }
  });
});
