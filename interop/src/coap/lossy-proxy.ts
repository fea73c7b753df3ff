// A network as constrained devices have it: a UDP relay that loses, repeats, delays and overtakes datagrams, each way by
// its own odds. It knows nothing of DTLS or CoAP, so that handshakes suffer as requests do. What it does is chosen by a
// seed: the same datagrams in the same order meet the same fate.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createRandom, type Random } from '../drills/random.ts';

/** What happens to datagrams of one direction; shares are from 0 to 1. */
export type Weather = {
  /** Share of the datagrams that never arrive. */
  readonly loss?: number | undefined;
  /** Share that arrives twice. */
  readonly duplication?: number | undefined;
  /** Share that is overtaken by the next datagram, or arrives late when none comes. */
  readonly reordering?: number | undefined;
  /** How long each takes, in milliseconds. */
  readonly delayMs?: number | undefined;
};

/** What {@link startLossyProxy} takes. */
export type LossyProxyOptions = {
  readonly host: string;
  /** Of the server. */
  readonly port: number;
  readonly seed: number;
  /** From clients to the server, and back. */
  readonly up: Weather;
  readonly down: Weather;
};

/** What became of datagrams. */
export type Tally = {
  readonly arrived: number;
  readonly lost: number;
  readonly repeated: number;
  readonly late: number;
};

/** A running relay. */
export type LossyProxy = {
  readonly port: number;
  tally(): { readonly up: Tally; readonly down: Tally };
  stop(): Promise<void>;
};

/** How long an overtaken datagram waits at most for the one that overtakes it. */
const patienceMs = 150;

/** Starts a relay on the loopback interface, on a port that the system chooses. */
export async function startLossyProxy({ host, port, seed, up, down }: LossyProxyOptions): Promise<LossyProxy> {
  const random = createRandom(seed);
  const upward = createRoad(up, random);
  const downward = createRoad(down, random);
  /** One socket for each client, by its port, so that the server sees as many peers as there are. */
  const upstream = new Map<number, Socket>();
  const front = createSocket('udp4');

  const connectFor = (client: number): Socket => {
    const socket = createSocket('udp4');
    // A server that is gone is a network that loses everything.
    socket.on('error', () => undefined);
    const back = downward.lane((datagram) => front.send(datagram, client, '127.0.0.1'));
    socket.on('message', back);
    upstream.set(client, socket);
    return socket;
  };
  const lanes = new Map<number, (datagram: Buffer) => void>();
  const laneOf = (client: number) => {
    const known = lanes.get(client);
    if (known !== undefined) return known;
    const socket = connectFor(client);
    const lane = upward.lane((datagram) => socket.send(datagram, port, host));
    lanes.set(client, lane);
    return lane;
  };

  front.on('error', () => undefined);
  front.on('message', (datagram, { port: client }) => laneOf(client)(datagram));
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    port: front.address().port,
    tally: () => ({ up: upward.tally(), down: downward.tally() }),
    stop: async () => {
      upward.close();
      downward.close();
      const sockets = [front, ...upstream.values()];
      const closed = sockets.map((socket) => once(socket, 'close'));
      for (const socket of sockets) socket.close();
      await Promise.all(closed);
    },
  };
}

type Road = {
  /** The way of one client: only its own datagrams overtake each other. */
  lane(send: (datagram: Buffer) => void): (datagram: Buffer) => void;
  tally(): Tally;
  close(): void;
};

/** One direction. */
function createRoad(weather: Weather, random: Random): Road {
  const { loss = 0, duplication = 0, reordering = 0, delayMs = 0 } = weather;
  const count = { arrived: 0, lost: 0, repeated: 0, late: 0 };
  const timers = new Set<NodeJS.Timeout>();
  let isOpen = true;
  const after = (waitMs: number, task: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, waitMs);
    timers.add(timer);
    return timer;
  };

  const lane: Road['lane'] = (send) => {
    let overtaken: { readonly deliver: () => void; readonly timer: NodeJS.Timeout } | undefined;
    const arrive = (datagram: Buffer) => {
      if (!isOpen) return;
      count.arrived += 1;
      send(datagram);
    };
    const travel = (datagram: Buffer) => {
      if (delayMs === 0) arrive(datagram);
      else after(delayMs, () => arrive(datagram));
    };
    return (datagram) => {
      // Each choice is made of each datagram, whatever becomes of it, so that one kind of weather does not change another.
      const [isLost, isRepeated, isLate] = [loss, duplication, reordering].map((share) => random() < share);
      if (isLost) {
        count.lost += 1;
        return;
      }
      const deliver = () => {
        travel(datagram);
        if (!isRepeated) return;
        count.repeated += 1;
        travel(datagram);
      };
      const before = overtaken;
      if (isLate && before === undefined) {
        count.late += 1;
        const timer = after(patienceMs, () => {
          overtaken = undefined;
          deliver();
        });
        overtaken = { deliver, timer };
        return;
      }
      deliver();
      if (before === undefined) return;
      overtaken = undefined;
      clearTimeout(before.timer);
      timers.delete(before.timer);
      before.deliver();
    };
  };
  return {
    lane,
    tally: () => ({ ...count }),
    close: () => {
      isOpen = false;
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
