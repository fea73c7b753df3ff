import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sequence } from '@gatehouse/pkix/der/writer';
import { writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { OcspRequestError, readOcspRequest, writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import fc from 'fast-check';
import { ocspRequest } from './support/http.ts';
import { issuingCertificate, statusIssuer, strangerCertificate } from './support/signed.ts';
import { withState } from './support/state.ts';

const serialNumber = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((octets) => Buffer.from(octets).toString('hex'));
const hash = fc.constantFrom('sha1', 'sha256');

describe('RFC 5019 §2.1.1: requests of the plain form', () => {
  it('are recognized, and mean what the reader of all requests says', async () => {
    await withState(async ({ publication }) => {
      publication.replace({ issuers: [statusIssuer()], scopes: [] });
      fc.assert(
        fc.property(hash, serialNumber, (hashName, serial) => {
          const der = ocspRequest([serial], { hash: hashName });
          const [expected] = readOcspRequest(der).certificateIds;
          const plain = publication.recognize(der);
          if (der.length <= 129) assert.ok(plain !== undefined);
          if (plain === undefined) return;
          assert.equal(plain.serialNumber, expected?.serialNumber);
          assert.equal(plain.hash, expected?.hash);
          assert.equal(plain.issuer.name, 'issuing');
          assert.deepEqual(der.subarray(8), Buffer.from(expected?.der ?? []));
        }),
      );
    });
  });

  it('whatever is recognized is a request, and reads the same', async () => {
    await withState(async ({ publication }) => {
      publication.replace({ issuers: [statusIssuer()], scopes: [] });
      const change = fc.record({ at: fc.nat(), value: fc.nat({ max: 255 }), cut: fc.nat({ max: 3 }) });
      fc.assert(
        fc.property(hash, serialNumber, change, (hashName, serial, { at, value, cut }) => {
          const request = ocspRequest([serial], { hash: hashName });
          const der = Buffer.from(request.subarray(0, request.length - cut));
          der[at % der.length] = value;
          const plain = publication.recognize(der);
          if (plain === undefined) return;
          const { certificateIds, nonce, isSigned } = readOcspRequest(der);
          assert.deepEqual([certificateIds.length, nonce, isSigned], [1, undefined, false]);
          assert.equal(certificateIds[0]?.serialNumber, plain.serialNumber);
        }),
        { numRuns: 2_000 },
      );
    });
  });

  it('a CertID that ends too early is left to the reader, which refuses it', async () => {
    await withState(async ({ publication }) => {
      publication.replace({ issuers: [statusIssuer()], scopes: [] });
      fc.assert(
        fc.property(hash, serialNumber, fc.nat(), (hashName, serial, length) => {
          const contents = ocspRequest([serial], { hash: hashName }).subarray(10);
          let der: Uint8Array = contents.subarray(0, length % contents.length);
          for (let depth = 0; depth < 5; depth++) der = sequence(der);
          assert.equal(publication.recognize(der), undefined);
          assert.throws(() => readOcspRequest(der), OcspRequestError);
        }),
        { numRuns: 2_000 },
      );
    });
  });

  it('others are not: a nonce, two certificates, another issuer, octets that are none', async () => {
    await withState(async ({ publication }) => {
      publication.replace({ issuers: [statusIssuer()], scopes: [] });
      const certificateIds = [writeCertificateId('sha1', issuingCertificate, '01')];
      for (const der of [
        writeOcspRequest({ certificateIds, nonce: Buffer.alloc(8, 1) }),
        writeOcspRequest({ certificateIds: [...certificateIds, ...certificateIds] }),
        ocspRequest(['01'], { issuer: strangerCertificate }),
        Buffer.alloc(0),
        Buffer.alloc(80, 0x30),
      ]) {
        assert.equal(publication.recognize(der), undefined);
      }
    });
  });

  it('a serial number that is negative, or not minimal, is left to the reader, which refuses it', async () => {
    await withState(async ({ publication }) => {
      publication.replace({ issuers: [statusIssuer()], scopes: [] });
      for (const last of [
        [0xff, 0x01],
        [0x00, 0x01],
      ]) {
        const der = ocspRequest(['0102']);
        der.set(last, der.length - 2);
        assert.equal(publication.recognize(der), undefined);
        assert.throws(() => readOcspRequest(der), OcspRequestError);
      }
    });
  });
});
