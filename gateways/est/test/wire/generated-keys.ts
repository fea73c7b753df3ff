import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { newRequest, type RequestShape } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { octetString } from '@gatehouse/pkix/der/writer';
import { pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { CertificateState } from '@gatehouse/ra-client/client';
import { type EstClient, type EstResponse, sendAndLeave } from '../support/client.ts';
import { password } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

const alice = `alice:${password}`;
const path = (label: string) => `/.well-known/est/${label}/serverkeygen`;

/** Keys made by the gate, over the wire. */
export function generatedKeyTests(stack: Stack, send: EstClient): void {
  const ask = (shape: RequestShape, label = 'default', user = alice) =>
    send(path(label), { body: newRequest(shape), user });

  describe('RFC 7030 §4.4: serverkeygen', () => {
    it('answers with the private key first, then its certificate, and lets nobody keep them', async () => {
      const response = await ask({ names: ['DNS:generated.example.com'] });
      assert.equal(response.headers['cache-control'], 'no-store');
      const { types, key, certificate } = take(response);
      assert.deepEqual(types, ['application/pkcs8', 'application/pkcs7-mime; smime-type=certs-only']);
      assert.deepEqual(
        createPublicKey(key).export({ format: 'der', type: 'spki' }),
        Buffer.from(certificate.subjectPublicKeyInfo),
      );
      assert.equal(subjectAlternativeNames(certificate).length, 1);
    });

    it('ignores key and signature of the CSR', async () => {
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
      const request = Buffer.from(newRequest({ names: ['DNS:ignored.example.com'], key: weak }));
      request.writeUInt8(request.readUInt8(request.length - 1) ^ 1, request.length - 1);
      const { key } = take(await send(path('default'), { body: request, user: alice }));
      assert.equal(key.asymmetricKeyType, 'rsa');
      assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048);
    });

    it('makes a key that the profile likes when it cannot grant the kind that was sent', async () => {
      const { key } = take(await ask({ names: ['DNS:big.example.com'] }, 'big'));
      assert.equal(key.asymmetricKeyDetails?.modulusLength, 3072);
    });

    it('makes another key for every request', async () => {
      const request = newRequest({ names: ['DNS:fresh.example.com'] });
      const [first, second] = [0, 0].map(async () => take(await send(path('default'), { body: request, user: alice })));
      assert.notEqual((await first)?.certificate.serialNumber, (await second)?.certificate.serialNumber);
    });

    it('never falls back to a key in clear when the client asks for encryption', async () => {
      for (const type of [pkcs9Attributes.decryptKeyIdentifier, pkcs9Attributes.asymmetricDecryptKeyIdentifier]) {
        const attributes = [{ type, values: [octetString(Buffer.from('unknown key'))] }];
        assert.equal((await ask({ names: ['DNS:secret.example.com'], attributes })).status, 400);
      }
    });

    it('waits for approval with the key that it made', async () => {
      const request = newRequest({ names: ['DNS:waiting.example.com'] });
      const post = () => send(path('approved'), { body: request, user: alice });
      assert.equal((await post()).status, 202);
      assert.equal((await post()).status, 202);
      const pending = await stack.operator.administration.listPendingEnrollments();
      const mine = pending.filter(({ names }) =>
        names.some(({ name }) => name?.$case === 'dns' && name.value === 'waiting.example.com'),
      );
      assert.equal(mine.length, 1);
      await stack.operator.administration.approveEnrollment(mine[0]?.requestId ?? '', 'ok');
      take(await post());
    });

    it('revokes the certificate at once when the client is gone before the answer', { timeout: 60_000 }, async () => {
      // On a busy machine the gate may hear of the client's end before it has issued anything, or after it has handed the
      // whole answer to the system: then another client leaves.
      for (let attempt = 0; ; attempt++) {
        const name = `gone${attempt}.example.com`;
        await sendAndLeave(stack, path('default'), newRequest({ names: [`DNS:${name}`] }), alice);
        // The revocation follows the issue on its own: look until it is there.
        for (let look = 0; look < 50; look++) {
          for await (const { state } of stack.operator.findCertificates({ name })) {
            if (state === CertificateState.CERTIFICATE_STATE_REVOKED) return;
          }
        }
      }
    });

    it('leaves no key in the log', async () => {
      take(await ask({ names: ['DNS:unlogged.example.com'] }));
      assert.doesNotMatch(stack.gateLog(), /PRIVATE KEY|MIGHAgEA/);
    });
  });
}

/** Takes a multipart answer apart. */
function take(response: EstResponse): { types: string[]; key: KeyObject; certificate: Certificate } {
  assert.equal(response.status, 200, response.body);
  const boundary = /^multipart\/mixed; boundary=(\S+)$/.exec(String(response.headers['content-type']))?.[1];
  assert.ok(boundary !== undefined);
  const parts = response.body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => part.trim().split('\r\n\r\n'));
  const [key, certificates] = parts.map(([, content = '']) => Buffer.from(content, 'base64'));
  assert.ok(key !== undefined && certificates !== undefined && parts.length === 2);
  const [certificate, ...more] = readCertificatesOnly(certificates);
  assert.ok(certificate !== undefined && more.length === 0);
  return {
    types: parts.map(([head = '']) => head.replace(/^Content-Type: /i, '')),
    key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    certificate: readCertificate(certificate),
  };
}
