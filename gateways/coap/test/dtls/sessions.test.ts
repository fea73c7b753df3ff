// What a session is while it lives, and what ends it.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { leastMtu } from '../../src/dtls/transport.ts';
import { createAuthority, createManufacturer, createServer } from '../../test-support/certificates.ts';
import type { DtlsClientOptions } from '../../test-support/dtls-client.ts';
import { hasComeTo, isEchoed } from '../dtls-hostile/conversation.ts';
import { manufacturer, withServer } from './support/server.ts';

describe('RFC 9148 §3: sessions', () => {
  it('has several at once, each with its own messages', () =>
    withServer({}, async (server) => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
      await Promise.all(clients.map((client, i) => isEchoed(client, `client ${i}`)));
      assert.equal(server.transport.counts.established, 20);
      assert.equal(new Set(server.opened.map(({ id }) => id)).size, 20);
      for (const session of server.opened) assert.equal(server.transport.find(session.id), session);
    }));

  it('shares keying material and the client’s Finished with its client (RFC 5705, RFC 5929 §3)', () =>
    withServer({}, async (server) => {
      const client = await server.connect();
      const [session] = server.opened;
      assert.ok(session);
      assert.deepEqual(
        Buffer.from(session.exportKeyingMaterial('EXPORTER-Channel-Binding', 32)),
        Buffer.from(client.exporter('EXPORTER-Channel-Binding', 32)),
      );
      assert.deepEqual(Buffer.from(session.clientFinished), Buffer.from(client.ownFinished));
      session.close('operator');
      assert.throws(() => session.exportKeyingMaterial('EXPORTER-Channel-Binding', 32));
    }));

  it('knows a client without extended master secret (RFC 7627)', () =>
    withServer({}, async (server) => {
      await server.connect({ hasExtendedMasterSecret: false });
      assert.equal(server.opened[0]?.hasExtendedMasterSecret, false);
    }));

  it('fits its longest message into one datagram of the MTU', () =>
    withServer({}, async (server) => {
      const client = await server.connect();
      const [session] = server.opened;
      assert.ok(session);
      const { octetsIn } = client.traffic;
      const arrived = Promise.withResolvers<Buffer>();
      client.onMessage = arrived.resolve;
      session.send(Buffer.alloc(session.maximumMessageOctets));
      assert.equal((await arrived.promise).length, session.maximumMessageOctets);
      // 1280 octets, less the headers of IPv6 and UDP.
      assert.ok(client.traffic.octetsIn - octetsIn <= 1280 - 48);
      assert.equal(session.octetsOut, session.maximumMessageOctets);
    }));

  it('makes its handshake fit into the least MTU that can be configured', () =>
    withServer({ mtu: leastMtu }, async (server) => {
      const lengths: number[] = [];
      const client = await server.connect({
        transformIncoming: (datagram) => {
          lengths.push(datagram.length);
          return [datagram];
        },
      });
      await isEchoed(client, 'small');
      assert.ok(lengths.length > 3 && Math.max(...lengths) <= leastMtu - 48);
    }));

  it('sends no longer record than the client can bear (RFC 6066 §4, RFC 7925 §12)', () =>
    withServer({}, async (server) => {
      for (const longestFragment of [512, 1024] as const) {
        const client = await server.connect({ longestFragment });
        const session = server.opened.at(-1);
        assert.ok(session);
        assert.equal(session.maximumMessageOctets, longestFragment);
        const arrived = Promise.withResolvers<Buffer>();
        client.onMessage = arrived.resolve;
        session.send(Buffer.alloc(longestFragment));
        assert.equal((await arrived.promise).length, longestFragment);
      }
      await server.connect({ longestFragment: 4096 });
      assert.ok((server.opened.at(-1)?.maximumMessageOctets ?? 4096) < 1280);
    }));

  it('reads a flight of small records that come in one datagram (RFC 6066 §4, RFC 6347 §4.1.1)', () =>
    withServer({}, async (server) => {
      const flights: number[] = [];
      await server.connect({
        longestFragment: 512,
        mtu: 1500,
        transformOutgoing: (datagram) => {
          flights.push(datagram.length);
          return [datagram];
        },
      });
      // More than a record of 512 octets with all that OpenSSL allows it besides.
      assert.ok(Math.max(...flights) > 1000);
      // Nothing was sent again.
      assert.equal(flights.length, 3);
    }));

  it('reads all records of a datagram that holds several', () =>
    withServer({}, async (server) => {
      const held: Buffer[] = [];
      let isHolding = false;
      const client = await server.connect({
        transformOutgoing: (datagram) => {
          if (!isHolding) return [datagram];
          held.push(datagram);
          return held.length < 3 ? [] : [Buffer.concat(held)];
        },
      });
      const messages: string[] = [];
      client.onMessage = (message) => void messages.push(message.toString());
      isHolding = true;
      for (const message of ['one', 'two', 'three']) client.send(Buffer.from(message));
      await hasComeTo(() => messages.length === 3);
      assert.deepEqual(messages, ['one', 'two', 'three']);
    }));

  it('speaks IPv6', () =>
    withServer({ host: '::' }, async (server) => {
      await isEchoed(await server.connect({ address: '::1' }), 'six');
      await isEchoed(await server.connect({ address: '127.0.0.1' }), 'four');
      assert.deepEqual(
        server.opened.map(({ peer }) => peer.address),
        ['::1', '127.0.0.1'],
      );
    }));
});

