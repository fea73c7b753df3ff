import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exporterLabel, exporterLength } from '@gatehouse/gateway-kit/peer';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { formatName } from '@gatehouse/pkix/names';
import { RevocationReason } from '@gatehouse/ra-client/client';
import { certificateOf, connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import { longLived, outlived, outlivedRevoked, revoked, unproven } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** Who asks, and by which proof, over the wire. */
export function proofTests(stack: Stack): void {
  const { newDevice, enrol, identityOf } = createEnroller(stack);
  const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');

  describe('RFC 9148 §3: certificates of our own CA', () => {
    it('enrol their own names again under the label of their profile, 4.03 under another', async () => {
      const ours = await enrol('named', { subject: 'CN=own-1' });
      const client = await connectDevice(stack, identityOf(ours));
      certificateOf(await client.post('/est/named/sen', newRequest({ subject: 'CN=own-1' })));
      assert.equal((await client.post('/est/named/sen', newRequest({ subject: 'CN=own-2' }))).code, '4.03');
      assert.equal((await client.post('/est/client/sen', newRequest({ subject: 'CN=own-1' }))).code, '4.03');
    });

    it('renew themselves when they are for servers, as over HTTPS, and enrol nothing', async () => {
      const ours = await enrol('serving', { subject: 'CN=server-1' });
      const client = await connectDevice(stack, identityOf(ours));
      assert.equal((await client.get('/est/serving/crts')).code, '2.05');
      const renewed = certificateOf(await client.post('/est/serving/sren', newRequest({ subject: 'CN=server-1' })));
      assert.equal(formatName(renewed.subject), 'CN=server-1');
      const refusal = await client.post('/est/serving/sen', newRequest({ subject: 'CN=server-1' }));
      assert.deepEqual(
        [refusal.code, refusal.payload.toString()],
        ['4.03', 'the client certificate is not for clients'],
      );
    });

    it('are refused from the moment they are revoked, on the session that stands and on new ones, 4.01', async () => {
      const ours = await enrol('named', { subject: 'CN=revoked' });
      const client = await connectDevice(stack, identityOf(ours));
      assert.equal((await client.get('/est/crts')).code, '2.05');
      await stack.operator.revoke({
        serialNumber: ours.certificate.serialNumber,
        reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
        requester: { kind: 'operator', id: 'test' },
      });
      const again = await connectDevice(stack, identityOf(ours));
      for (const each of [client, again]) {
        const refusal = await each.get('/est/named/crts');
        assert.equal(refusal.code, '4.01');
        assert.match(refusal.payload.toString(), /revoked/);
        const request = newRequest({ subject: formatName(ours.certificate.subject) });
        assert.equal((await each.post('/est/named/sren', request)).code, '4.01');
      }
    });

    it('renew themselves after their end only within the grace of the label', async () => {
      const ours = await enrol('fleeting', { subject: 'CN=late' });
      const client = await connectDevice(stack, identityOf(ours));
      await until(ours.certificate.notAfter);
      assert.equal((await client.get('/est/fleeting/crts')).code, '4.01');
      const renewed = certificateOf(await client.post('/est/fleeting/sren', newRequest({ subject: 'CN=late' })));
      const late = await connectDevice(stack, identityOf(ours));
      const other = newRequest({ subject: 'CN=late', key: newKey() });
      assert.equal((await late.post('/est/named/sren', other)).code, '4.01');
      assert.notEqual(renewed.serialNumber, ours.certificate.serialNumber);
    });
  });

  describe('RFC 9148 §3: certificates of makers', () => {
    it('are verified by the keep again, 4.03 where it does not trust their maker', async () => {
      const { identity } = newDevice();
      const known = await connectDevice(stack, identity);
      certificateOf(await known.post('/est/proven/sen', newRequest({ subject: 'CN=device' })));
      const client = await connectDevice(stack, unproven.createDevice('U1'));
      assert.equal((await client.get('/est/proven/crts')).code, '2.05');
      const response = await client.post('/est/proven/sen', newRequest({ subject: 'CN=device' }));
      assert.equal(response.code, '4.03');
      assert.match(response.payload.toString(), /client-certificate-chain/);
    });

    it('enrol the names that they have, where the anchor says nothing of names', async () => {
      const client = await connectDevice(stack, longLived.createDevice('N1'));
      const subject = 'CN=device,O=Long Lived,serialNumber=N1';
      certificateOf(await client.post('/est/long-lived/sen', newRequest({ subject })));
      const other = newRequest({ subject: 'CN=device,O=Long Lived,serialNumber=N2' });
      assert.equal((await client.post('/est/long-lived/sen', other)).code, '4.03');
    });

    it('are refused when they stand in the CRL of their maker, 4.01', async () => {
      for (const device of [revoked, outlivedRevoked]) {
        const client = await connectDevice(stack, device);
        const refusal = await client.get('/est/long-lived/crts');
        assert.equal(refusal.code, '4.01');
        assert.match(refusal.payload.toString(), /revoked/);
      }
    });

    it('count beyond their end where the anchor says so, with its CRL (IEEE 802.1AR)', async () => {
      const client = await connectDevice(stack, outlived);
      assert.equal((await client.get('/est/long-lived/crts')).code, '2.05');
    });
  });

  describe('RFC 9148 §3: linking identity and proof of possession', () => {
    it('takes tls-unique where it is demanded, and refuses its lack and another value, 4.03', async () => {
      const { identity, serial } = newDevice();
      const subject = `CN=bound,serialNumber=${serial}`;
      const client = await connectDevice(stack, identity);
      assert.ok(client.dtls.hasExtendedMasterSecret);
      const challengePassword = base64(client.dtls.ownFinished);
      certificateOf(await client.post('/est/bound/sen', newRequest({ subject, challengePassword })));
      await stack.gate.line(({ label, requester, isLinked }) => {
        return label === 'bound' && isLinked === true && String(requester).endsWith(` ${serial}`);
      });
      assert.equal((await client.post('/est/bound/sen', newRequest({ subject }))).code, '4.03');
      const other = await connectDevice(stack, identity);
      const fromThere = newRequest({ subject, challengePassword: base64(other.dtls.ownFinished) });
      assert.equal((await client.post('/est/bound/sen', fromThere)).code, '4.03');
    });

    it('refuses a wrong value even where none is demanded', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const request = newRequest({ subject: `CN=x,serialNumber=${serial}`, challengePassword: 'AAAA' });
      assert.equal((await client.post('/est/sen', request)).code, '4.03');
    });

    it('takes no value of a session without the extended master secret (RFC 7627)', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity, { dtls: { hasExtendedMasterSecret: false } });
      assert.ok(!client.dtls.hasExtendedMasterSecret);
      const challengePassword = base64(client.dtls.ownFinished);
      const request = newRequest({ subject: `CN=x,serialNumber=${serial}`, challengePassword });
      const response = await client.post('/est/bound/sen', request);
      assert.equal(response.code, '4.03');
      assert.match(response.payload.toString(), /no channel binding/);
    });

    it('takes tls-exporter where the label does (RFC 9266)', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const challengePassword = base64(client.dtls.exporter(exporterLabel, exporterLength));
      const request = newRequest({ subject: `CN=x,serialNumber=${serial}`, challengePassword });
      certificateOf(await client.post('/est/exported/sen', request));
      assert.equal((await client.post('/est/bound/sen', request)).code, '4.03');
    });

    it('asks for the value in att where it is demanded', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      const challengePasswordId = Buffer.from('06092a864886f70d010907', 'hex');
      assert.ok((await client.get('/est/bound/att')).payload.includes(challengePasswordId));
      assert.ok(!(await client.get('/est/device/att')).payload.includes(challengePasswordId));
    });
  });

  describe('RFC 7925 §4.4: suites and curves', () => {
    for (const [cipher, name] of [
      ['ECDHE-ECDSA-AES128-CCM8', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
      ['ECDHE-ECDSA-AES128-CCM', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM'],
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
    ] as const) {
      it(`enrols over ${name}`, async () => {
        const { identity, serial } = newDevice();
        const client = await connectDevice(stack, identity, { dtls: { ciphers: cipher } });
        certificateOf(await client.post('/est/sen', newRequest({ subject: `CN=x,serialNumber=${serial}` })));
        await stack.gate.line((line) => line.msg === 'session opened' && line.cipher === name);
      });
    }
  });
}
