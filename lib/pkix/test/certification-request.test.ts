import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import * as pkijs from 'pkijs';
import {
  CertificationRequestError,
  challengePassword,
  createCertificationRequest,
  readCertificationRequest,
  requestedExtensions,
  requestedNames,
} from '../src/certification-request.ts';
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  printableString,
  sequence,
  set,
  utf8String,
  wrap,
} from '../src/der/writer.ts';
import { extendedKeyUsage, keyUsage } from '../src/extensions.ts';
import { areGeneralNameSetsEqual, formatGeneralName, parseGeneralName } from '../src/general-names.ts';
import { attributeValues, formatName, parseName, writeName } from '../src/names.ts';
import { algorithms, attributeTypes, extensionIds, keyPurposes, pkcs9Attributes } from '../src/object-identifiers.ts';
import { signatureAlgorithmFor } from '../src/signature-algorithms.ts';
import * as openssl from './fixtures/openssl.ts';
import { spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes, octets } from './support/foreign-bytes.ts';
import { attribute, extensionRequest, makeRequest, refuses, requestKey, verifyRequest } from './support/requests.ts';

const fixture = (base64: string) => readCertificationRequest(octets(base64, 'base64'));

describe('RFC 2986 §4: requests that openssl made', () => {
  for (const [name, base64] of Object.entries({
    'P-256': openssl.p256Request,
    'P-384': openssl.p384Request,
    RSA: openssl.rsaRequest,
    'RSASSA-PSS': openssl.rsaPssRequest,
    Ed25519: openssl.ed25519Request,
  })) {
    it(`are read and verify with ${name}`, () => {
      const read = fixture(base64);
      assert.deepEqual(verifyRequest(read), { ok: true });
      assert.equal(formatName(read.subject), 'serialNumber=0042,CN=dev1.example,O=Größe AG,C=DE');
      assert.equal(challengePassword(read), 's3cret-Password');
      assert.deepEqual(requestedNames(read).map(formatGeneralName), [
        'DNS:dev1.example',
        'DNS:*.dev1.example',
        'IP:192.0.2.7',
        'IP:2001:db8::7',
        'URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
        'email:dev@example.com',
        'otherName:1.3.6.1.4.1.311.20.2.3;#0c0f646576406578616d706c652e636f6d',
        'dirName:CN=dir,C=DE',
        'RID:1.2.3.4',
      ]);
      assert.deepEqual(
        requestedExtensions(read).map(({ id }) => id),
        [extensionIds.subjectAlternativeName, extensionIds.keyUsage, extensionIds.extendedKeyUsage],
      );
    });
  }
  it('are read without attributes', () => {
    const read = fixture(openssl.plainRequest);
    assert.deepEqual([read.attributes.length, requestedNames(read).length, challengePassword(read)], [0, 0, undefined]);
  });
  it('do not verify with SHA-1', () => {
    const result = verifyRequest(fixture(openssl.sha1Request));
    assert.ok(!result.ok && /SHA-1/.test(result.reason));
  });
});

describe('RFC 2986 §4: requests that we make', () => {
  const names = ['DNS:a.example', 'IP:192.0.2.1'].map(parseGeneralName);
  const input = {
    subject: parseName('CN=device,O=Größe'),
    key: requestKey,
    names,
    extensions: [keyUsage(['digitalSignature']), extendedKeyUsage([keyPurposes.clientAuth])],
  };
  it('are read back as they were made', () => {
    const read = readCertificationRequest(
      createCertificationRequest({
        ...input,
        attributes: [{ type: pkcs9Attributes.challengePassword, values: [utf8String('pw')] }],
      }),
    );
    assert.deepEqual(verifyRequest(read), { ok: true });
    assert.deepEqual(requestedNames(read), names);
    assert.equal(challengePassword(read), 'pw');
    assert.deepEqual(attributeValues(read.subject, attributeTypes.O), ['Größe']);
    assert.deepEqual(Buffer.from(read.subjectPublicKeyInfo), spkiOf(requestKey));
  });
  it('are read and verified by another implementation', async () => {
    const other = pkijs.CertificationRequest.fromBER(Uint8Array.from(createCertificationRequest(input)));
    assert.ok(await other.verify());
    assert.equal(other.attributes?.[0]?.type, pkcs9Attributes.extensionRequest);
  });
  it('have a critical alternative name when the subject is empty (RFC 5280 §4.2.1.6)', () => {
    const read = readCertificationRequest(createCertificationRequest({ subject: [], key: requestKey, names }));
    assert.deepEqual(
      requestedExtensions(read).map(({ isCritical }) => isCritical),
      [true],
    );
  });
  it('fit into the limit with ML-DSA-87', () => {
    const { privateKey } = generateKeyPairSync('ml-dsa-87');
    assert.deepEqual(
      verifyRequest(readCertificationRequest(createCertificationRequest({ ...input, key: privateKey }))),
      {
        ok: true,
      },
    );
  });
});

