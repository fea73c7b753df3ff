import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estPolicyShape, type Label } from '@gatehouse/gateway-kit/est/configuration';
import { writeCsrAttributes } from '@gatehouse/gateway-kit/est/csr-attributes';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { DerCursor, expectDer, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { algorithms, attributeTypes, extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { NameKind, type Profile } from '@gatehouse/ra-client/profile';
import fc from 'fast-check';
import { z } from 'zod';

const label = (settings: object = {}): Label => {
  const labels = { l: { profile: 'p', ...settings } };
  const found = collectLabels(z.strictObject(estPolicyShape).parse({ labels })).find('l');
  assert.ok(found !== undefined);
  return found;
};

const profile = (changes: Partial<Profile> = {}): Profile =>
  ({
    name: 'p',
    subject: [],
    allowedNames: [],
    requiredNames: [],
    keys: [],
    keyUsage: [],
    extendedKeyUsage: [],
    needsAnyName: false,
    ...changes,
  }) as unknown as Profile;

const key = (kind: string, parameters: string[] = [], minimumBits = 0) => ({
  kind,
  parameters,
  minimumBits,
  maximumBits: 0,
});
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const onlyTemplate = label({ csrAttributes: { classic: false } });

describe('RFC 9908 §3.4: CertificationRequestInfoTemplate', () => {
  it('has neither subject nor key where nothing is wanted of them', () => {
    // The attribute id-aa-certificationRequestInfoTemplate with SEQUENCE { INTEGER 0, [1] {} } as its value.
    const value = '30050201' + '00a100';
    assert.equal(hex(writeCsrAttributes(profile(), onlyTemplate)), `30183016060b2a864886f70d010910023d3107${value}`);
  });

  it('encodes the example of the RFC but for the values that are half given', () => {
    const wanted = profile({
      subject: [
        { type: attributeTypes.CN, value: '', isRequired: true },
        { type: attributeTypes.OU, value: 'myDept', isRequired: true },
        { type: attributeTypes.OU, value: 'myGroup', isRequired: true },
      ],
      requiredNames: [NameKind.NAME_KIND_DNS],
      keys: [key('ec', ['P-256'])],
      keyUsage: ['digitalSignature', 'keyAgreement'],
      extendedKeyUsage: [],
    });
    const written = hex(writeCsrAttributes(wanted, onlyTemplate));
    const subject = [
      '310730050603550403',
      '310f300d060355040b0c066d7944657074',
      '3110300e060355040b0c076d7947726f7570',
    ].join('');
    const publicKey = 'a015301306072a8648ce3d020106082a8648ce3d030107';
    assert.ok(written.includes(`302c${subject}${publicKey}`), written);
    const extensions = '30050603551d11' + '300e0603551d0f0101ff040403020388';
    assert.ok(written.includes(`060b2a864886f70d010910023e31193017${extensions}`), written);
  });

  it('tells an RSA size by a placeholder of that length', () => {
    const written = writeCsrAttributes(profile({ keys: [key('rsa', [], 4096)] }), onlyTemplate);
    // INTEGER of 513 octets: 00, then 2^4095; then 65537.
    assert.ok(hex(written).includes(`028202010080${'00'.repeat(511)}0203010001`));
  });

  it('asks for the binding inside of the template too, since the rest is ignored', () => {
    const written = hex(
      writeCsrAttributes(
        profile(),
        label({ csrAttributes: { classic: false }, channelBinding: { policy: 'required' } }),
      ),
    );
    assert.ok(written.includes('300d06092a864886f70d0109073100'), written);
  });
});

describe('RFC 7030 §4.5: csrattrs', () => {
  it('are nothing when the label wants nothing said, unless a binding is demanded', () => {
    const quiet = { csrAttributes: { classic: false, template: false } };
    assert.equal(writeCsrAttributes(profile(), label(quiet)), undefined);
    const bound = writeCsrAttributes(profile(), label({ ...quiet, channelBinding: { policy: 'required' } }));
    assert.equal(hex(bound), '300b06092a864886f70d010907');
  });

  it('are DER with one element of each type, whatever the profile', () => {
    const kinds = fc.constantFrom(
      key('ec', ['P-384']),
      key('ec', []),
      key('rsa', [], 3072),
      key('ed25519'),
      key('ml-dsa', ['ML-DSA-65']),
      key('something-new'),
    );
    const attributes = fc.uniqueArray(fc.constantFrom(...Object.values(attributeTypes)), { maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(kinds, { maxLength: 3 }),
        attributes,
        fc.boolean(),
        fc.boolean(),
        (keys, types, needsAnyName, required) => {
          const made = profile({
            keys,
            subject: types.map((type) => ({ type, value: '', isRequired: required })),
            allowedNames: [NameKind.NAME_KIND_DNS],
            needsAnyName,
            keyUsage: ['digitalSignature', 'somethingNew'],
          });
          const der = writeCsrAttributes(made, label());
          assert.ok(der !== undefined);
          expectDer(der);
          const cursor = new DerCursor(der).enter(tags.sequence);
          const seen: string[] = [];
          while (!cursor.isAtEnd) {
            const oid = cursor.readOptional(tags.objectIdentifier);
            seen.push(readObjectIdentifier(oid ?? cursor.enter(tags.sequence).read(tags.objectIdentifier)));
          }
          assert.equal(seen.filter((type) => type === pkcs9Attributes.certificationRequestInfoTemplate).length, 1);
          assert.ok(seen.filter((type) => type === pkcs9Attributes.extensionRequest).length <= 1);
          const keyTypes: readonly string[] = [algorithms.ecPublicKey, algorithms.rsaEncryption];
          assert.ok(seen.filter((type) => keyTypes.includes(type)).length <= 1);
          assert.equal(seen.includes(extensionIds.subjectAlternativeName), needsAnyName);
        },
      ),
    );
  });
});
