import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  CertificateError,
  certificateFingerprint,
  extensionOf,
  readCertificate,
  subjectAlternativeNames,
} from '../src/certificate.ts';
import { bitString, explicit, integer, objectIdentifier, sequence, time, wrap } from '../src/der/writer.ts';
import { basicConstraints, subjectAlternativeName, writeExtensions } from '../src/extensions.ts';
import { formatGeneralName } from '../src/general-names.ts';
import { formatName, parseName, writeName } from '../src/names.ts';
import { algorithms, extensionIds } from '../src/object-identifiers.ts';
import { verifySignature } from '../src/signature-algorithms.ts';
import { selfSignedCertificate } from './fixtures/openssl.ts';
import { makeAuthority, makeCertificate, newKey, spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes, octets } from './support/foreign-bytes.ts';

const fixture = octets(selfSignedCertificate, 'base64');
const refuses = (der: Uint8Array, detail: RegExp) =>
  assert.throws(
    () => readCertificate(der),
    (error) => error instanceof CertificateError && detail.test(error.detail),
  );

/** A certificate of parts that may be wrong, with a signature that is none. */
function certificate(
  parts: { version?: Uint8Array; serial?: Uint8Array; inner?: string; extensions?: readonly Uint8Array[] } = {},
): Uint8Array {
  const algorithm = (oid: string) => sequence(objectIdentifier(oid));
  const name = writeName(parseName('CN=x'));
  const validity = sequence(time(new Date('2026-01-01')), time(new Date('2027-01-01')));
  const tbs = sequence(
    parts.version ?? explicit(0, integer(2)),
    parts.serial ?? integer(1),
    algorithm(parts.inner ?? algorithms.ed25519),
    name,
    validity,
    name,
    spkiOf(newKey()),
    ...(parts.extensions ?? []),
  );
  return sequence(tbs, algorithm(algorithms.ed25519), bitString(Buffer.alloc(64)));
}

describe('RFC 5280 §4.1: certificates', () => {
  it('are read as node:crypto reads them', () => {
    const authority = makeAuthority();
    const names = [
      { kind: 'dns', value: 'a.example' },
      { kind: 'ip', value: '192.0.2.1' },
    ] as const;
    for (const { der } of [
      readCertificate(fixture),
      makeCertificate({ issuer: authority, subject: 'CN=leaf,O=Größe', extensions: [subjectAlternativeName(names)] })
        .certificate,
    ]) {
      const ours = readCertificate(der);
      const theirs = new X509Certificate(der);
      assert.equal(ours.serialNumber, theirs.serialNumber.toLowerCase());
      assert.equal(ours.notBefore.getTime(), theirs.validFromDate.getTime());
      assert.equal(ours.notAfter.getTime(), theirs.validToDate.getTime());
      assert.deepEqual(
        Buffer.from(ours.subjectPublicKeyInfo),
        theirs.publicKey.export({ format: 'der', type: 'spki' }),
      );
      assert.equal(
        Buffer.from(certificateFingerprint(ours)).toString('hex'),
        theirs.fingerprint256.replaceAll(':', '').toLowerCase(),
      );
    }
  });
  it('that openssl made are read with all their fields', () => {
    const read = readCertificate(fixture);
    assert.deepEqual([read.version, read.serialNumber], [3, 'ff01']);
    assert.equal(formatName(read.subject), 'serialNumber=0042,CN=dev1.example,O=Größe AG,C=DE');
    assert.deepEqual(Buffer.from(read.issuerDer), Buffer.from(read.subjectDer));
    assert.equal(subjectAlternativeNames(read).map(formatGeneralName)[0], 'DNS:dev1.example');
    assert.ok(extensionOf(read, extensionIds.keyUsage)?.isCritical);
    assert.deepEqual(
      verifySignature({
        algorithm: read.signatureAlgorithm,
        spki: read.subjectPublicKeyInfo,
        data: read.tbs,
        signature: read.signature,
      }),
      { ok: true },
    );
    assert.deepEqual(certificateFingerprint(fixture), createHash('sha256').update(fixture).digest());
  });
  it('have no alternative names when there is no such extension', () =>
    assert.deepEqual(subjectAlternativeNames(makeCertificate().certificate), []));
  it('of version 1 are read', () => assert.equal(makeCertificate({ version: 1 }).certificate.version, 1));
  it('are refused with an unknown version, or extensions in an old one', () => {
    refuses(certificate({ version: explicit(0, integer(3)) }), /^version: 4/);
    refuses(
      certificate({
        version: explicit(0, integer(1)),
        extensions: [explicit(3, writeExtensions([basicConstraints({ ca: true })]))],
      }),
      /^extensions: in a certificate of version 2/,
    );
  });
  it('are refused when the signed algorithm is not the one outside (§4.1.1.2)', () =>
    refuses(certificate({ inner: algorithms.ecdsaWithSHA256 }), /^signatureAlgorithm/));
  it('are refused with an extension that occurs twice', () => {
    const one = basicConstraints({ ca: true });
    refuses(certificate({ extensions: [explicit(3, writeExtensions([one, one]))] }), /2\.5\.29\.19 occurs twice/);
  });
  it('are refused with trailing octets, or above 64 KiB', () => {
    refuses(Buffer.concat([fixture, Buffer.from([0])]), /too many/);
    refuses(certificate({ extensions: [integer(1)] }), /too many/);
    refuses(Buffer.alloc(65537, 0x30), /65537 octets/);
  });
  it('may have unique identifiers, which nobody reads', () => {
    assert.equal(
      readCertificate(certificate({ extensions: [wrap(0x81, Buffer.alloc(2)), wrap(0x82, Buffer.alloc(2))] })).version,
      3,
    );
  });
  it('throw nothing but CertificateError, whatever they are', () => {
    assertOnlyThrows(
      (bytes) => subjectAlternativeNames(readCertificate(bytes)),
      [CertificateError],
      foreignBytes(fixture),
      3000,
    );
  });
});
