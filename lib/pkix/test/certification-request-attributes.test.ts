import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  challengePassword,
  readCertificationRequest,
  requestedExtensions,
  requestedNames,
} from '../src/certification-request.ts';
import {
  boolean,
  concat,
  ia5String,
  integer,
  objectIdentifier,
  octetString,
  printableString,
  sequence,
  utf8String,
  wrap,
} from '../src/der/writer.ts';
import { subjectAlternativeName, writeExtensions } from '../src/extensions.ts';
import { extensionIds, pkcs9Attributes } from '../src/object-identifiers.ts';
import { attribute, extensionRequest, makeRequest, refuses } from './support/requests.ts';

describe('RFC 2985 §5.4.2: extension requests', () => {
  const names = writeExtensions([subjectAlternativeName([{ kind: 'dns', value: 'a.example' }])]);
  const twice = concat(
    ...[0, 1].map(() => sequence(objectIdentifier(extensionIds.keyUsage), octetString(Buffer.from('03020780', 'hex')))),
  );
  it('are refused when an attribute or an extension occurs twice, naming it', () => {
    refuses('bad-csr', /^attribute 1\.2\.840\.113549\.1\.9\.14: occurs twice/, () =>
      readCertificationRequest(makeRequest({ attributes: [extensionRequest(names), extensionRequest(names)] })),
    );
    refuses('bad-csr', /^extensionRequest: extension 2\.5\.29\.15 occurs twice/, () =>
      readCertificationRequest(makeRequest({ attributes: [extensionRequest(sequence(twice))] })),
    );
  });
  it('are refused with no value, two values, or in two places', () => {
    refuses('bad-csr', /not exactly one value/, () =>
      readCertificationRequest(makeRequest({ attributes: [extensionRequest()] })),
    );
    refuses('bad-csr', /not exactly one value/, () =>
      readCertificationRequest(makeRequest({ attributes: [extensionRequest(names, names)] })),
    );
    refuses('bad-csr', /occurs twice/, () =>
      readCertificationRequest(
        makeRequest({
          attributes: [extensionRequest(names), attribute(pkcs9Attributes.microsoftExtensionRequest, names)],
        }),
      ),
    );
  });
  it('are read from the place where older Windows tools put them', () => {
    const read = readCertificationRequest(
      makeRequest({ attributes: [attribute(pkcs9Attributes.microsoftExtensionRequest, names)] }),
    );
    assert.deepEqual(requestedNames(read), [{ kind: 'dns', value: 'a.example' }]);
  });
  it('may be an empty list', () =>
    assert.deepEqual(
      requestedExtensions(readCertificationRequest(makeRequest({ attributes: [extensionRequest(sequence())] }))),
      [],
    ));
  it('may say that an extension is not critical, against X.690 §11.5', () => {
    const explicitFalse = sequence(
      sequence(objectIdentifier(extensionIds.keyUsage), boolean(false), octetString(Buffer.from('03020780', 'hex'))),
    );
    const read = readCertificationRequest(makeRequest({ attributes: [extensionRequest(explicitFalse)] }));
    assert.deepEqual(
      requestedExtensions(read).map(({ isCritical }) => isCritical),
      [false],
    );
  });
  it('with a bad alternative name are refused when the names are asked for, naming the name', () => {
    const bad = sequence(
      sequence(
        objectIdentifier(extensionIds.subjectAlternativeName),
        octetString(sequence(wrap(0x82, Buffer.from('a_b')))),
      ),
    );
    const read = readCertificationRequest(makeRequest({ attributes: [extensionRequest(bad)] }));
    refuses('bad-csr', /^subjectAltName: dNSName 'a_b' is not a host name/, () => requestedNames(read));
  });
});

describe('RFC 2985 §5.4.1: challenge passwords', () => {
  const password = (...values: readonly Uint8Array[]) =>
    challengePassword(
      readCertificationRequest(makeRequest({ attributes: [attribute(pkcs9Attributes.challengePassword, ...values)] })),
    );
  it('are read from every kind of DirectoryString', () => {
    assert.equal(password(printableString('abc')), 'abc');
    assert.equal(password(utf8String('äbc')), 'äbc');
    assert.equal(password(wrap(0x1e, Buffer.from('00e4', 'hex'))), 'ä');
    assert.equal(password(wrap(0x14, Buffer.from([0xe4]))), 'ä');
  });
  it('are refused as another type, with several values, empty, too long, or with a NUL', () => {
    for (const values of [
      [ia5String('abc')],
      [integer(5)],
      [octetString(Buffer.from('abc'))],
      [sequence(utf8String('abc'))],
      [],
      [utf8String('a'), utf8String('b')],
      [utf8String('')],
      [utf8String('a'.repeat(256))],
      [utf8String('a\0')],
      [wrap(0x0c, Buffer.from([0xff]))],
    ]) {
      refuses('bad-csr', /^challengePassword: /, () => password(...values));
    }
  });
});
