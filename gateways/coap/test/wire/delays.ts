import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { certificateOf, connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import type { Stack } from '../support/stack.ts';

/** Answers that take their time, over the wire. */
export function delayTests(stack: Stack): void {
  const { newDevice } = createEnroller(stack);
  const { administration } = stack.operator;
  const pendingOf = async (subject: string): Promise<string> => {
    const line = await stack.gate.line((each) => each.outcome === 'pending' && each.requester === subject);
    return String(line.enrollment);
  };

  describe('RFC 9148 §4.7: long delays', () => {
    it('is 5.03 with Max-Age until a person approves; the identical request then gets the certificate', async () => {
      const { identity, serial } = newDevice();
      const request = newRequest({ subject: 'CN=waits-1' });
      const first = await connectDevice(stack, identity);
      const response = await first.post('/est/approved/sen', request);
      assert.equal(response.code, '5.03');
      assert.ok((response.maxAge ?? 0) >= 1);
      first.dtls.close();

      // Devices sleep and come back on another port, with other blocks.
      const second = await connectDevice(stack, identity, { coap: { blockSize: 64 } });
      assert.equal((await second.post('/est/approved/sen', request)).code, '5.03');
      const id = await pendingOf(`acme-idevid ${serial}`);
      await administration.approveEnrollment(id, 'ok');
      const third = await connectDevice(stack, identity);
      const certificate = certificateOf(await third.post('/est/approved/sen', request));
      assert.equal(
        certificateOf(await third.post('/est/approved/sen', request)).serialNumber,
        certificate.serialNumber,
      );
    });

    it('keeps a generated key for its certificate', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const request = newRequest({ subject: 'CN=waits-2' });
      assert.equal((await client.post('/est/approved/skg', request)).code, '5.03');
      await administration.approveEnrollment(await pendingOf(`acme-idevid ${serial}`), 'ok');
      assert.equal((await client.post('/est/approved/skg', request)).code, '2.04');
    });

    it('is refused as it was rejected, 4.03', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      const request = newRequest({ subject: 'CN=waits-3' });
      assert.equal((await client.post('/est/approved/sen', request)).code, '5.03');
      await administration.rejectEnrollment(await pendingOf(`acme-idevid ${serial}`), 'not this one');
      assert.equal((await client.post('/est/approved/sen', request)).code, '4.03');
    });
  });

  describe('RFC 9148 §4.7: short delays', () => {
    it('acknowledges first and answers later, in a message of its own, while the keep is slow', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity);
      assert.equal((await client.get('/est/crts')).code, '2.05');
      stack.core.signal('SIGSTOP');
      const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
      client.coap.exchanges.onAnything = ({ ack, code }) => {
        if (ack && code === '0.00') resolve();
      };
      try {
        const answer = client.post('/est/sen', newRequest({ subject: `CN=slow,serialNumber=${serial}` }));
        await acknowledged;
        stack.core.signal('SIGCONT');
        const response = await answer;
        certificateOf(response);
        assert.ok(response.messages.some(({ isSeparate }) => isSeparate));
      } finally {
        stack.core.signal('SIGCONT');
      }
    });
  });

  describe('exactly once', () => {
    const serialsOf = async (requesterId: string): Promise<readonly string[]> => {
      const found: string[] = [];
      const records = stack.operator.findCertificates({ requesterId, limit: 50 });
      for await (const { serialNumber } of records) found.push(serialNumber);
      return found;
    };

    it('gives the same certificate to the same request from another port, and another to another key', async () => {
      const { identity, serial } = newDevice();
      const subject = `CN=again,serialNumber=${serial}`;
      const request = newRequest({ subject, key: newKey() });
      const serials: string[] = [];
      for (let port = 0; port < 3; port++) {
        const client = await connectDevice(stack, identity);
        serials.push(certificateOf(await client.post('/est/sen', request)).serialNumber);
        client.dtls.destroy();
      }
      assert.equal(new Set(serials).size, 1);
      const client = await connectDevice(stack, identity);
      const other = certificateOf(await client.post('/est/sen', newRequest({ subject })));
      assert.ok(!serials.includes(other.serialNumber));
    });

    it('issues once for requests that come at the same time over several sessions', async () => {
      const { identity, serial } = newDevice();
      const request = newRequest({ subject: `CN=twins,serialNumber=${serial}` });
      const serials = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const client = await connectDevice(stack, identity);
          return certificateOf(await client.post('/est/sen', request)).serialNumber;
        }),
      );
      assert.equal(new Set(serials).size, 1);
      assert.equal((await serialsOf(`acme-idevid ${serial}`)).length, 1);
    });

    it('handles a message once, however often it comes (RFC 7252 §4.5)', async () => {
      const { identity, serial } = newDevice();
      const client = await connectDevice(stack, identity, { coap: { blockSize: 1024 } });
      const { dtls } = client;
      const send = dtls.send.bind(dtls);
      // Each record is another one; the message in them is the same.
      dtls.send = (message) => {
        for (let copy = 0; copy < 5; copy++) send(message);
      };
      const request = newRequest({ subject: `CN=repeated,serialNumber=${serial}` });
      const serialNumber = certificateOf(await client.post('/est/sen', request)).serialNumber;
      assert.deepEqual(await serialsOf(`acme-idevid ${serial}`), [serialNumber]);
      const isOfIt: Parameters<typeof stack.gate.line>[0] = (line) =>
        line.msg === 'request' && line.requester === `acme-idevid ${serial}`;
      await stack.gate.line(isOfIt);
      assert.equal(stack.gate.lines.filter(isOfIt).length, 1);
    });

    it('gives a client that was gone before the answer the certificate that was issued for it', async () => {
      const { identity, serial } = newDevice();
      const request = newRequest({ subject: `CN=gone,serialNumber=${serial}` });
      let isDeaf = false;
      const transformIncoming = (datagram: Buffer) => (isDeaf ? [] : [datagram]);
      // Nobody waits for what it will not hear.
      const coap = { responseTimeoutMs: 2_000 };
      const client = await connectDevice(stack, identity, { coap, dtls: { transformIncoming } });
      isDeaf = true;
      client.post('/est/sen', request).catch(() => undefined);
      const line = await stack.gate.line(
        (each) => each.outcome === 'issued' && each.requester === `acme-idevid ${serial}`,
      );
      const again = await connectDevice(stack, identity);
      const certificate = certificateOf(await again.post('/est/sen', request));
      assert.equal(certificate.serialNumber, line.serialNumber);
      client.dtls.destroy();
    });
  });
}
