// Small stacks send their handshake in fragments of a few hundred octets, and networks hand them over in any order
// (coaps.md §6); attackers send fragments that lie about what they are a part of.

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { connectDtls, type DtlsClientOptions, type Transform } from '../../test-support/dtls-client.ts';
import { type EchoServer, startEcho } from '../../test-support/echo-server.ts';
import { createRandom } from '../../test-support/random.ts';
import {
  type DtlsRecord,
  isClearHandshake,
  readHandshakeFragment,
  readRecords,
  writeHandshakeFragment,
  writeRecord,
} from '../../test-support/records.ts';
import { isEchoed } from './conversation.ts';

let server: EchoServer;
let socket: Socket;
before(async () => {
  server = await startEcho();
});
after(() => server.close());
beforeEach(async () => {
  socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
});
afterEach(() => {
  socket.close();
});

/** Holds back what is sent in one turn of the event loop, and sends it in the order that `arrange` gives. */
function flightByFlight(arrange: (flight: readonly Uint8Array[]) => readonly Uint8Array[]): Transform {
  let flight: Uint8Array[] = [];
  return (datagram) => {
    if (flight.length === 0) {
      setImmediate(() => {
        for (const each of arrange(flight)) socket.send(each, server.port, '127.0.0.1');
        flight = [];
      });
    }
    flight.push(datagram);
    return [];
  };
}

async function connects(options: Partial<DtlsClientOptions>): Promise<void> {
  const client = await connectDtls({ ...server.device(), socket, retransmitMs: 60, mtu: 256, ...options });
  await isEchoed(client, 'whole');
  client.close();
}

/** Cuts the messages of a datagram into fragments of at most `octets`, each in a record and datagram of its own. */
function fragment(octets: number, overlap = 0): Transform {
  let sequence = 0;
  // The record sequence of epoch 0 is the attacker's to choose; numbers that go on are never a repetition.
  const record = (like: DtlsRecord, bytes: Uint8Array) =>
    writeRecord({ ...like, sequence: sequence++, fragment: bytes });
  return (datagram) =>
    readRecords(datagram).flatMap((each) => {
      if (each.epoch !== 0) return [writeRecord(each)];
      if (!isClearHandshake(each)) return [record(each, each.fragment)];
      const whole = readHandshakeFragment(each);
      // A ClientHello has to come in one piece: for its parts nothing may be kept (RFC 6347 §4.2.1).
      if (whole.type === 1) return [record(each, each.fragment)];
      const pieces: Buffer[] = [];
      for (let at = 0; at < whole.bytes.length; at += octets) {
        const start = Math.max(0, at - overlap);
        const bytes = whole.bytes.subarray(start, at + octets);
        pieces.push(record(each, writeHandshakeFragment({ ...whole, offset: whole.offset + start, bytes })));
      }
      return pieces;
    });
}

describe('RFC 6347 §4.2.3: fragments of the handshake', () => {
  it('reassembles the flight of a client with an MTU of 256 octets', async () => {
    await connects({ transformOutgoing: (datagram) => [datagram] });
  });

  it('reassembles it from last to first', async () => {
    await connects({ transformOutgoing: flightByFlight((flight) => flight.toReversed()) });
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`reassembles it in any order, with some of it twice (seed ${seed})`, async () => {
      const random = createRandom(seed);
      const arrange = (flight: readonly Uint8Array[]) =>
        random.shuffle([...flight, ...flight.filter(() => random.integer(3) === 0)]);
      await connects({ transformOutgoing: flightByFlight(arrange) });
    });
  }

  it('reassembles fragments of 24 octets, shuffled', async () => {
    const cut = fragment(24);
    const random = createRandom(24);
    await connects({
      transformOutgoing: flightByFlight((flight) => random.shuffle(flight.flatMap((each) => cut(Buffer.from(each))))),
    });
  });

  it('reassembles fragments that overlap', async () => {
    await connects({ transformOutgoing: fragment(64, 16) });
  });

  it('keeps room for no message that only says that it is long', async () => {
    const before = process.memoryUsage.rss();
    let isLying = true;
    const lie: Transform = (datagram) =>
      readRecords(datagram).map((each) => {
        if (!isLying || !isClearHandshake(each)) return writeRecord(each);
        const whole = readHandshakeFragment(each);
        if (whole.type === 1) return writeRecord(each);
        isLying = false;
        return writeRecord({ ...each, fragment: writeHandshakeFragment({ ...whole, length: 0xffffff }) });
      });
    await assert.rejects(
      connectDtls({ ...server.device(), socket, retransmitMs: 60, handshakeTimeoutMs: 600, transformOutgoing: lie }),
    );
    assert.ok(process.memoryUsage.rss() - before < 12 * 1024 * 1024);
    await connects({});
  });
});