describe('RFC 6347 §4.2.8: a new handshake of the same peer', () => {
  async function onePort(test: (path: Partial<DtlsClientOptions>) => Promise<void>): Promise<void> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    try {
      await test({ socket });
    } finally {
      socket.close();
    }
  }

  it('replaces the session when it is complete', () =>
    withServer({}, (server) =>
      onePort(async (path) => {
        const before = await server.connect(path);
        await isEchoed(before, 'before');
        before.destroy();
        const again = await server.connect(path);
        await isEchoed(again, 'again');
        assert.equal(server.opened.length, 2);
        assert.deepEqual(server.closed, [{ session: server.opened[0], reason: 'replaced' }]);
        again.destroy();
      }),
    ));

  it('leaves the session alone as long as it is not complete', () =>
    withServer({}, (server) =>
      onePort(async (path) => {
        const client = await server.connect(path);
        const aborted = new AbortController();
        let datagrams = 0;
        const attempt = server.connect({
          ...path,
          signal: aborted.signal,
          // The cookie comes back, and then nothing.
          transformOutgoing: (datagram) => (++datagrams <= 2 ? [datagram] : []),
        });
        await hasComeTo(() => server.transport.counts.halfOpen === 1);
        await isEchoed(client, 'untouched');
        assert.deepEqual(server.closed, []);
        aborted.abort();
        await assert.rejects(attempt);
        client.destroy();
      }),
    ));
});

describe('coaps.md §8: the server’s own credentials', () => {
  it('shows new ones to new handshakes and leaves sessions alone', () =>
    withServer({}, async (server) => {
      const before = await server.connect();
      const other = createAuthority('CN=Another CA');
      const renewed = createServer(other);
      const another = createManufacturer('Another');
      server.transport.replaceCredentials(
        { certificateChain: [renewed.certificate], privateKey: renewed.privateKey },
        { anchors: [another.root.certificate], intermediates: [another.intermediate.certificate] },
      );
      const { certificate, privateKey } = another.createDevice('2');
      const client = await server.connect({ certificate, privateKey, chain: [], trustAnchor: other.certificate });
      assert.deepEqual(Buffer.from(client.peerCertificate), Buffer.from(renewed.certificate));
      await isEchoed(client, 'new');
      await isEchoed(before, 'old');
      await assert.rejects(server.connect({ trustAnchor: other.certificate }), /alert|unknown/i);
    }));

  it('changes nothing when they cannot be used', () =>
    withServer({}, async (server) => {
      const { certificate } = createServer(createAuthority('CN=Another CA'));
      const { privateKey } = createServer(createAuthority('CN=Another CA'));
      const trust = { anchors: [manufacturer.root.certificate], intermediates: [] };
      const replace = (certificateChain: Uint8Array[], key: Uint8Array) => () =>
        server.transport.replaceCredentials({ certificateChain, privateKey: key }, trust);
      assert.throws(replace([certificate], privateKey), /OpenSSL refused the private key/);
      assert.throws(replace([Buffer.from('rubbish')], privateKey), /OpenSSL refused the certificate/);
      assert.throws(replace([], privateKey), /needs a certificate/);
      await isEchoed(await server.connect(), 'as ever');
    }));
});

describe('RFC 6347: how sessions end', () => {
  it('does not end the others, nor itself, for a datagram with which something unexpected goes wrong', (context) =>
    withServer({}, async (server) => {
      const [client, other] = [await server.connect(), await server.connect()];
      const broken = () => {
        throw new Error('the clock is broken');
      };
      context.mock.method(server.clock, 'now', broken, { times: 1 });
      client.send(Buffer.from('into the void'));
      await hasComeTo(() => server.lines.some(({ msg }) => msg === 'a datagram could not be handled'));
      await isEchoed(other, 'served as ever');
      await isEchoed(client, 'and so is this one');
    }));

  it('says close_notify when an operator or the end of the process closes them', () =>
    withServer({}, async (server) => {
      const [dropped, last] = [await server.connect(), await server.connect()];
      server.opened[0]?.close('operator');
      await hasComeTo(() => dropped.isClosed);
      server.opened[0]?.close('operator');
      server.opened[0]?.send(Buffer.from('into the void'));
      await server.transport.close();
      await hasComeTo(() => last.isClosed);
      assert.deepEqual(
        server.closed.map(({ reason }) => reason),
        ['operator', 'shutdown'],
      );
    }));

  it('ends the session whose message could not be handled, and no other', () =>
    withServer(
      {
        onMessage: (message) => {
          if (message.toString() === 'break') throw new Error('broken');
        },
      },
      async (server) => {
        const [bad, good] = [await server.connect(), await server.connect()];
        bad.send(Buffer.from('break'));
        await hasComeTo(() => bad.isClosed);
        assert.equal(server.closed[0]?.reason, 'failed');
        await isEchoed(good, 'good');
      },
    ));

  it('refuses a cookie that comes back with another ClientHello (§4.2.1)', () =>
    withServer({}, async (server) => {
      let datagrams = 0;
      const aborted = new AbortController();
      const attempt = server.connect({
        signal: aborted.signal,
        transformOutgoing: (datagram) => {
          // The random of the first ClientHello.
          if (++datagrams === 1) datagram.writeUInt8(datagram.readUInt8(30) ^ 1, 30);
          return [datagram];
        },
      });
      await hasComeTo(() => datagrams >= 3);
      assert.deepEqual(server.transport.counts, { established: 0, halfOpen: 0 });
      aborted.abort();
      await assert.rejects(attempt);
    }));
});
