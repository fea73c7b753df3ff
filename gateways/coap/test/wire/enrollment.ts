import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { DerCursor } from '@gatehouse/pkix/der/reader';
import { formatName } from '@gatehouse/pkix/names';
import { certificateOf, certificatesOf, connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import { manufacturer, otherManufacturer } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

/** Fetching and enrolling, over the wire. */
export function enrollmentTests(stack: Stack): void {
  const { newDevice, enrol, identityOf } = createEnroller(stack);

  describe('RFC 9148 §4.1: roots and labels', () => {
    it('answers under the well-known root and the short one, with and without a label', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      for (const path of ['/.well-known/est/crts', '/est/crts', '/.well-known/est/device/crts', '/est/device/crts']) {
        assert.equal((await client.get(path)).code, '2.05', path);
      }
    });

    it('selects the profile by the label', async () => {
      const { key, certificate } = await enrol('named', { subject: 'CN=named-1' });
      const record = await stack.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.equal(record.profile, 'named');
      assert.ok(key !== undefined);
    });
  });

  describe('RFC 9148 §4.3: crts', () => {
    it('holds the issuing CA and the root, in DER, with format 281', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      for (const accept of [undefined, 281]) {
        const response = await client.get('/est/crts', accept);
        assert.deepEqual([response.code, response.contentFormat], ['2.05', 281]);
        const certificates = certificatesOf(response);
        const root = certificates.find(({ der }) => Buffer.compare(der, stack.trustAnchor) === 0);
        const issuing = certificates.find((certificate) => certificate !== root);
        assert.deepEqual(issuing?.issuerDer, root?.subjectDer);
      }
    });

    it('is the one trust anchor alone for 287', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      const response = await client.get('/est/crts', 287);
      assert.deepEqual([response.code, response.contentFormat], ['2.05', 287]);
      assert.deepEqual(response.payload, Buffer.from(stack.trustAnchor));
    });

    it('is for every device that may come in under the label, whatever it may enrol there', async () => {
      const client = await connectDevice(stack, newDevice(otherManufacturer).identity);
      assert.equal((await client.get('/est/client/crts')).code, '2.05');
    });
  });

  describe('RFC 9148 §4.2: sen', () => {
    it('answers with the certificate alone, for key and names of the CSR, as 281 and as 287', async () => {
      for (const accept of [undefined, 281, 287]) {
        const { identity, serial } = newDevice();
        const client = await connectDevice(stack, identity);
        const key = newKey();
        const subject = `CN=pump,serialNumber=${serial}`;
        const response = await client.post('/est/sen', newRequest({ subject, key }), accept);
        assert.equal(response.code, '2.04', response.payload.toString());
        assert.equal(response.contentFormat, accept ?? 281);
        const certificate = accept === 287 ? readCertificate(response.payload) : certificateOf(response);
        assert.equal(formatName(certificate.subject), subject);
        const expected = createPublicKey(key).export({ format: 'der', type: 'spki' });
        assert.deepEqual(Buffer.from(certificate.subjectPublicKeyInfo), expected);
      }
    });

    it('takes several requests on one session, in any order', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      for (const name of ['a', 'b']) {
        certificateOf(await client.post('/est/sen', newRequest({ subject: `CN=${name},serialNumber=${serial}` })));
        assert.equal((await client.get('/est/crts')).code, '2.05');
        assert.equal((await client.get('/est/att')).code, '2.05');
      }
    });

    it('sends the chain of the device along, which the keep verifies again', async () => {
      const { certificate } = await enrol('device', {});
      const events = stack.operator.administration;
      assert.ok(events !== undefined);
      const record = await stack.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.match(record.requester?.id ?? '', /^acme-idevid /);
    });
  });

  describe('RFC 9148 §4.6: block-wise transfer', () => {
    for (const blockSize of [16, 32, 64, 128, 256, 512, 1024]) {
      it(`takes a CSR and gives a certificate in blocks of ${blockSize} octets`, async () => {
        const { identity, serial } = newDevice();
        const client = await connectDevice(stack, identity, {
          coap: { blockSize, responseBlockSize: blockSize, hasNewTokenPerBlock: true },
        });
        const request = newRequest({ subject: `CN=blocks-${blockSize},serialNumber=${serial}` });
        const response = await client.post('/est/sen', request);
        certificateOf(response);
        assert.ok(response.messages.length >= request.length / blockSize);
      });
    }

    it('has at most 512 octets in a block where the client does not say', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      const { messages } = await client.get('/est/crts');
      assert.ok(messages.length > 1 && messages.every(({ payload }) => payload.length <= 512));
    });

    it('has smaller blocks for a client whose records are small (RFC 6066 §4), whatever it wishes', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity, {
        coap: { blockSize: 256, responseBlockSize: 1024 },
        dtls: { longestFragment: 512 },
      });
      const { code, messages } = await client.get('/est/crts');
      assert.equal(code, '2.05');
      assert.ok(messages.every(({ payload }) => payload.length <= 256));
      certificateOf(await client.post('/est/sen', newRequest({ subject: `CN=small,serialNumber=${serial}` })));
    });

    it('runs an enrollment once, however many messages it takes', async () => {
      const { certificate, key } = await enrol('device', { coap: { blockSize: 32, responseBlockSize: 32 } });
      const found = await stack.operator.findCertificates({
        requesterId: (await stack.operator.getCertificate({ serialNumber: certificate.serialNumber })).requester?.id,
        limit: 10,
      });
      let count = 0;
      for await (const _ of found) count++;
      assert.equal(count, 1);
      assert.ok(key !== undefined);
    });
  });

  describe('RFC 9148 §4.2: sren', () => {
    it('renews a certificate by itself, with a new key, under the label of its profile', async () => {
      const old = await enrol('device', { subject: 'CN=renew-1' });
      const client = await connectDevice(stack, identityOf(old));
      const response = await client.post('/est/sren', newRequest({ subject: formatName(old.certificate.subject) }));
      const renewed = certificateOf(response);
      const record = await stack.operator.getCertificate({ serialNumber: renewed.serialNumber });
      assert.equal(record.renews, old.certificate.serialNumber);
    });

    it('refuses other names, 4.00', async () => {
      const old = await enrol('device', { subject: 'CN=renew-2' });
      const client = await connectDevice(stack, identityOf(old));
      const response = await client.post('/est/sren', newRequest({ subject: 'CN=somebody else' }));
      assert.equal(response.code, '4.00');
      assert.match(response.payload.toString(), /subject/);
    });

    it('is not for devices with a certificate of their maker, 4.03', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const response = await client.post('/est/sren', newRequest({ subject: `CN=x,serialNumber=${serial}` }));
      assert.equal(response.code, '4.03');
    });
  });

  describe('RFC 9148 §4.5: att', () => {
    it('gives what the profile wants of a CSR, with format 285', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      const response = await client.get('/est/att', 285);
      assert.deepEqual([response.code, response.contentFormat], ['2.05', 285]);
      // RFC 8951 §3.5: a SEQUENCE of object identifiers and attributes.
      assert.ok(!new DerCursor(response.payload).enter(0x30).isAtEnd);
    });

    it('is 4.04 where nothing is asked', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      assert.equal((await client.get('/est/quiet/att')).code, '4.04');
    });
  });

  describe('RFC 4108 §5: HardwareModuleName', () => {
    it('is what a device is known by that has no serial number in its subject', async () => {
      const device = manufacturer.createDevice('', {
        subject: 'O=Acme',
        hardwareModule: { type: '1.3.6.1.4.1.6715.10.1', serialNumber: Buffer.from('SN-77') },
      });
      const client = await connectDevice(stack, device);
      const request = newRequest({ subject: 'serialNumber=SN-77' });
      const certificate = certificateOf(await client.post('/est/module/sen', request));
      const record = await stack.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.match(record.requester?.id ?? '', /^acme-module 1\.3\.6\.1\.4\.1\.6715\.10\.1 SN-77$/);
      const other = await client.post('/est/module/sen', newRequest({ subject: 'serialNumber=SN-78' }));
      assert.equal(other.code, '4.03');
    });
  });
}
