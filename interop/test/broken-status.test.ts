import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { octetString } from '@gatehouse/pkix/der/writer';
import { readCertificateId, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { OcspRequestError, readOcspRequest, writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { brokenStatusInputs } from '../src/broken-status.ts';
import { certIdFields, craftCertId, craftOcspRequest, nonce, spoilHash } from '../src/crafted-ocsp-request.ts';

const issuer = {
  subjectDer: Buffer.from('3000', 'hex'),
  subjectPublicKeyInfo: Buffer.from('3009300406022a03030100', 'hex'),
};
const certificateId = writeCertificateId('sha1', issuer, '4711');
const request = writeOcspRequest({ certificateIds: [certificateId] });

describe('the table of broken inputs of the status gate', () => {
  it('has at least twenty-five rows, each with a name of its own', () => {
    assert(brokenStatusInputs.length >= 25);
    assert.equal(new Set(brokenStatusInputs.map(({ name }) => name)).size, brokenStatusInputs.length);
  });

  it('expects a refusal in every row', () => {
    for (const { name, refusal } of brokenStatusInputs) {
      assert('ocsp' in refusal || (refusal.status >= 400 && refusal.status < 500), name);
    }
  });
});

describe('RFC 6960 §4.1.1: crafted OCSP requests', () => {
  it('are in order but for what is crafted', () => {
    const fields = certIdFields(request);
    assert.deepEqual(Buffer.from(craftCertId(fields)), Buffer.from(certificateId));
    assert.deepEqual(Buffer.from(craftOcspRequest({ certificateIds: [certificateId] })), Buffer.from(request));
    const extended = craftOcspRequest({
      certificateIds: [certificateId],
      extensions: [nonce(octetString(Buffer.of(7)))],
    });
    assert.deepEqual([...(readOcspRequest(extended).nonce ?? [])], [7]);
    assert.throws(() => readOcspRequest(craftOcspRequest({ certificateIds: [] })), OcspRequestError);
  });

  it('can be about another issuer', () => {
    const fields = certIdFields(request);
    const other = craftCertId({ ...fields, issuerKeyHash: spoilHash(fields.issuerKeyHash) });
    assert.notDeepEqual(readCertificateId(other).issuerKeyHash, readCertificateId(certificateId).issuerKeyHash);
  });
});
