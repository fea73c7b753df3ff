import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { encodePem } from '@gatehouse/pkix/pem';
import { certificateOf, certificatesOf, type EstClient, sendAndLeave } from '../support/client.ts';
import { password } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

const alice = `alice:${password}`;
const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64');
const path = '/.well-known/est/simpleenroll';

/** Getting certificates, over the wire. */
export function enrollmentTests(stack: Stack, send: EstClient): void {
  const enroll = (request: Uint8Array, target = path, user = alice) => send(target, { body: base64(request), user });

  describe('RFC 7030 §4.1: cacerts', () => {
    it('holds the issuing CA and the root, without asking who is there, under every label', async () => {
      for (const target of [
        '/.well-known/est/cacerts',
        '/.well-known/est/tls-client/cacerts',
        '/both/.well-known/est/cacerts',
      ]) {
        const response = await send(target);
        assert.equal(response.status, 200);
        assert.match(String(response.headers['content-type']), /^application\/pkcs7-mime/);
        // RFC 5652 §5.1: a set; its order says nothing.
        const certificates = certificatesOf(response);
        const root = certificates.find(({ der }) => encodePem('CERTIFICATE', der) === stack.trustAnchor);
        const issuing = certificates.find((certificate) => certificate !== root);
        assert.ok(issuing !== undefined && root !== undefined && certificates.length === 2);
        assert.deepEqual(issuing.issuerDer, root.subjectDer);
      }
    });

    it('is one line of base64 with its exact length, and never chunked', async () => {
      const response = await send('/.well-known/est/cacerts');
      assert.match(response.body, /^[A-Za-z0-9+/]+=*$/);
      assert.equal(Number(response.headers['content-length']), response.body.length);
      assert.equal(response.headers['transfer-encoding'], undefined);
      assert.equal(response.headers['content-transfer-encoding'], undefined);
    });
  });

  describe('RFC 7030 §4.2: simpleenroll', () => {
    it('answers with the certificate alone, for the key and the names of the CSR', async () => {
      const key = newKey();
      const request = newRequest({ subject: 'CN=a.example.com', names: ['DNS:a.example.com', 'IP:127.0.0.1'], key });
      const response = await enroll(request);
      assert.equal(response.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only');
      const certificate = certificateOf(response);
      assert.deepEqual(subjectAlternativeNames(certificate).map(formatGeneralName), [
        'DNS:a.example.com',
        'IP:127.0.0.1',
      ]);
    });

    for (const [what, form] of [
      ['base64 with line breaks', (der: Uint8Array) => (base64(der).match(/.{1,64}/g) ?? []).join('\r\n')],
      ['PEM', (der: Uint8Array) => encodePem('CERTIFICATE REQUEST', der)],
      ['PEM of old tools', (der: Uint8Array) => encodePem('NEW CERTIFICATE REQUEST', der)],
      ['DER', (der: Uint8Array) => der],
    ] as const) {
      it(`takes the body as ${what}`, async () => {
        certificateOf(await send(path, { body: form(newRequest({ names: ['DNS:form.example.com'] })), user: alice }));
      });
    }

    it('takes a media type with parameters and in capitals, and a chunked body', async () => {
      const body = base64(newRequest({ names: ['DNS:type.example.com'] }));
      const variants: readonly Readonly<Record<string, string>>[] = [
        { 'content-type': 'application/pkcs10; charset=utf-8' },
        { 'content-type': 'APPLICATION/PKCS10' },
        { 'content-type': 'application/pkcs10', 'transfer-encoding': 'chunked' },
        { accept: 'application/pkix-cert', 'content-transfer-encoding': 'base64' },
      ];
      for (const headers of variants) certificateOf(await send(path, { body, user: alice, headers }));
    });

    it('finds the label on either side of the well-known part, and with a colon', async () => {
      const request = newRequest({ names: ['DNS:label.example.com'] });
      for (const target of [
        '/.well-known/est/ca:7/simpleenroll',
        '/ca:7/.well-known/est/simpleenroll',
        '/.well-known/est/TLS-Server/SimpleEnroll/',
      ]) {
        certificateOf(await enroll(request, target));
      }
    });

    it('takes a request without Content-Type only where the label allows', async () => {
      const body = newRequest({ names: ['DNS:lenient.example.com'] });
      const headers = { 'content-type': '' };
      assert.equal((await send('/.well-known/est/lenient/simpleenroll', { body, user: alice, headers })).status, 415);
    });
  });

  describe('retry safety', () => {
    it('gives the same certificate to the same request, and another to another key', async () => {
      const key = newKey();
      const request = newRequest({ names: ['DNS:retry.example.com'], key });
      const first = certificateOf(await enroll(request));
      assert.equal(certificateOf(await enroll(request)).serialNumber, first.serialNumber);
      const other = certificateOf(await enroll(newRequest({ names: ['DNS:retry.example.com'] })));
      assert.notEqual(other.serialNumber, first.serialNumber);
    });

    it('issues once for requests that come at the same time', async () => {
      const request = newRequest({ names: ['DNS:twins.example.com'] });
      const serials = await Promise.all(
        Array.from({ length: 5 }, async () => certificateOf(await enroll(request)).serialNumber),
      );
      assert.equal(new Set(serials).size, 1);
    });

    it('gives a client that was gone before the answer the certificate that was issued for it', async () => {
      const request = newRequest({ names: ['DNS:lost.example.com'] });
      await sendAndLeave(stack, path, request, alice);
      const certificate = certificateOf(await enroll(request));
      const issued: string[] = [];
      for await (const { serialNumber } of stack.operator.findCertificates({ name: 'lost.example.com' })) {
        issued.push(serialNumber);
      }
      assert.deepEqual(issued, [certificate.serialNumber]);
    });

    it('keeps labels and askers apart', async () => {
      const request = newRequest({ names: ['DNS:apart.example.com'] });
      const serials = new Set<string>();
      serials.add(certificateOf(await enroll(request)).serialNumber);
      serials.add(certificateOf(await enroll(request, '/.well-known/est/tls-server/simpleenroll')).serialNumber);
      serials.add(certificateOf(await enroll(request, path, `bob:${password}`)).serialNumber);
      assert.equal(serials.size, 3);
    });
  });

  describe('RFC 7030 §4.2.3: pending', () => {
    const approved = '/.well-known/est/approved/simpleenroll';
    const pendingOf = async (name: string) => {
      const pending = await stack.operator.administration.listPendingEnrollments();
      const found = pending.find(({ names }) =>
        names.some((one) => one.name?.$case === 'dns' && one.name.value === name),
      );
      assert.ok(found !== undefined);
      return found.requestId;
    };

    it('is 202 with seconds to wait until somebody approves; the same POST then gets the certificate', async () => {
      const request = newRequest({ names: ['DNS:pending.example.com'] });
      for (let i = 0; i < 2; i++) {
        const response = await enroll(request, approved);
        assert.equal(response.status, 202);
        assert.match(String(response.headers['retry-after']), /^[1-9]\d*$/);
      }
      await stack.operator.administration.approveEnrollment(await pendingOf('pending.example.com'), 'known');
      const certificate = certificateOf(await enroll(request, approved));
      assert.equal(certificateOf(await enroll(request, approved)).serialNumber, certificate.serialNumber);
    });

    it('is 403 with the reason when somebody rejects', async () => {
      const request = newRequest({ names: ['DNS:rejected.example.com'] });
      assert.equal((await enroll(request, approved)).status, 202);
      await stack.operator.administration.rejectEnrollment(await pendingOf('rejected.example.com'), 'not ours');
      const response = await enroll(request, approved);
      assert.equal(response.status, 403);
      assert.match(response.body, /not ours/);
    });
  });

  describe('counted passwords', () => {
    it('are good for one request and its retries', async () => {
      const request = newRequest({ names: ['DNS:once.example.com'] });
      const refusal = await enroll(newRequest({ names: ['DNS:once.example.org'] }), path, `once:${password}`);
      assert.equal(refusal.status, 403, 'a refused request costs no use');
      const first = certificateOf(await enroll(request, path, `once:${password}`));
      assert.equal(certificateOf(await enroll(request, path, `once:${password}`)).serialNumber, first.serialNumber);
      const second = await enroll(newRequest({ names: ['DNS:once.example.com'] }), path, `once:${password}`);
      assert.equal(second.status, 403);
      assert.match(second.body, /used up/);
    });
  });

  describe('keys of all kinds', () => {
    for (const [what, generate] of [
      ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
      ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
      ['Ed25519', () => generateKeyPairSync('ed25519')],
      ['ML-DSA-65', () => generateKeyPairSync('ml-dsa-65')],
    ] as const) {
      it(`are certified as they are: ${what}`, async () => {
        const { privateKey, publicKey } = generate();
        const certificate = certificateOf(
          await enroll(newRequest({ names: ['DNS:keys.example.com'], key: privateKey })),
        );
        const expected = publicKey.export({ format: 'der', type: 'spki' });
        assert.equal(Buffer.compare(certificate.subjectPublicKeyInfo, expected), 0);
      });
    }
  });
}