describe('RFC 2986 §4.1: structure', () => {
  it('refuses trailing octets, at the end and inside', () => {
    refuses('malformed', /too many/, () => readCertificationRequest(Buffer.concat([makeRequest(), Buffer.from([0])])));
    refuses('malformed', /too many/, () => readCertificationRequest(makeRequest({ after: integer(1) })));
  });
  it('refuses more than 16 KiB before it looks inside', () => {
    refuses('malformed', /16385 octets where 16384 are allowed/, () =>
      readCertificationRequest(Buffer.alloc(16385, 0x30)),
    );
  });
  it('refuses other versions than 0', () =>
    refuses('bad-csr', /^version: 1/, () => readCertificationRequest(makeRequest({ version: 1 }))));
  it('refuses what is no request at all', () => {
    refuses('malformed', /^request: /, () => readCertificationRequest(Buffer.from('hello')));
    refuses('malformed', /^request: /, () => readCertificationRequest(sequence()));
  });
  it('takes a request without the empty attributes', () => {
    const { identifier, sign } = signatureAlgorithmFor(requestKey);
    const info = sequence(integer(0), writeName([]), spkiOf(requestKey));
    assert.equal(readCertificationRequest(sequence(info, identifier, bitString(sign(info)))).attributes.length, 0);
  });
  it('refuses a signature that does not fill its last octet', () => {
    const der = sequence(
      sequence(integer(0), writeName([]), spkiOf(requestKey)),
      sequence(objectIdentifier(algorithms.ed25519)),
      bitString(Uint8Array.of(2), 1),
    );
    refuses('bad-csr', /^signature/, () => readCertificationRequest(der));
  });
});

describe('RFC 5280 §4.1.2.6 and appendix A: subjects', () => {
  const subject = (type: string, value: Uint8Array) =>
    makeRequest({ subject: sequence(set(sequence(objectIdentifier(type), value))) });
  it('are refused with a NUL, invalid UTF-8 or a value that is no string, naming the attribute', () => {
    refuses('bad-csr', /^subject: CN: holds a NUL/, () =>
      readCertificationRequest(subject(attributeTypes.CN, utf8String('a\0b'))),
    );
    refuses('bad-csr', /^subject: O: .*UTF-8/, () =>
      readCertificationRequest(subject(attributeTypes.O, Buffer.from('0c02c328', 'hex'))),
    );
    refuses('bad-csr', /^subject: CN: /, () => readCertificationRequest(subject(attributeTypes.CN, integer(5))));
  });
  it('are refused when a value is too long or empty, naming the attribute', () => {
    refuses('bad-csr', /^subject: CN: 65 characters where 1 to 64/, () =>
      readCertificationRequest(subject(attributeTypes.CN, utf8String('a'.repeat(65)))),
    );
    refuses('bad-csr', /^subject: C: 3 characters where exactly 2/, () =>
      readCertificationRequest(subject(attributeTypes.C, printableString('DEU'))),
    );
    refuses('bad-csr', /^subject: CN: 0 characters/, () =>
      readCertificationRequest(subject(attributeTypes.CN, utf8String(''))),
    );
  });
});

describe('foreign requests', () => {
  it('throw nothing but CertificationRequestError, whatever they are', () => {
    const readAll = (bytes: Uint8Array) => {
      const read = readCertificationRequest(bytes);
      challengePassword(read);
      requestedNames(read);
      verifyRequest(read);
    };
    const seeds = [openssl.p256Request, openssl.ed25519Request, openssl.plainRequest].map((base64) =>
      octets(base64, 'base64'),
    );
    assertOnlyThrows(readAll, [CertificationRequestError], foreignBytes(...seeds), 3000);
  });
  it('of the largest size are read in no time', { timeout: 4000 }, () => {
    const many = Array.from({ length: 600 }, (_, i) => wrap(0xa4, writeName(parseName(`CN=${i}`))));
    const extension = sequence(
      sequence(objectIdentifier(extensionIds.subjectAlternativeName), octetString(sequence(...many))),
    );
    const names = requestedNames(readCertificationRequest(makeRequest({ attributes: [extensionRequest(extension)] })));
    assert.ok(areGeneralNameSetsEqual(names, names.toReversed()));
    const attributes = Array.from({ length: 1000 }, (_, i) => attribute(`1.2.${i}`, integer(1)));
    assert.equal(readCertificationRequest(makeRequest({ attributes })).attributes.length, 1000);
  });
});
