import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { badDevices } from '../../test-support/certificates.ts';
import { blockOption, readUint, uintOption, uriOptions } from '../../test-support/coap-client.ts';
import { OpensslError } from '../../test-support/dtls-client.ts';
import { connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import { manufacturer, stranger } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

/** What the gate refuses, over the wire: the rows of coaps.md §5. */
export function refusalTests(stack: Stack): void {
  const { newDevice } = createEnroller(stack);
  const connect = async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    return { client, serial, request: newRequest({ subject: `CN=x,serialNumber=${serial}` }) };
  };
  const isShort = (payload: Buffer) => payload.length > 0 && payload.length <= 64;

  describe('RFC 7252 §5.9.2: paths, methods and formats', () => {
    for (const path of [
      '/',
      '/est',
      '/est/nothing',
      '/est/SEN',
      '/Est/crts',
      '/.well-known/est',
      '/est//crts',
      '/est/crts/',
      '/est/./crts',
      '/.well-known/core/',
      '/est/no-such-label/crts',
      '/est/Device/crts',
      '/.well-known/est/device/device/crts',
      '/est/renewal-only/sen',
      '/est/simpleenroll',
    ]) {
      it(`has nothing at ${path}, 4.04`, async () => {
        const { client } = await connect();
        const { code, payload } = await client.get(path);
        assert.equal(code, '4.04');
        assert.ok(isShort(payload));
      });
    }

    it('refuses another method, 4.05', async () => {
      const { client, request } = await connect();
      assert.equal((await client.get('/est/sen')).code, '4.05');
      assert.equal((await client.post('/est/crts', request)).code, '4.05');
      for (const method of ['PUT', 'DELETE', 'FETCH'] as const) {
        assert.equal((await client.coap.request({ method, path: '/est/sen' })).code, '4.05');
      }
    });

    it('refuses a request without a content format, and with another than 286, 4.15', async () => {
      const { client, request: payload } = await connect();
      const without = await client.coap.request({ method: 'POST', path: '/est/sen', payload });
      assert.equal(without.code, '4.15');
      for (const contentFormat of [0, 50, 281, 282, 287]) {
        assert.equal((await client.post('/est/sen', payload, undefined, contentFormat)).code, '4.15');
      }
    });

    it('refuses a format of the response that a resource does not have, 4.06', async () => {
      const { client, request } = await connect();
      assert.equal((await client.get('/est/crts', 62)).code, '4.06');
      assert.equal((await client.get('/est/att', 281)).code, '4.06');
      assert.equal((await client.post('/est/sen', request, 62)).code, '4.06');
      assert.equal((await client.post('/est/skg', request, 281)).code, '4.06');
      assert.equal((await client.get('/.well-known/core', 50)).code, '4.06');
    });

    it('refuses the path before the method, the method before the formats, and those before the body', async () => {
      const { client } = await connect();
      const nonsense = Buffer.from('nonsense');
      const send = (method: 'POST' | 'PUT', path: string, contentFormat: number, accept: number) =>
        client.coap.request({ method, path, contentFormat, accept, payload: nonsense });
      assert.equal((await send('PUT', '/est/none', 0, 0)).code, '4.04');
      assert.equal((await send('PUT', '/est/sen', 0, 0)).code, '4.05');
      assert.equal((await send('POST', '/est/sen', 0, 0)).code, '4.15');
      assert.equal((await send('POST', '/est/sen', 286, 0)).code, '4.06');
      assert.equal((await send('POST', '/est/sen', 286, 281)).code, '4.00');
    });
  });

  describe('RFC 9148 §4.5: bodies', () => {
    it('refuses no payload, octets that are no CSR, and octets behind it, 4.00', async () => {
      const { client, request } = await connect();
      for (const payload of [Buffer.alloc(0), Buffer.from('MIIB'), Buffer.concat([request, Buffer.of(0)])]) {
        const response = await client.post('/est/sen', payload);
        assert.equal(response.code, '4.00');
        assert.ok(isShort(response.payload));
      }
    });

    it('refuses a CSR whose signature is wrong, 4.00', async () => {
      const { client, request } = await connect();
      const last = request.length - 1;
      const broken = Buffer.from(request);
      broken[last] = (request[last] ?? 0) ^ 1;
      assert.equal((await client.post('/est/sen', broken)).code, '4.00');
    });

    it('refuses names that are not for this device, 4.03, with a short diagnostic', async () => {
      const { client } = await connect();
      const response = await client.post('/est/sen', newRequest({ subject: 'CN=x,serialNumber=another' }));
      assert.equal(response.code, '4.03');
      assert.ok(isShort(response.payload));
      assert.match(response.payload.toString(), /serialNumber=another/);
    });

    it('refuses a subject that the profile refuses, 4.00', async () => {
      const { client } = await connect();
      assert.equal((await client.post('/est/named/sen', newRequest({ subject: 'O=only' }))).code, '4.00');
    });

    it('issues nothing for any of it', async () => {
      const { client, serial } = await connect();
      await client.post('/est/sen', newRequest({ subject: 'CN=x,serialNumber=another' }));
      for await (const _ of stack.operator.findCertificates({ requesterId: `acme-idevid ${serial}`, limit: 1 })) {
        assert.fail('a certificate was issued');
      }
    });
  });

  describe('RFC 7252 §5.4.1: options', () => {
    it('refuses unknown critical options, 4.02, and passes over elective ones', async () => {
      const { client } = await connect();
      const options = [{ number: 9, value: Buffer.of(1) }];
      assert.equal((await client.coap.request({ method: 'GET', path: '/est/crts', options })).code, '4.02');
      const elective = [{ number: 65_000, value: Buffer.of(1) }];
      assert.equal((await client.coap.request({ method: 'GET', path: '/est/crts', options: elective })).code, '2.05');
    });

    it('is no proxy, 5.05', async () => {
      const { client } = await connect();
      const options = [{ number: optionNumbers.proxyUri, value: Buffer.from('coaps://example.com/') }];
      assert.equal((await client.coap.request({ method: 'GET', path: '/est/crts', options })).code, '5.05');
    });

    it('passes over Observe and Uri-Host, and over a Uri-Port of another gate', async () => {
      const { client } = await connect();
      const options = [
        { number: optionNumbers.observe, value: Buffer.alloc(0) },
        { number: optionNumbers.uriHost, value: Buffer.from('elsewhere.example') },
        { number: optionNumbers.uriPort, value: Buffer.from([0x12, 0x34]) },
      ];
      const response = await client.coap.request({ method: 'GET', path: '/est/crts', options });
      assert.equal(response.code, '2.05');
      assert.ok(response.options.every(({ number }) => number !== optionNumbers.observe));
    });
  });

  describe('RFC 7959 §2.5: uploads that go wrong', () => {
    const describeUpload = [...uriOptions('/est/sen'), ...uintOption(optionNumbers.contentFormat, 286)];
    const block = (number: number, hasMore: boolean, size = 64) => blockOption('block1', { number, hasMore, size });

    it('refuses a gap, a block without a beginning, and another format midway, 4.08', async () => {
      const { client } = await connect();
      const send = (options: typeof describeUpload, payload = Buffer.alloc(64)) =>
        client.coap.exchanges.exchange({ code: 'POST', options, payload });
      assert.equal((await send([...describeUpload, block(3, true)])).code, '4.08');
      assert.equal((await send([...describeUpload, block(0, true)])).code, '2.31');
      assert.equal((await send([...describeUpload, block(2, true)])).code, '4.08');
      assert.equal((await send([...describeUpload, block(0, true)])).code, '2.31');
      const other = [...uriOptions('/est/sen'), ...uintOption(optionNumbers.contentFormat, 50)];
      assert.equal((await send([...other, block(1, true)])).code, '4.08');
    });

    it('refuses a body of more than 16 KiB at the first block that shows it, 4.13 with Size1', async () => {
      const { client } = await connect();
      const size = uintOption(optionNumbers.size1, 16_385);
      const response = await client.coap.exchanges.exchange({
        code: 'POST',
        options: [...describeUpload, block(0, true), ...size],
        payload: Buffer.alloc(64),
      });
      assert.equal(response.code, '4.13');
      assert.equal(readUint(response.options, optionNumbers.size1), 16_384);
      const whole = await client.post('/est/sen', Buffer.alloc(17_000));
      assert.equal(whole.code, '4.13');
      assert.ok(whole.messages.length <= 33);
    });

    it('refuses the reserved size exponent, 4.00', async () => {
      const { client } = await connect();
      const options = [...describeUpload, { number: optionNumbers.block1, value: Buffer.of(0x07) }];
      assert.equal((await client.coap.exchanges.exchange({ code: 'POST', options })).code, '4.00');
    });

    it('has no further block of what nobody asked for, 4.08', async () => {
      const { client } = await connect();
      const options = [...uriOptions('/est/crts'), blockOption('block2', { number: 1, hasMore: false, size: 64 })];
      assert.equal((await client.coap.exchanges.exchange({ code: 'GET', options })).code, '4.08');
    });
  });

  describe('RFC 9148 §3: who gets no session', () => {
    const isAlert = (error: unknown) => error instanceof OpensslError;

    it('is a client without a certificate, of an unknown maker, or with a weak key', async () => {
      await assert.rejects(connectDevice(stack, {}), isAlert);
      await assert.rejects(connectDevice(stack, stranger.createDevice('S1')), isAlert);
      await assert.rejects(connectDevice(stack, manufacturer.createDevice('W1', badDevices.weakKey)), isAlert);
    });

    it('gets a line in the log that says who came and why it failed', async () => {
      const device = stranger.createDevice('S2', { subject: 'CN=stranger-in-the-log' });
      await assert.rejects(connectDevice(stack, device), isAlert);
      await stack.gate.line((line) => JSON.stringify(line).includes('stranger-in-the-log'));
    });
  });

  describe('RFC 9148 §3: whose certificate is not accepted', () => {
    it('is 4.01 for one that has expired or is not valid yet, in every request, and says so', async () => {
      for (const [shape, why] of [
        [{ notAfter: new Date(Date.now() - 1_000) }, /has expired$/],
        [{ notBefore: new Date(Date.now() + 3_600_000) }, /is not valid yet$/],
      ] as const) {
        const { identity } = newDevice(manufacturer, shape);
        const client = await connectDevice(stack, identity);
        for (const path of ['/est/crts', '/est/att', '/.well-known/core']) {
          const response = await client.get(path);
          assert.equal(response.code, '4.01', path);
          assert.ok(isShort(response.payload));
          assert.match(response.payload.toString(), why);
        }
        assert.equal((await client.post('/est/sen', newRequest({ subject: 'CN=x' }))).code, '4.01');
      }
    });

    it('is 4.01 for one that is not for clients', async () => {
      const { identity } = newDevice(manufacturer, badDevices.wrongPurpose);
      const client = await connectDevice(stack, identity);
      for (const path of ['/est/crts', '/est/att', '/.well-known/core']) {
        const response = await client.get(path);
        assert.equal(response.code, '4.01', path);
        assert.match(response.payload.toString(), /not for clients/);
      }
      assert.equal((await client.post('/est/sen', newRequest({ subject: 'CN=x' }))).code, '4.01');
    });

    it('is 4.03 where it does not count: another label, another operation, a label that demands a password', async () => {
      const { client, request } = await connect();
      assert.equal((await client.get('/est/client/crts')).code, '4.03');
      assert.equal((await client.post('/est/client/sen', request)).code, '4.03');
      assert.equal((await client.get('/est/password/crts')).code, '4.03');
      assert.equal((await client.post('/est/password/sen', request)).code, '4.03');
    });
  });

  describe('RFC 7252 §4.3: what is no message', () => {
    it('answers a ping with a Reset, and no octets that are no CoAP', async () => {
      const { client } = await connect();
      const { promise, resolve } = Promise.withResolvers<number>();
      client.coap.exchanges.onAnything = (message) => {
        if (message.reset) resolve(message.messageId ?? -1);
      };
      for (const nonsense of [
        Buffer.of(0),
        Buffer.of(0x80, 1, 0, 1),
        Buffer.of(0xc0, 0, 0, 1),
        Buffer.alloc(3, 0xff),
      ]) {
        client.dtls.send(nonsense);
      }
      client.dtls.send(Buffer.of(0x40, 0x00, 0x11, 0x22));
      assert.equal(await promise, 0x1122);
      assert.equal((await client.get('/est/crts')).code, '2.05');
    });
  });
}
