import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { createSignedData, readSignedData } from '@gatehouse/pkix/cms/signed-data';
import { sequence } from '@gatehouse/pkix/der/writer';
import { contentTypes } from '@gatehouse/pkix/object-identifiers';
import { readRequests } from '../../src/cmc/certification-requests.ts';
import { CmcFailure } from '../../src/cmc/failure.ts';
import { isWitness, versionOneDigest } from '../../src/cmc/keyed-digest.ts';
import { verifyMessageSigner } from '../../src/cmc/message-signer.ts';
import { readPkiData } from '../../src/cmc/pki-data.ts';
import { macOf, pkiData, selfSignedCertificate, signedBy, signedByRequestKey, tcr, unsigned } from '../support/cmc.ts';
import { manufacturer } from '../support/cms-settings.ts';

const key = newKey();
const own = selfSignedCertificate(key, 'CN=request key');
const content = pkiData([tcr(1, newRequest({ names: ['DNS:a.example.com'], key, extensions: own.extensions }))]);
const requests = readRequests(readPkiData(content).requests);
const holderKey = newKey();
const holder = {
  key: holderKey,
  certificate: readCertificate(manufacturer.issue({ subject: 'CN=holder', key: holderKey })),
};
const verify = (der: Uint8Array, shown: readonly Uint8Array[] = []) =>
  verifyMessageSigner(readSignedData(der), requests, shown);
const refuses = (act: () => unknown, detail: RegExp) =>
  assert.throws(act, (error) => {
    assert.ok(error instanceof CmcFailure, String(error));
    assert.equal(error.failInfo, 'badMessageCheck');
    assert.match(error.detail, detail);
    return true;
  });

describe('RFC 5272 §3.2: who signed a message', () => {
  it('is the key of the request with the same subjectKeyIdentifier', () => {
    const signer = verify(signedByRequestKey(key, content));
    assert.equal(signer.kind === 'request-key' && signer.request.bodyPartId, 1);
  });

  it('is that key too when a tool made a certificate for it, which proves no more', () => {
    for (const identifyBy of ['subject-key-identifier', 'issuer-and-serial-number'] as const) {
      const signer = { certificate: own, key };
      const input = { content, contentType: contentTypes.pkiData, signer, certificates: [own.der], identifyBy };
      assert.equal(verify(createSignedData(input)).kind, 'request-key');
    }
  });

  it('is the holder of a certificate, in the message or in the handshake', () => {
    const extra = selfSignedCertificate(newKey(), 'CN=extra').der;
    const signer = verify(signedBy(holder, content, [extra, holder.certificate.der]));
    assert.ok(signer.kind === 'certificate');
    assert.equal(signer.certificate.serialNumber, holder.certificate.serialNumber);
    assert.deepEqual(
      signer.others.map((der) => Buffer.from(der)),
      [Buffer.from(extra)],
    );
    assert.equal(verify(signedBy(holder, content, []), [holder.certificate.der]).kind, 'certificate');
  });

  it('is nobody when there is no signature', () => {
    assert.equal(verify(unsigned(content)).kind, 'none');
  });

  it('is unknown without the certificate, or with a request that lacks the identifier', () => {
    refuses(() => verify(signedBy(holder, content, [])), /certificate of the signer is missing/);
    refuses(() => verify(signedBy(holder, content, [sequence()])), /certificate of the signer is missing/);
    refuses(() => verify(signedByRequestKey(newKey(), content)), /no request has its key/);
  });

  it('is not believed when the signature is of another key or over other octets', () => {
    const impostor = { certificate: holder.certificate, key: newKey() };
    refuses(() => verify(signedBy(impostor, content)), /does not verify/);
    const signed = Buffer.from(signedByRequestKey(key, content));
    signed.write('b.', signed.indexOf('a.example.com'));
    refuses(() => verify(signed), /not the one that was signed/);
  });

  it('is not believed when the key is not for signatures', () => {
    const authority = { key: manufacturer.key, certificate: readCertificate(manufacturer.certificate) };
    refuses(() => verify(signedBy(authority, content)), /not for signatures/);
  });
});

describe('RFC 5272 §6.2.1, §6.3.1.1: witnesses', () => {
  it('are a MAC under the hash of the secret', () => {
    const secret = Buffer.from('shared');
    const body = Buffer.from('requests');
    for (const digest of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
      const witness = macOf('shared', body, digest);
      assert.ok(isWitness({ hash: digest, mac: digest }, secret, body, witness));
      assert.ok(!isWitness({ hash: digest, mac: digest }, Buffer.from('other'), body, witness));
      assert.ok(!isWitness({ hash: digest, mac: digest }, secret, Buffer.from('others'), witness));
      assert.ok(!isWitness({ hash: digest, mac: digest }, secret, body, witness.subarray(1)));
    }
    // RFC 5272 §6.2.2: SHA-1 and HMAC-SHA1.
    assert.ok(isWitness(versionOneDigest, secret, body, macOf('shared', body, 'sha1')));
  });
});
