// How many there may be, how long, and who goes when room is needed.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { DtlsClientOptions, Transform } from '../../test-support/dtls-client.ts';
import { hasComeTo, isEchoed } from '../dtls-hostile/conversation.ts';
import { type TestServer, withServer } from './support/server.ts';

const nothing: Transform = () => [];

/** A client that returns its cookie and falls silent. */
function fallsSilent(): Partial<DtlsClientOptions> {
  let datagrams = 0;
  // Both ClientHellos, and nothing behind them.
  return { transformOutgoing: (datagram) => (++datagrams <= 2 ? [datagram] : []) };
}

/** Has a handshake begun that never ends. */
async function halfOpen(server: TestServer, signal: AbortSignal, localAddress?: string): Promise<void> {
  const { halfOpen: before } = server.transport.counts;
  server.connect({ ...fallsSilent(), signal, localAddress }).catch(() => undefined);
  await hasComeTo(() => server.transport.counts.halfOpen === before + 1);
}

describe('coaps.md §5: how many sessions there may be', () => {
  it('closes the session that was silent longest when another one needs its place', () =>
    withServer({ limits: { sessions: 2 } }, async (server) => {
      const first = await server.connect();
      const second = await server.connect();
      await isEchoed(first, 'still here');
      const third = await server.connect();
      await hasComeTo(() => server.closed.length === 1);
      assert.deepEqual([server.closed[0]?.session, server.closed[0]?.reason], [server.opened[1], 'evicted']);
      await hasComeTo(() => second.isClosed);
      await isEchoed(first, 'first');
      await isEchoed(third, 'third');
      assert.equal(server.transport.counts.established, 2);
    }));

  it('takes the place from the same address when that address has too many', () =>
    withServer({ limits: { sessionsPerAddress: 2 } }, async (server) => {
      const elsewhere = await server.connect({ localAddress: '127.0.0.9' });
      for (let i = 0; i < 3; i++) await server.connect();
      await hasComeTo(() => server.closed.length === 1);
      assert.deepEqual([server.closed[0]?.session, server.closed[0]?.reason], [server.opened[1], 'evicted']);
      await isEchoed(elsewhere, 'elsewhere');
    }));

  it('gives up the oldest handshake when another one needs its place, and never a session', () =>
    withServer({ limits: { halfOpen: 2, sessions: 1 } }, async (server) => {
      const client = await server.connect();
      const aborted = new AbortController();
      await halfOpen(server, aborted.signal);
      await halfOpen(server, aborted.signal);
      server.connect({ ...fallsSilent(), signal: aborted.signal }).catch(() => undefined);
      await hasComeTo(() => server.lines.some(({ msg }) => msg === 'a DTLS handshake made room for another'));
      assert.deepEqual(server.transport.counts, { established: 1, halfOpen: 2 });
      await isEchoed(client, 'still here');
      aborted.abort();
    }));

  it('lets an address begin no more handshakes than its rate', () =>
    withServer({ limits: { handshakesPerAddress: { perSecond: 0.001, burst: 2 } } }, async (server) => {
      await server.connect();
      await server.connect();
      const aborted = new AbortController();
      const third = server.connect({ signal: aborted.signal });
      await hasComeTo(() => server.lines.some(({ msg }) => /faster than it may/.test(String(msg))));
      assert.deepEqual(server.transport.counts, { established: 2, halfOpen: 0 });
      aborted.abort();
      await assert.rejects(third);
      await isEchoed(await server.connect({ localAddress: '127.0.0.9' }), 'elsewhere');
    }));
});

