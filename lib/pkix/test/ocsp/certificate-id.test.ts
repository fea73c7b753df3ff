// CertIDs: what openssl writes, what we write, and what could name two certificates.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DerError } from '../../src/der/reader.ts';
import { integer, nullValue, objectIdentifier, octetString, sequence } from '../../src/der/writer.ts';
import { algorithms } from '../../src/object-identifiers.ts';
import {
  isIssuedBy,
  issuerHashes,
  ocspHashes,
  readCertificateId,
  writeCertificateId,
} from '../../src/ocsp/certificate-id.ts';
import { subjectPublicKeyOctets } from '../../src/public-key.ts';
import { makeAuthority } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from '../support/foreign-bytes.ts';

const issuer = makeAuthority({ subject: 'CN=issuer' }).certificate;
const other = makeAuthority({ subject: 'CN=other' }).certificate;

function certificateId(algorithm: Uint8Array, serialNumber: Uint8Array): Uint8Array {
  return sequence(algorithm, octetString(new Uint8Array(20)), octetString(new Uint8Array(20)), serialNumber);
}
const sha1 = sequence(objectIdentifier(algorithms.sha1), nullValue());

describe('RFC 6960 §4.1.1: CertID', () => {
  it('hashes the name as DER and the key without tag, length and unused bits', () => {
    for (const hash of ocspHashes) {
      const { name, key } = issuerHashes(hash, issuer);
      assert.deepEqual(Buffer.from(name), createHash(hash).update(issuer.subjectDer).digest());
      const bits = subjectPublicKeyOctets(issuer.subjectPublicKeyInfo);
      assert.deepEqual(Buffer.from(key), createHash(hash).update(bits).digest());
    }
  });

  it('reads what it wrote, for every serial number', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ocspHashes),
        fc.bigInt({ min: 1n, max: 2n ** 159n - 1n }),
        (hash, serialNumber) => {
          const digits = serialNumber.toString(16);
          const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
          const der = writeCertificateId(hash, issuer, hex);
          const read = readCertificateId(der);
          assert.equal(read.hash, hash);
          assert.equal(read.serialNumber, hex);
          assert.deepEqual(Buffer.from(read.der), Buffer.from(der));
          assert.ok(isIssuedBy(read, issuer) && !isIssuedBy(read, other));
        },
      ),
    );
  });

  it('refuses to write what is not hexadecimal', () => {
    for (const text of ['', 'a', '0x01', 'zz']) assert.throws(() => writeCertificateId('sha1', issuer, text), DerError);
  });

  it('names another hash algorithm so, whatever its parameters', () => {
    const sha512 = sequence(objectIdentifier(algorithms.sha512), octetString(Uint8Array.of(1)));
    const read = readCertificateId(certificateId(sha512, integer(5)));
    assert.equal(read.hash, 'other');
    assert.equal(isIssuedBy(read, issuer), false);
  });

  it('RFC 5754 §2: takes absent and NULL parameters, and no others', () => {
    assert.equal(
      readCertificateId(certificateId(sequence(objectIdentifier(algorithms.sha256)), integer(5))).hash,
      'sha256',
    );
    assert.equal(readCertificateId(certificateId(sha1, integer(5))).hash, 'sha1');
    const odd = sequence(objectIdentifier(algorithms.sha1), integer(1));
    assert.throws(() => readCertificateId(certificateId(odd, integer(5))), DerError);
  });

  it('RFC 5280 §4.1.2.2: refuses a negative serial number, which would read as another one', () => {
    assert.throws(() => readCertificateId(certificateId(sha1, integer(-1))), /negative/);
    assert.equal(readCertificateId(certificateId(sha1, integer(255))).serialNumber, 'ff');
    assert.equal(readCertificateId(certificateId(sha1, integer(0))).serialNumber, '00');
  });

  it('takes foreign bytes or throws DerError', () => {
    assertOnlyThrows(readCertificateId, [DerError], foreignBytes(writeCertificateId('sha256', issuer, '7fab'), sha1));
  });
});
