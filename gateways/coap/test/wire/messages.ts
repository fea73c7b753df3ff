import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { uriOptions } from '../../test-support/coap-client.ts';
import { connectDevice, type DeviceClient } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import type { Stack } from '../support/stack.ts';

/** Messages as clients may send them, over the wire: types, tokens, options, ports. */
export function messageTests(stack: Stack): void {
  const { newDevice } = createEnroller(stack);
  const connect = async () => await connectDevice(stack, newDevice().identity);
  const get = (client: DeviceClient, path: string, more: { token?: Uint8Array; isConfirmable?: boolean } = {}) =>
    client.coap.exchanges.exchange({ code: 'GET', options: uriOptions(path), ...more });
  const option = (number: number, value: string) => ({ number, value: Buffer.from(value) });

  describe('RFC 7252 §5.3.1: tokens', () => {
    it('may have no octets, and eight', async () => {
      const client = await connect();
      for (const token of [Buffer.alloc(0), Buffer.from('12345678')]) {
        const { code } = await get(client, '/est/att', { token });
        assert.equal(code, '2.05');
      }
    });
  });

  describe('RFC 7252 §5.2.3: requests that are not confirmable', () => {
    it('are answered by messages that are not confirmable, refusals too', async () => {
      const client = await connect();
      const types: boolean[] = [];
      client.coap.exchanges.onAnything = ({ confirmable, ack }) =>
        void types.push(confirmable === true || ack === true);
      assert.equal((await get(client, '/est/att', { isConfirmable: false })).code, '2.05');
      assert.equal((await get(client, '/est/none', { isConfirmable: false })).code, '4.04');
      assert.deepEqual(types, [false, false]);
    });
  });

  describe('RFC 7252 §5.10: options that are refused or passed over', () => {
    for (const [what, refused] of [
      ['If-Match', option(optionNumbers.ifMatch, 'tag')],
      ['If-None-Match', option(optionNumbers.ifNoneMatch, '')],
      ['Q-Block2', option(optionNumbers.qBlock2, '')],
      ['an Accept of three octets', option(optionNumbers.accept, '123')],
      ['a Uri-Port of three octets', option(optionNumbers.uriPort, '123')],
      ['a Uri-Host without octets', option(optionNumbers.uriHost, '')],
      ['a Block2 of four octets', option(optionNumbers.block2, '1234')],
    ] as const) {
      it(`refuses ${what}, 4.02`, async () => {
        const client = await connect();
        const response = await client.coap.request({ method: 'GET', path: '/est/att', options: [refused] });
        assert.equal(response.code, '4.02');
        assert.match(response.payload.toString(), new RegExp(`^option ${refused.number} \\(`));
      });
    }

    it('is no proxy by Proxy-Scheme either, 5.05', async () => {
      const client = await connect();
      const options = [option(optionNumbers.proxyScheme, 'coap')];
      assert.equal((await client.coap.request({ method: 'GET', path: '/est/att', options })).code, '5.05');
    });

    it('passes over elective ones that it has no use for', async () => {
      const client = await connect();
      const options = [
        option(optionNumbers.eTag, '12345678'),
        option(optionNumbers.locationPath, 'x'),
        option(optionNumbers.maxAge, '1'),
        option(optionNumbers.hopLimit, '1'),
        option(optionNumbers.echo, '12345678'),
        option(optionNumbers.noResponse, '1'),
        option(optionNumbers.requestTag, '123456789'),
      ];
      assert.equal((await client.coap.request({ method: 'GET', path: '/est/att', options })).code, '2.05');
    });

    it('refuses a path that is no UTF-8, 4.00', async () => {
      const client = await connect();
      const options = [...uriOptions('/est'), { number: optionNumbers.uriPath, value: Buffer.of(0xff) }];
      assert.equal((await client.coap.exchanges.exchange({ code: 'GET', options })).code, '4.00');
    });
  });

  describe('RFC 9148 §3: several requests on a session', () => {
    it('takes hundreds of requests on a session, one by one and at once', async () => {
      const client = await connect();
      for (let i = 0; i < 150; i++) {
        assert.equal((await get(client, i % 2 === 0 ? '/est/att' : '/est/none')).code, i % 2 === 0 ? '2.05' : '4.04');
      }
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(client, '/est/att')));
      assert.ok(answers.every(({ code }) => code === '2.05'));
    });

    it('knows a device that comes again from its port, and another one that has the port now', async () => {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      try {
        const { identity, serial } = newDevice();
        const another = newDevice();
        for (const [who, name] of [
          [identity, serial],
          [identity, serial],
          [another.identity, another.serial],
        ] as const) {
          const client = await connectDevice(stack, who, { dtls: { socket } });
          assert.equal((await get(client, '/est/att')).code, '2.05');
          await stack.gate.line(({ msg, subject }) => msg === 'session opened' && String(subject).includes(name));
          client.dtls.destroy();
        }
      } finally {
        socket.close();
      }
    });
  });
}
