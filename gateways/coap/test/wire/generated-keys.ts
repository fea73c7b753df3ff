import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { openEncryptedKeyPackage } from '@gatehouse/pkix/cms/encrypted-key-package';
import { objectIdentifier, octetString, sequence } from '@gatehouse/pkix/der/writer';
import { algorithms, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { CertificateState } from '@gatehouse/ra-client/client';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { type MultipartPart, readMultipart } from '../../src/multipart.ts';
import { blockOption, uintOption, uriOptions } from '../../test-support/coap-client.ts';
import { connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import { keyEncryptionKey, manufacturer } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

/** Keys that the gate generates, over the wire. */
export function generatedKeyTests(stack: Stack): void {
  const { newDevice } = createEnroller(stack);
  const only = (parts: readonly MultipartPart[], contentFormat: number): Buffer => {
    const part = parts.find((each) => each.contentFormat === contentFormat);
    if (part === undefined) throw new Error(`no part has format ${contentFormat}`);
    return Buffer.from(part.content);
  };
  const isPairOf = (certificate: Certificate, privateKey: Buffer): void => {
    const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
    const expected = createPublicKey(key).export({ format: 'der', type: 'spki' });
    assert.deepEqual(Buffer.from(certificate.subjectPublicKeyInfo), expected);
  };
  const stateOf = async (serialNumber: string) => (await stack.operator.getCertificate({ serialNumber })).state;
  const certificatesOf = async (serial: string) => {
    const found: { readonly serialNumber: string; readonly state: CertificateState }[] = [];
    for await (const { serialNumber, state } of stack.operator.findCertificates({
      requesterId: `acme-idevid ${serial}`,
      limit: 10,
    })) {
      found.push({ serialNumber, state });
    }
    return found;
  };

  describe('RFC 9148 §4.8: skg and skc', () => {
    it('give a key in clear with its certificate, in a container and alone', async () => {
      for (const [resource, format] of [
        ['skg', 281],
        ['skc', 287],
      ] as const) {
        const { identity, serial } = newDevice();
        const client = await connectDevice(stack, identity);
        const request = newRequest({ subject: `CN=made,serialNumber=${serial}` });
        const response = await client.post(`/est/${resource}`, request, resource === 'skg' ? 62 : undefined);
        assert.deepEqual([response.code, response.contentFormat], ['2.04', 62], response.payload.toString());
        const parts = readMultipart(response.payload);
        assert.deepEqual(
          parts.map(({ contentFormat }) => contentFormat),
          [284, format],
        );
        const part = only(parts, format);
        const [certificate = part] = format === 281 ? readCertificatesOnly(part) : [part];
        isPairOf(readCertificate(certificate), only(parts, 284));
      }
    });

    it('give the key to nobody but the device that asked, though another has its serial number and its CSR', async () => {
      const { identity, serial } = newDevice();
      const twin = manufacturer.createDevice(serial);
      const request = newRequest({ subject: `CN=twin,serialNumber=${serial}` });
      const keys: Buffer[] = [];
      for (const each of [identity, twin]) {
        const client = await connectDevice(stack, each);
        const response = await client.post('/est/skg', request, 62);
        assert.equal(response.code, '2.04', response.payload.toString());
        keys.push(only(readMultipart(response.payload), 284));
      }
      assert.notDeepEqual(keys[0], keys[1]);
    });

    it('ignore the key and the signature of the CSR', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const request = Buffer.from(newRequest({ subject: `CN=made,serialNumber=${serial}` }));
      request[request.length - 1] = (request.at(-1) ?? 0) ^ 1;
      assert.equal((await client.post('/est/skg', request)).code, '2.04');
    });

    it('encrypt the key as the CSR asks, with format 280', async () => {
      for (const [resource, format] of [
        ['skg', 281],
        ['skc', 287],
      ] as const) {
        const { identity, serial } = newDevice();
        const client = await connectDevice(stack, identity);
        const request = newRequest({
          subject: `CN=made,serialNumber=${serial}`,
          attributes: [
            { type: pkcs9Attributes.decryptKeyIdentifier, values: [octetString(keyEncryptionKey.identifier)] },
            {
              type: pkcs9Attributes.smimeCapabilities,
              values: [
                sequence(
                  sequence(objectIdentifier(algorithms.aes256Wrap)),
                  sequence(objectIdentifier(algorithms.aes128Gcm)),
                ),
              ],
            },
          ],
        });
        const response = await client.post(`/est/${resource}`, request);
        assert.equal(response.code, '2.04', response.payload.toString());
        const parts = readMultipart(response.payload);
        const { keys } = openEncryptedKeyPackage(only(parts, 280), { kind: 'key-encryption-key', ...keyEncryptionKey });
        const part = only(parts, format);
        const [certificate = part] = format === 281 ? readCertificatesOnly(part) : [part];
        isPairOf(readCertificate(certificate), Buffer.from(keys[0] ?? []));
      }
    });

    it('never give a clear key where encryption was asked for that cannot be done, 4.00', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const request = newRequest({
        subject: `CN=made,serialNumber=${serial}`,
        // DecryptKeyIdentifier of a key that nobody configured, RFC 7030 §4.4.1.1.
        attributes: [{ type: pkcs9Attributes.decryptKeyIdentifier, values: [octetString(randomBytes(8))] }],
      });
      assert.equal((await client.post('/est/skg', request)).code, '4.00');
      assert.deepEqual(await certificatesOf(serial), []);
    });
  });

  describe('RFC 9148 §4.8: keys that do not arrive', () => {
    /** Sends the request whole, and takes the first of several blocks of the response. */
    const begin = async (request: Uint8Array, identity: ReturnType<typeof newDevice>['identity']) => {
      const client = await connectDevice(stack, identity);
      const response = await client.coap.exchanges.exchange({
        code: 'POST',
        options: [
          ...uriOptions('/est/skg'),
          ...uintOption(optionNumbers.contentFormat, 286),
          blockOption('block2', { number: 0, hasMore: false, size: 64 }),
        ],
        payload: request,
      });
      assert.equal(response.code, '2.04');
      return client;
    };

    it('have their certificate revoked when the session ends before the last block was fetched', async () => {
      const { identity, serial } = newDevice();
      const client = await begin(newRequest({ subject: `CN=lost,serialNumber=${serial}` }), identity);
      client.dtls.close();
      await stack.gate.line((line) => String(line.msg).includes('could not be delivered'));
      const [certificate] = await certificatesOf(serial);
      assert.equal(certificate?.state, CertificateState.CERTIFICATE_STATE_REVOKED);
    });

    it('keep it when the device goes as soon as it has the key, and its Acknowledgement is lost', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity, {
        coap: { responseBlockSize: 1024, responseTimeoutMs: 5_000 },
      });
      assert.equal((await client.get('/est/crts')).code, '2.05');
      const { promise: acknowledged, resolve: acknowledge } = Promise.withResolvers<void>();
      const { promise: received, resolve: receive } = Promise.withResolvers<Buffer>();
      client.coap.exchanges.onAnything = ({ ack, confirmable, code, payload }) => {
        if (ack && code === '0.00') acknowledge();
        if (!confirmable) return;
        receive(payload);
        client.dtls.close();
      };
      stack.core.signal('SIGSTOP');
      try {
        client.post('/est/skg', newRequest({ subject: `CN=hasty,serialNumber=${serial}` })).catch(() => undefined);
        await acknowledged;
      } finally {
        stack.core.signal('SIGCONT');
      }
      const parts = readMultipart(await received);
      const [der = Buffer.alloc(0)] = readCertificatesOnly(only(parts, 281));
      isPairOf(readCertificate(der), only(parts, 284));
      await stack.gate.line((line) => String(line.msg).includes('was not confirmed') && line.session !== undefined);
      assert.equal(await stateOf(readCertificate(der).serialNumber), CertificateState.CERTIFICATE_STATE_VALID);
    });

    it('are given again to a device that comes back on another port, and stay good then', async () => {
      const { identity, serial } = newDevice();
      const request = newRequest({ subject: `CN=back,serialNumber=${serial}` });
      const first = await begin(request, identity);
      const second = await connectDevice(stack, identity);
      const response = await second.post('/est/skg', request);
      const parts = readMultipart(response.payload);
      const [der = Buffer.alloc(0)] = readCertificatesOnly(only(parts, 281));
      isPairOf(readCertificate(der), only(parts, 284));
      const peer = `127.0.0.1:${first.dtls.localPort}`;
      first.dtls.close();
      await stack.gate.line((line) => line.msg === 'session closed' && line.peer === peer);
      const all = await certificatesOf(serial);
      assert.equal(all.length, 1);
      assert.equal(await stateOf(readCertificate(der).serialNumber), CertificateState.CERTIFICATE_STATE_VALID);
    });

    it('are given again also when the last block went out already: it may be what was lost', async () => {
      const { identity, serial } = newDevice();
      const request = newRequest({ subject: `CN=unsure,serialNumber=${serial}` });
      const keys: Buffer[] = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        const client = await connectDevice(stack, identity);
        // The second time in the same session, the third time in another.
        for (let repetition = 0; repetition < 2; repetition++) {
          const { payload } = await client.post('/est/skg', request);
          keys.push(only(readMultipart(payload), 284));
        }
        client.dtls.close();
      }
      assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1);
      const all = await certificatesOf(serial);
      assert.deepEqual(
        all.map(({ state }) => state),
        [CertificateState.CERTIFICATE_STATE_VALID],
      );
    });
  });
}
