import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as pkijs from 'pkijs';
import { certificatesOnly, readCertificatesOnly } from '../../src/cms/certificates-only.ts';
import { CmsError } from '../../src/cms/error.ts';
import { expectDer } from '../../src/der/reader.ts';
import * as openssl from '../fixtures/openssl.ts';
import { makeAuthority, makeCertificate } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes, octets } from '../support/foreign-bytes.ts';

const authority = makeAuthority();
const certificates = [makeCertificate({ issuer: authority }), authority].map(({ certificate }) => certificate.der);
const sorted = (list: readonly Uint8Array[]) => list.map((der) => Buffer.from(der).toString('hex')).sort();

describe('RFC 5272 §4.1 and RFC 8951: certs-only messages', () => {
  it('give back the certificates that were put in', () => {
    const der = certificatesOnly(certificates);
    expectDer(der);
    assert.deepEqual(sorted(readCertificatesOnly(der)), sorted(certificates));
  });
  it('are the same octets whatever the order, because a SET OF is sorted', () => {
    assert.deepEqual(certificatesOnly(certificates), certificatesOnly(certificates.toReversed()));
  });
  it('are read by another implementation', () => {
    const info = pkijs.ContentInfo.fromBER(Uint8Array.from(certificatesOnly(certificates)));
    const signed = new pkijs.SignedData({ schema: info.content });
    assert.deepEqual([signed.version, signed.certificates?.length, signed.signerInfos.length], [1, 2, 0]);
    assert.equal(signed.encapContentInfo.eContent, undefined);
  });
  it('of openssl are read, and are the octets that we write', () => {
    const theirs = octets(openssl.certificatesOnly, 'base64');
    const certificate = octets(openssl.selfSignedCertificate, 'base64');
    assert.deepEqual(
      readCertificatesOnly(theirs).map((der) => Buffer.from(der)),
      [certificate],
    );
    assert.deepEqual(Buffer.from(certificatesOnly([certificate])), theirs);
  });
  it('have no content and no signer', () => {
    assert.throws(() => readCertificatesOnly(octets(openssl.signedData, 'base64')), CmsError);
  });
  it('throw nothing but CmsError, whatever they are', () => {
    assertOnlyThrows(readCertificatesOnly, [CmsError], foreignBytes(certificatesOnly(certificates)), 800);
  });
});
