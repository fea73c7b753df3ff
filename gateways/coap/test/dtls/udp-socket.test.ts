import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openUdpSocket } from '../../src/dtls/udp-socket.ts';

describe('RFC 768: a peer without a port', () => {
  it('is told as an error of one datagram, and ends nothing: anybody can write 0 there', async () => {
    const errors: Error[] = [];
    const arrived = Promise.withResolvers<Buffer>();
    const socket = await openUdpSocket(
      { host: '127.0.0.1', port: 0, setting: 'test' },
      { datagram: arrived.resolve, error: (error) => void errors.push(error) },
    );
    socket.send(Buffer.of(1), 0, '127.0.0.1');
    assert.match(errors[0]?.message ?? '', /port/i);
    socket.send(Buffer.of(2), socket.address.port, '127.0.0.1');
    assert.deepEqual(await arrived.promise, Buffer.of(2));
    await socket.close();
  });
});
