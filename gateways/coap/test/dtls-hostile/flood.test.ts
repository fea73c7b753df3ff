// 20,000 hostile datagrams from many ports while ten honest clients do their handshakes and are answered: all of them are,
// the server's memory stays within bounds, and of sources that never returned a cookie nothing is kept (RFC 6347 §4.2.1).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { createManufacturer } from '../../test-support/certificates.ts';
import { connectDtls, type DtlsClientOptions } from '../../test-support/dtls-client.ts';
import { type EchoProcess, startEchoProcess } from '../../test-support/echo-process.ts';
import { hasComeTo, isEchoed } from './conversation.ts';
import { flood, hostileDatagrams, openSockets, recordHandshake } from './hostile-datagrams.ts';

const megabyte = 1024 * 1024;
const manufacturer = createManufacturer('Acme');

let server: EchoProcess;
before(async () => {
  server = await startEchoProcess({
    anchors: [manufacturer.root.certificate],
    limits: {
      sessionsPerAddress: 10_000,
      handshakesPerAddress: { perSecond: 100_000, burst: 100_000 },
      handshakeTimeoutMs: 3000,
    },
  });
});
after(() => server.stop());

function device(serial: string): DtlsClientOptions {
  const { trustAnchor, port } = server;
  return { address: '127.0.0.1', port, trustAnchor, ...manufacturer.createDevice(serial) };
}

describe('RFC 6347 §4.2.1: sources that prove nothing', () => {
  it('keeps nothing of 20,000 hostile datagrams while honest clients are served', async () => {
    const warm = await connectDtls(device('warm'));
    await isEchoed(warm, 'warm');
    warm.close();
    const recorded = await recordHandshake(device('recorded'));
    const before = await server.state();
    const sockets = await openSockets(40);

    const heard = async () => (await server.state()).datagrams;
    const attack = flood(server.port, sockets, hostileDatagrams({ seed: 20_000, count: 20_000, recorded }), heard);
    const honest = Array.from({ length: 10 }, async (_, index) => {
      const client = await connectDtls({ ...device(`honest-${index}`), retransmitMs: 200, handshakeTimeoutMs: 60_000 });
      for (let message = 0; message < 20; message++) {
        await hasComeTo(() =>
          isEchoed(client, `${index} ${message}`, 500).then(
            () => true,
            () => false,
          ),
        );
      }
      return client;
    });
    const clients = await Promise.all(honest);
    await attack;
    for (const client of clients) await isEchoed(client, 'after it');

    await hasComeTo(async () => (await server.state()).halfOpen === 0);
    const then = await server.state();
    const arrived = then.datagrams - before.datagrams;
    assert.ok(arrived > 15_000, `only ${arrived} datagrams have arrived`);
    assert.equal(then.established, before.established + clients.length);
    const growth = (then.residentBytes - before.residentBytes) / megabyte;
    assert.ok(growth < 48, `the server has grown by ${growth.toFixed(1)} MB`);
    for (const client of clients) client.close();
    for (const socket of sockets) socket.close();
  });

  it('takes a cookie from nobody but the port that it was made for', async () => {
    const { helloWithCookie } = await recordHandshake(device('robbed'));
    const before = await server.state();
    const [thief] = await openSockets(1);
    assert.ok(thief);
    const answer = once(thief, 'message');
    thief.send(helloWithCookie, server.port, '127.0.0.1');
    const [datagram] = await answer;
    // RFC 6347 §4.2.2: hello_verify_request, so that it may prove itself.
    assert.equal(datagram[13], 3);
    const then = await server.state();
    assert.deepEqual([then.established, then.halfOpen], [before.established, before.halfOpen]);
    thief.close();
  });

  it('answers a ClientHello without a cookie with fewer octets than it has: nobody is flooded by way of it', async () => {
    const { hello } = await recordHandshake(device('spoofed'));
    const [socket] = await openSockets(1);
    assert.ok(socket);
    const answer = once(socket, 'message');
    socket.send(hello, server.port, '127.0.0.1');
    const [datagram] = await answer;
    assert.ok(datagram.length <= hello.length);
    socket.close();
  });
});
