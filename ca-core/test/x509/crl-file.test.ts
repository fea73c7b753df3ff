// A CRL from its parts: exactly those octets, their digest, and a signature that openssl verifies for every kind of key.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { bitString, sequence } from '@gatehouse/pkix/der/writer';
import { assembleCrlFile } from '../../src/x509/crl-file.ts';
import { createTestAuthority } from './builders.ts';
import { createDirectory, crlFacts, makeCrl, makeEntries, opensslCrl } from './crl-support.ts';

const directory = createDirectory();
after(directory.remove);
const path = (name: string) => join(directory.path, name);

describe('RFC 5280 §5.1: CertificateList', () => {
  it('is the TBSCertList, the algorithm and the signature, of any size', async () => {
    for (const size of [1, 100, 200, 70_000, 600_000]) {
      const tbs = sequence(new Uint8Array(size));
      const signatureAlgorithm = sequence(new Uint8Array(9));
      const signature = new Uint8Array(70).fill(0x5a);
      writeFileSync(path('tbs'), tbs);
      const assembled = await assembleCrlFile({
        tbsFile: path('tbs'),
        signatureAlgorithm,
        signature,
        file: path('crl'),
      });
      const written = readFileSync(path('crl'));
      assert.ok(written.equals(Buffer.from(sequence(tbs, signatureAlgorithm, bitString(signature)))));
      assert.equal(assembled.size, written.length);
      assert.deepEqual(Buffer.from(assembled.sha256), createHash('sha256').update(written).digest());
    }
  });

  it('leaves no file when the TBSCertList is away', async () => {
    const parts = { signatureAlgorithm: sequence(), signature: new Uint8Array(1), file: path('none') };
    await assert.rejects(assembleCrlFile({ tbsFile: path('missing'), ...parts }), { code: 'ENOENT' });
    assert.equal(existsSync(path('none')), false);
  });

  for (const [algorithm, padding] of [
    ['ecdsa-p256', 'pkcs1'],
    ['ecdsa-p384', 'pkcs1'],
    ['rsa-2048', 'pkcs1'],
    ['rsa-2048', 'pss'],
    ['ed25519', 'pkcs1'],
  ] as const) {
    it(`verifies with ${algorithm} ${padding}`, async () => {
      const authority = createTestAuthority(algorithm, padding);
      const crl = await makeCrl(directory.path, authority, crlFacts(authority), [makeEntries(20)]);
      const words = opensslCrl(directory.path, authority, crl);
      assert.match(words, /^verify OK/m);
      assert.equal(words.match(/Serial Number: /g)?.length, 20);
    });
  }
});
