// What arrives from the address of a live session and is not its next record: it is dropped without an answer, and the
// session lives (coaps.md §5; RFC 6347 §4.1.2.6, §4.1.2.7).

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { connectDtls, type DtlsClient } from '../../test-support/dtls-client.ts';
import { type EchoServer, startEcho } from '../../test-support/echo-server.ts';
import { contentTypes, type DtlsRecord, readRecords, writeRecord } from '../../test-support/records.ts';
import { isEchoed } from './conversation.ts';

const version = 0xfefd;

let server: EchoServer;
let client: DtlsClient;
/** Every datagram of the client so far. */
let sent: Buffer[];
/** Whether the client's datagrams only get into `sent`. */
let isHeldBack: boolean;

before(async () => {
  server = await startEcho();
});
after(() => server.close());
beforeEach(async () => {
  sent = [];
  isHeldBack = false;
  client = await connectDtls({
    ...server.device(),
    transformOutgoing: (datagram) => {
      sent.push(datagram);
      return isHeldBack ? [] : [datagram];
    },
  });
  await isEchoed(client, 'first');
  server.received.length = 0;
  server.closed.length = 0;
});
afterEach(() => {
  client.close();
});

/** What the client would have sent for this message. */
function sealed(text: string): Buffer {
  isHeldBack = true;
  client.send(Buffer.from(text));
  isHeldBack = false;
  const datagram = sent.at(-1);
  assert.ok(datagram);
  return datagram;
}

function record(shape: Partial<DtlsRecord>, length?: number): Buffer {
  return writeRecord(
    { type: contentTypes.applicationData, version, epoch: 1, sequence: 1000, fragment: Buffer.alloc(40, 7), ...shape },
    length,
  );
}

/** Sends datagrams of which nothing may come, and then a message that has to be the only one that did. */
async function areDropped(...datagrams: readonly Uint8Array[]): Promise<void> {
  const { id } = [...server.transport.sessions()].find(({ peer }) => peer.port === client.localPort) ?? { id: '' };
  const before = client.traffic.datagramsIn;
  for (const datagram of datagrams) client.sendRaw(datagram);
  await isEchoed(client, 'alive');
  assert.equal(client.traffic.datagramsIn - before, 1, 'there was an answer to what has to be dropped silently');
  assert.deepEqual(server.received.map(String), ['alive']);
  assert.notEqual(server.transport.find(id), undefined);
  assert.deepEqual(server.closed, []);
}

describe('RFC 6347 §4.1.2: records that are not the next of their session', () => {
  it('drops records whose MAC is wrong', async () => {
    const datagram = sealed('forged');
    for (const at of [datagram.length - 1, datagram.length - 9, 13, 20]) {
      const forged = Buffer.from(datagram);
      forged[at] = (forged[at] ?? 0) ^ 1;
      client.sendRaw(forged);
    }
    await areDropped();
  });

  it('takes the genuine record behind forged ones with the same number', async () => {
    const datagram = sealed('genuine');
    const forged = Buffer.from(datagram);
    forged[datagram.length - 1] = (forged[datagram.length - 1] ?? 0) ^ 0x80;
    client.sendRaw(forged);
    client.sendRaw(datagram);
    await isEchoed(client, 'next');
    assert.deepEqual(server.received.map(String), ['genuine', 'next']);
  });

  it('drops repetitions of records that it has had', async () => {
    const datagram = sealed('once');
    for (let repetition = 0; repetition < 5; repetition++) client.sendRaw(datagram);
    await isEchoed(client, 'alive');
    for (let repetition = 0; repetition < 5; repetition++) client.sendRaw(datagram);
    await isEchoed(client, 'still alive');
    assert.deepEqual(server.received.map(String), ['once', 'alive', 'still alive']);
  });

  it('drops application data in the clear', async () => {
    await areDropped(
      record({ epoch: 0, fragment: Buffer.from('in the clear') }),
      record({ epoch: 0, sequence: 0, fragment: Buffer.from([0x40, 0x01, 0x00, 0x01]) }),
    );
  });

  it('drops alerts in the clear: an attacker who guesses a port ends no session', async () => {
    const alert = (level: number, description: number) =>
      record({ type: contentTypes.alert, epoch: 0, fragment: Buffer.from([level, description]) });
    await areDropped(alert(2, 40), alert(2, 20), alert(1, 0), alert(1, 100), alert(2, 0));
  });

  it('drops alerts and data of epochs that are not there', async () => {
    await areDropped(
      record({ epoch: 2 }),
      record({ epoch: 0xffff, sequence: 2 ** 48 - 1 }),
      record({ type: contentTypes.alert, epoch: 2, fragment: Buffer.from([2, 40]) }),
      record({ type: contentTypes.changeCipherSpec, epoch: 0, fragment: Buffer.from([1]) }),
      record({ type: contentTypes.handshake, epoch: 1, fragment: Buffer.alloc(60) }),
    );
  });

  it('drops what is no record', async () => {
    await areDropped(
      Buffer.alloc(0),
      Buffer.alloc(1, 22),
      Buffer.alloc(12, 23),
      Buffer.alloc(1400, 0xff),
      record({ type: 99 }),
      record({ version: 0x0303 }),
      record({ version: 0xfeff }),
      record({}, 0xffff),
      record({ fragment: Buffer.alloc(0) }),
      record({ fragment: Buffer.alloc(60_000) }),
    );
  });

  for (const suite of ['CCM8', 'CCM', 'GCM-SHA256']) {
    it(`drops records that are too short for the nonce and the tag of AES128-${suite}`, async () => {
      client.close();
      client = await connectDtls({ ...server.device(), ciphers: `ECDHE-ECDSA-AES128-${suite}` });
      server.closed.length = 0;
      const short = Object.values(contentTypes).flatMap((type) =>
        Array.from({ length: 32 }, (_, octets) =>
          record({ type, fragment: Buffer.alloc(octets, 1), sequence: 100 + octets }),
        ),
      );
      // OpenSSL 3.5 would end the session with an internal error: a stranger could end any.
      await areDropped(
        ...short,
        record({}, 3),
        Buffer.concat([record({ epoch: 0 }), record({ fragment: Buffer.alloc(5) })]),
      );
    });
  }

  it('drops the handshake of the session itself when it is sent once more', async () => {
    // The first two are ClientHellos, to which everybody gets an answer.
    const handshake = sent.filter((datagram) => readRecords(datagram).every(({ fragment }) => fragment[0] !== 1));
    const before = client.traffic.datagramsIn;
    for (const datagram of handshake.slice(0, -1)) client.sendRaw(datagram);
    await isEchoed(client, 'alive');
    assert.deepEqual(server.closed, []);
    // RFC 6347 §4.2.4: the server's last flight may be sent again, for a client that has lost it; nothing else.
    assert.ok(client.traffic.datagramsIn - before <= 1 + handshake.length);
  });

  it('takes the record behind a bad one in the same datagram, or none of them', async () => {
    const datagram = sealed('behind');
    client.sendRaw(Buffer.concat([record({ epoch: 0 }), datagram]));
    await isEchoed(client, 'alive');
    assert.ok(server.received.length <= 2);
    assert.deepEqual(server.closed, []);
  });
});

