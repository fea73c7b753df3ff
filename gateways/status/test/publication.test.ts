import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificateId, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { createTestAuthority } from '@gatehouse/ra-client/testing/certificate-builder';
import { scopes } from './support/http.ts';
import { issuingCertificate, root, statusIssuer, strangerCertificate } from './support/signed.ts';
import { openState, withDirectory, withState } from './support/state.ts';

const published = {
  issuers: [statusIssuer(), statusIssuer({ name: 'root', certificate: Buffer.from(root.certificate), hasOcsp: false })],
  scopes,
};
const named = (certificate: typeof issuingCertificate, hash: 'sha1' | 'sha256') =>
  readCertificateId(writeCertificateId(hash, certificate, '01'));

describe('what is published', () => {
  it('is there after a restart, in the same order', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory);
      assert.deepEqual(before.publication.replace(published), []);
      await before.close();
      const { publication, close } = await openState(directory);
      assert.deepEqual(
        publication.issuers.map(({ name, hasOcsp }) => [name, hasOcsp]),
        [
          ['issuing', true],
          ['root', false],
        ],
      );
      assert.deepEqual([...publication.scopes.values()], scopes);
      await close();
    });
  });

  it('RFC 6960 §4.1.1: an issuer is found by either hash of its name and key', async () => {
    await withState(async ({ publication }) => {
      publication.replace(published);
      for (const hash of ['sha1', 'sha256'] as const) {
        assert.equal(publication.findIssuer(named(issuingCertificate, hash))?.name, 'issuing');
        assert.equal(publication.findIssuer(named(strangerCertificate, hash)), undefined);
      }
    });
  });

  it('tells which authorities have another key or are gone', async () => {
    await withState(async ({ publication }) => {
      publication.replace(published);
      assert.deepEqual(publication.replace(published), []);
      const certificate = Buffer.from(createTestAuthority('issuing').certificate);
      assert.deepEqual(publication.replace({ issuers: [statusIssuer({ certificate })], scopes: [] }), [
        'issuing',
        'root',
      ]);
    });
  });

  it('holds also when it cannot be written, and does not change when it cannot be read', async () => {
    await withState(async ({ publication, database }) => {
      database.raw.exec('PRAGMA query_only = ON');
      publication.replace(published);
      assert.equal(publication.issuers.length, 2);
      const damaged = statusIssuer({ certificate: Buffer.from('no certificate') });
      assert.throws(() => publication.replace({ issuers: [damaged], scopes: [] }));
      assert.equal(publication.issuers.length, 2);
      database.raw.exec('PRAGMA query_only = OFF');
    });
  });
});
