import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { octetString, sequence } from '@gatehouse/pkix/der/writer';
import { formatName, parseName, writeName } from '@gatehouse/pkix/names';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { RevocationReason } from '@gatehouse/ra-client/client';
import type { EstClient } from '../support/client.ts';
import {
  type Control,
  certificateRequestMessage,
  crm,
  pkiData,
  selfSignedCertificate,
  signedBy,
  signedByRequestKey,
  tcr,
} from '../support/cmc.ts';
import {
  alice,
  createCmcClient,
  failInfo,
  issuedFor,
  refused,
  simpleCertificates,
  succeeded,
} from '../support/cmc-client.ts';
import { manufacturer } from '../support/cms-settings.ts';
import type { Stack } from '../support/stack.ts';

/** Full PKI Requests signed by a certificate, over the wire. */
export function cmcCertificateTests(stack: Stack, send: EstClient): void {
  const { post, newName, newKeyed, enroll } = createCmcClient(send);

  describe('RFC 5272 §3.2, §6.3.3: a request signed by a certificate', () => {
    it('renews the certificate whose names it repeats', async () => {
      const names = [newName()];
      const holder = await enroll('default', { names });
      const key = newKey();
      const response = await post(signedBy(holder, pkiData([tcr(1, newRequest({ names, key }))])));
      const certificate = issuedFor(simpleCertificates(response), key);
      const record = await stack.operator.getCertificate({ certificate: certificate.der });
      assert.equal(record.renews, holder.certificate.serialNumber);
      assert.match(record.requester?.id ?? '', new RegExp(holder.certificate.serialNumber));
    });

    it('enrols further certificates of the same label with its own names alone', async () => {
      const [first, second] = [newName(), newName()];
      const holder = await enroll('tls-client', { names: [first, second] });
      const key = newKey();
      const fewer = await post(signedBy(holder, pkiData([tcr(1, newRequest({ names: [first], key }))])), {
        label: 'tls-client',
      });
      issuedFor(simpleCertificates(fewer), key);
      const other = await post(signedBy(holder, pkiData([tcr(1, newRequest({ names: [newName()] }))])), {
        label: 'tls-client',
      });
      refused(other, 403, failInfo.badRequest, [1]);
    });

    it('counts as the certificate that a label demands', async () => {
      const names = [newName()];
      const holder = await enroll('tls-client', { names });
      const content = pkiData([tcr(1, newRequest({ names }))]);
      const response = await post(signedBy(holder, content), { label: 'certificate-only' });
      succeeded(response);
      const { key, der } = newKeyed({ names });
      const without = await post(signedByRequestKey(key, pkiData([tcr(1, der)])), {
        label: 'certificate-only',
        user: alice,
      });
      refused(without, 403, failInfo.badRequest);
    });

    it('may be signed by a certificate that only the handshake shows', async () => {
      const names = [newName()];
      const holder = await enroll('tls-client', { names });
      const identity = { key: holder.key, certificates: [holder.certificate.der] };
      const message = signedBy(holder, pkiData([tcr(1, newRequest({ names }))]), []);
      assert.equal((await post(message, { label: 'tls-client', identity })).status, 200);
      refused(await post(message, { label: 'tls-client', user: alice }), 400, failInfo.badMessageCheck);
    });

    it('enrols for others when it is that of an RA', async () => {
      const agent = await enroll('agent', { subject: 'CN=agent-1' });
      const { key, der } = newKeyed({ names: ['DNS:a.field.example.com'] });
      const response = await post(signedBy(agent, pkiData([tcr(1, der)])));
      issuedFor(simpleCertificates(response), key);
      const outside = newRequest({ names: ['DNS:b.example.com'] });
      refused(await post(signedBy(agent, pkiData([tcr(1, outside)]))), 403, failInfo.badRequest, [1]);
    });

    it('enrols a device by the certificate of its maker', async () => {
      const key = newKey();
      const der = manufacturer.issue({ subject: 'serialNumber=D-1,O=Acme', key });
      const device = { key, certificate: readCertificate(der) };
      const request = newRequest({ subject: 'serialNumber=D-1' });
      const ask = (label: string) => post(signedBy(device, pkiData([tcr(1, request)])), { label });
      const response = await ask('device');
      succeeded(response);
      refused(await ask('default'), 401, failInfo.badIdentity);
    });

    it('is refused when nobody here knows the certificate, or it is revoked', async () => {
      const key = newKey();
      const self = { key, certificate: selfSignedCertificate(key, 'CN=anybody') };
      const names = [newName()];
      const content = pkiData([tcr(1, newRequest({ names }))]);
      const response = await post(signedBy(self, content));
      refused(response, 401, failInfo.badIdentity);
      assert.match(String(response.headers['www-authenticate']), /^Basic /);
      const holder = await enroll('default', { names });
      const reason = RevocationReason.REVOCATION_REASON_SUPERSEDED;
      await stack.operator.revoke({ serialNumber: holder.certificate.serialNumber, reason });
      refused(await post(signedBy(holder, content)), 401, failInfo.badIdentity);
    });
  });

  describe('RFC 6402 §2.8: changeSubjectName', () => {
    const change = (subject: string) => ({
      type: cmcControls.changeSubjectName,
      values: [sequence(writeName(parseName(subject)))],
    });

    it('changes names in a renewal where the profile lets it, in PKCS #10 and in CRMF', async () => {
      const subject = 'serialNumber=S-1';
      const holder = await enroll('device', { subject });
      const [key, other] = [newKey(), newKey()];
      const attributes = [change('serialNumber=S-2')];
      const message = certificateRequestMessage({ bodyPartId: 1, subject, key: other, controls: attributes });
      for (const [request, itsKey] of [
        [tcr(1, newRequest({ subject, key, attributes })), key],
        [crm(message), other],
      ] as const) {
        // The names of the request are those of the certificate that signed it, RFC 7030 §4.2.2.
        const identity = { key: holder.key, certificates: [holder.certificate.der] };
        const allowed = await post(signedBy(holder, pkiData([request])), { label: 'device', identity, user: alice });
        const certificate = issuedFor(simpleCertificates(allowed), itsKey);
        assert.equal(formatName(certificate.subject), 'serialNumber=S-2');
      }
    });

    it('is refused where it does not, and in what is no renewal', async () => {
      const names = [newName()];
      const holder = await enroll('default', { names });
      const attributes = [change('CN=other.example.com')];
      const renewal = pkiData([tcr(1, newRequest({ names, attributes }))]);
      refused(await post(signedBy(holder, renewal), { user: alice }), 403, failInfo.badRequest, [1]);
      const { key, der } = newKeyed({ subject: 'serialNumber=S-3', attributes: [change('serialNumber=S-4')] });
      const response = await post(signedByRequestKey(key, pkiData([tcr(1, der)])), { label: 'device', user: alice });
      refused(response, 403, failInfo.badRequest, [1]);
    });
  });

  describe('openssl as a client of CMC', () => {
    it('signs a request and verifies the response', async () => {
      const names = [newName()];
      const { key, certificate } = await enroll('default', { names });
      const file = (name: string, content?: string | Uint8Array) => {
        const path = join(stack.directory, name);
        if (content !== undefined) writeFileSync(path, content);
        return path;
      };
      const nonce: Control = [cmcControls.senderNonce, octetString(Buffer.from('from openssl'))];
      const request = newRequest({ names });
      openssl([
        ...['-sign', '-binary', '-nodetach', '-econtent_type', '1.3.6.1.5.5.7.12.2', '-outform', 'DER'],
        ...['-in', file('pkidata.der', pkiData([tcr(1, request)], [nonce])), '-out', file('request.der')],
        ...['-signer', file('signer.pem', encodePem('CERTIFICATE', certificate.der))],
        ...['-inkey', file('signer.key', key.export({ type: 'pkcs8', format: 'pem' }))],
      ]);
      const response = await post(readFileSync(file('request.der')));
      succeeded(response);
      const content = openssl([
        ...['-verify', '-binary', '-inform', 'DER', '-purpose', 'any'],
        ...['-in', file('response.der', Buffer.from(response.body, 'base64'))],
        ...['-CAfile', file('anchor.pem', stack.trustAnchor)],
      ]);
      assert.ok(content.includes(Buffer.from('from openssl')));
    });
  });
}

function openssl(parameters: readonly string[]): Buffer {
  return execFileSync('openssl', ['cms', ...parameters], { stdio: 'pipe' });
}