describe('RFC 6347 §4.1.2.7: whatever comes from the address of a live session', () => {
  it('does not end it, and nobody above hears of it', async () => {
    const genuine = sealed('kept back');
    const type = fc.oneof(fc.constantFrom(...Object.values(contentTypes)), fc.nat({ max: 255 }));
    const forged = fc
      .record({
        type,
        version: fc.constantFrom(0xfefd, 0xfeff, 0xfefc, 0x0303, 0),
        epoch: fc.constantFrom(0, 1, 2, 0xffff),
        sequence: fc.oneof(
          fc.nat({ max: 64 }),
          fc.maxSafeNat().map((each) => each % 2 ** 48),
        ),
        fragment: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 1300, size: 'max' })),
        lie: fc.option(fc.nat({ max: 0xffff }), { nil: undefined, freq: 5 }),
      })
      // A ClientHello in the clear gets an answer, whoever sends it.
      .filter((each) => !(each.type === contentTypes.handshake && each.epoch === 0 && each.fragment[0] === 1))
      .map(({ lie, ...each }) => writeRecord(each, lie));
    const altered = fc
      .tuple(fc.nat({ max: genuine.length - 1 }), fc.integer({ min: 1, max: 255 }))
      .map(([at, mask]) => Buffer.from(genuine.map((octet, index) => (index === at ? octet ^ mask : octet))));
    const datagram = fc.oneof(
      fc.array(fc.oneof(forged, altered), { minLength: 1, maxLength: 3 }).map((records) => Buffer.concat(records)),
      fc.uint8Array({ maxLength: 100 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(datagram, { minLength: 1, maxLength: 20 }), async (datagrams) => {
        await areDropped(...datagrams);
        server.received.length = 0;
      }),
      { seed: 4127, numRuns: 150, endOnFailure: true },
    );
  });
});

describe('RFC 6347 §4.2.8: a ClientHello from the address of a live session', () => {
  it('gets a HelloVerifyRequest, and the session stays', async () => {
    const hello = sent[0];
    assert.ok(hello);
    const before = client.traffic.datagramsIn;
    client.sendRaw(hello);
    await isEchoed(client, 'alive');
    assert.ok(client.traffic.datagramsIn - before <= 2);
    assert.deepEqual(server.closed, []);
    assert.equal(server.transport.counts.halfOpen, 0);
  });

  it('does not end the session even when it brings its cookie and then stays silent', async () => {
    const hello = sent[1];
    assert.ok(hello);
    client.sendRaw(hello);
    await isEchoed(client, 'alive');
    await isEchoed(client, 'and well');
    assert.deepEqual(server.closed, []);
  });
});

describe('RFC 5746: renegotiation', () => {
  it('does not happen', async () => {
    const handshakes = await server.metric('dtls_handshakes_total');
    client.renegotiate();
    const other = await connectDtls(server.device());
    await isEchoed(other, 'other');
    assert.equal((await server.metric('dtls_handshakes_total')) - handshakes, 1);
    other.close();
  });
});
