// What strangers throw at a DTLS port: noise, cut and altered messages, those of others once more, lengths that lie, and
// ClientHellos with no cookie or with somebody else's. The same for the same seed.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connectDtls, type DtlsClientOptions } from '../../test-support/dtls-client.ts';
import { createRandom, type Random } from '../../test-support/random.ts';
import {
  contentTypes,
  handshakeTypes,
  readHandshakeFragment,
  readRecords,
  writeHandshakeFragment,
  writeRecord,
} from '../../test-support/records.ts';

/** What a client said from its ClientHello to its first message. */
export type RecordedHandshake = {
  readonly hello: Buffer;
  readonly helloWithCookie: Buffer;
  readonly all: readonly Buffer[];
};

/** Does a handshake and keeps what the client said. */
export async function recordHandshake(device: DtlsClientOptions): Promise<RecordedHandshake> {
  const all: Buffer[] = [];
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const client = await connectDtls({
    ...device,
    socket,
    transformOutgoing: (datagram) => {
      all.push(datagram);
      return [datagram];
    },
  });
  client.send(Buffer.from('recorded'));
  client.close();
  socket.close();
  const [hello, helloWithCookie] = all;
  if (hello === undefined || helloWithCookie === undefined) throw new Error('there was no handshake');
  return { hello, helloWithCookie, all };
}

/** What to make of whose words. */
export type HostileOptions = { readonly seed: number; readonly count: number; readonly recorded: RecordedHandshake };

/** Makes them one by one. */
export function* hostileDatagrams({ seed, count, recorded }: HostileOptions): Generator<Uint8Array> {
  const random = createRandom(seed);
  for (let index = 0; index < count; index++) yield random.pick(kinds)(random, recorded);
}

type Kind = (random: Random, recorded: RecordedHandshake) => Uint8Array;

const anything: Kind = (random, { all, hello }) => random.pick([hello, ...all]);

const cut: Kind = (random, recorded) => {
  const datagram = anything(random, recorded);
  return datagram.subarray(0, random.integer(datagram.length));
};

const altered: Kind = (random, recorded) => {
  const datagram = Buffer.from(anything(random, recorded));
  for (let change = random.integer(4); change >= 0; change--) {
    datagram[random.integer(datagram.length)] = random.integer(0x100);
  }
  return datagram;
};

/** A record with a true head and whatever behind it. */
const randomRecord: Kind = (random) =>
  writeRecord(
    {
      type: random.pick(Object.values(contentTypes) as [number, ...number[]]),
      version: random.pick([0xfefd, 0xfeff, 0x0303]),
      epoch: random.pick([0, 1, 2, 0xffff]),
      sequence: random.integer(0x1_0000_0000),
      fragment: random.bytes(random.integer(400)),
    },
    random.pick([0, 1, 0x4000, 0xffff]),
  );

/** A ClientHello whose lengths lie: in the record, the message, the fragment, its offset. */
const lying: Kind = (random, { hello, helloWithCookie }) => {
  const [record] = readRecords(random.pick([hello, helloWithCookie]));
  if (record === undefined) return hello;
  const whole = readHandshakeFragment(record);
  const fragment = writeHandshakeFragment(
    {
      ...whole,
      length: random.pick([whole.length, 0, 0xffffff, whole.length + 1]),
      offset: random.pick([0, 0, 1, 0xffffff]),
      messageSequence: random.pick([0, 1, 2, 0xffff]),
    },
    random.pick([whole.bytes.length, 0, 0xffffff, whole.bytes.length + 1]),
  );
  return writeRecord({ ...record, fragment }, random.pick([fragment.length, 0xffff, 0]));
};

/** A first fragment of a message of 16 MB. */
const endless: Kind = (random) => {
  const fragment = writeHandshakeFragment({
    type: random.pick([handshakeTypes.clientHello, handshakeTypes.certificate]),
    length: 0xffffff,
    messageSequence: random.integer(3),
    offset: random.pick([0, 0x8000, 0xfffff0]),
    bytes: random.bytes(random.integer(1000)),
  });
  return writeRecord({ type: contentTypes.handshake, version: 0xfefd, epoch: 0, sequence: 0, fragment });
};

const kinds: readonly [Kind, ...Kind[]] = [
  (random) => random.bytes(random.integer(1500)),
  (random) => random.bytes(random.integer(14)),
  (random) => Buffer.concat([Buffer.from([22, 0xfe, 0xfd]), random.bytes(random.integer(600))]),
  () => Buffer.alloc(9000, 22),
  (_, { hello }) => hello,
  (_, { helloWithCookie }) => helloWithCookie,
  anything,
  cut,
  altered,
  randomRecord,
  lying,
  endless,
];

/** Sockets to send from, each at an address of its own where the system has many. */
export async function openSockets(count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4'));
  for (const [index, socket] of sockets.entries()) {
    // The whole of 127.0.0.0/8 is the loopback on Linux; elsewhere many ports have to do.
    socket.bind(0, process.platform === 'linux' ? `127.0.1.${index + 1}` : '127.0.0.1');
    await once(socket, 'listening');
  }
  return sockets;
}

/** So many are sent before it is looked whether the server is still taking them. */
const burst = 500;

/**
 * Sends them with a turn of the event loop now and then, as a test has honest clients in the same process, and not faster than
 * the server takes them: what the system's queue loses attacks nobody.
 *
 * @param heard how many datagrams the server has received
 */
export async function flood(
  port: number,
  sockets: readonly Socket[],
  datagrams: Iterable<Uint8Array>,
  heard: () => Promise<number>,
): Promise<void> {
  let index = 0;
  for (const datagram of datagrams) {
    sockets[index++ % sockets.length]?.send(datagram, port, '127.0.0.1');
    if (index % 20 === 0) await nextTurn();
    if (index % burst === 0) await untilStill(heard);
  }
}

/** Whatever is on its way arrives, or is lost. */
async function untilStill(heard: () => Promise<number>): Promise<void> {
  for (let before = -1, now = await heard(); now !== before; now = await heard()) before = now;
}
