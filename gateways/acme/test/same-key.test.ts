import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import { isSameKey } from '@gatehouse/gateway-acme/certification-request';
import { encodePem } from '@gatehouse/pkix/pem';
import { createTestAuthority, createTestKey } from '@gatehouse/ra-client/testing/certificate-builder';
import { listen } from '@gatehouse/runtime/listen';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const ed25519 = generateKeyPairSync('ed25519').publicKey;
const keys = { rsa, p256, p384, ed25519 };

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

describe('RFC 8555 §11.1: a certificate never has the key of its account', () => {
  for (const [name, key] of Object.entries(keys)) {
    it(`knows the same key again: ${name}`, () => {
      assert.equal(isSameKey(spki(key), key), true);
      for (const other of Object.values(keys)) if (other !== key) assert.equal(isSameKey(spki(other), key), false);
    });
  }

  // Comparing keys of two kinds in OpenSSL leaves an error behind, and the next record that is written takes it for its own.
  it('spoils no connection by the comparison', async () => {
    const csrKey = spki(p256);
    const { privateKey, publicKey } = createTestKey();
    const certificate = createTestAuthority('test').issue({ publicKey, names: [{ kind: 'dns', value: 'localhost' }] });
    const server = createServer({
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: encodePem('CERTIFICATE', certificate),
    });
    const { promise: ended, resolve } = Promise.withResolvers<Error | undefined>();
    server.on('secureConnection', (socket) => {
      socket.on('error', resolve).on('close', () => resolve(undefined));
      socket.once('data', () => {
        isSameKey(csrKey, rsa);
        socket.end('answer');
      });
    });
    const { host, port } = await listen(server, { host: '127.0.0.1', port: 0 });
    const client = connect({ host, port, rejectUnauthorized: false });
    client.on('error', resolve).on('data', () => undefined);
    client.write('question');
    assert.equal(await ended, undefined);
    client.destroy();
    server.close();
  });
});