describe('coaps.md §5: how long they may be silent', () => {
  it('closes a session with close_notify when it was silent for the idle timeout', () =>
    withServer({ limits: { idleTimeoutMs: 60_000 } }, async (server) => {
      const silent = await server.connect();
      const busy = await server.connect();
      server.clock.advance(59_999);
      await isEchoed(busy, 'here');
      server.clock.advance(1);
      await hasComeTo(() => server.closed.length === 1);
      assert.deepEqual([server.closed[0]?.session, server.closed[0]?.reason], [server.opened[0], 'idle']);
      await hasComeTo(() => silent.isClosed);
      await isEchoed(busy, 'still here');
    }));

  it('is not kept open by what is not authentic', () =>
    withServer({ limits: { idleTimeoutMs: 60_000 } }, async (server) => {
      const client = await server.connect();
      server.clock.advance(59_999);
      client.sendRaw(Buffer.from('17fefd00010000000000090018000102030405060708090a0b0c0d0e0f1011121314151617', 'hex'));
      await isEchoed(await server.connect(), 'in order');
      server.clock.advance(1);
      await hasComeTo(() => server.closed.length === 1);
      assert.equal(server.closed[0]?.session, server.opened[0]);
    }));

  it('gives up a handshake that is not complete within the handshake timeout', () =>
    withServer({ limits: { handshakeTimeoutMs: 60_000 } }, async (server) => {
      const aborted = new AbortController();
      await halfOpen(server, aborted.signal);
      server.clock.advance(60_000);
      await hasComeTo(() => server.transport.counts.halfOpen === 0);
      assert.equal(server.lines.find(({ msg }) => msg === 'a DTLS handshake failed')?.reason, 'it took too long');
      aborted.abort();
    }));
});

describe('RFC 6347 §4.2.4: flights that are lost', () => {
  it('sends its flight again until it arrives', () =>
    withServer({}, async (server) => {
      let datagrams = 0;
      // The HelloVerifyRequest arrives; of the next flight nothing does.
      const client = await server.connect({
        transformIncoming: (datagram) => (++datagrams === 1 || datagrams > 3 ? [datagram] : []),
      });
      await isEchoed(client, 'at last');
    }));

  it('sends its last flight again when the client repeats its own', () =>
    withServer({}, async (server) => {
      let isHeld = true;
      const connecting = server.connect({
        transformIncoming: (datagram) => {
          // ChangeCipherSpec and Finished of the server.
          if (isHeld && datagram[0] === 20) {
            isHeld = false;
            return [];
          }
          return [datagram];
        },
      });
      await isEchoed(await connecting, 'at last');
      assert.equal(server.opened.length, 1);
    }));
});

describe('RFC 6347 §4.2.1: sources that prove nothing', () => {
  it('keeps nothing of 10,000 ClientHellos without cookies from many ports, and answers them with less than they are', () =>
    withServer({}, async (server) => {
      const hellos: Buffer[] = [];
      const aborted = new AbortController();
      const recording = server.connect({
        signal: aborted.signal,
        transformOutgoing: (datagram) => {
          hellos.push(datagram);
          return nothing(datagram);
        },
      });
      await hasComeTo(() => hellos.length === 1);
      aborted.abort();
      await assert.rejects(recording);
      const [hello = Buffer.alloc(0)] = hellos;
      let [answers, octets] = [0, 0];
      const sockets = Array.from({ length: 100 }, () => createSocket('udp4'));
      for (const socket of sockets) {
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');
        socket.on('message', (datagram) => {
          answers++;
          octets = Math.max(octets, datagram.length);
        });
      }
      for (let round = 1; round <= 100; round++) {
        for (const socket of sockets) {
          const random = Buffer.from(hello);
          random.writeUInt32BE(round, 27);
          socket.send(random, server.port, '127.0.0.1');
        }
        await hasComeTo(() => answers >= round * sockets.length);
      }
      assert.equal(answers, 10_000);
      assert.ok(octets < hello.length);
      assert.deepEqual(server.transport.counts, { established: 0, halfOpen: 0 });
      assert.deepEqual(server.lines, []);
      for (const socket of sockets) socket.close();
      await isEchoed(await server.connect(), 'served as ever');
    }));
});
