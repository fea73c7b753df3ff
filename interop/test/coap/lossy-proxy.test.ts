import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { type LossyProxy, startLossyProxy, type Weather } from '../../src/coap/lossy-proxy.ts';

type Datagram = { readonly text: string; readonly port: number };

/** A UDP socket that remembers what it got. */
async function openSocket(context: TestContext, hear?: (socket: Socket, datagram: Datagram) => void) {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: Datagram[] = [];
  socket.on('message', (octets, { port }) => {
    const datagram = { text: octets.toString('latin1'), port };
    heard.push(datagram);
    hear?.(socket, datagram);
  });
  context.after(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return { socket, heard, port: socket.address().port };
}

async function openRelay(context: TestContext, port: number, up: Weather, down: Weather = {}, seed = 1) {
  const relay = await startLossyProxy({ host: '127.0.0.1', port, seed, up, down });
  context.after(() => relay.stop());
  return relay;
}

/** Sends numbered datagrams one after the other, and ends when the relay has dealt with all of them. */
async function sendNumbers(socket: Socket, relay: LossyProxy, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number += 1) {
    await new Promise<void>((resolve) => socket.send(String(number), relay.port, '127.0.0.1', () => resolve()));
  }
}

async function until(isThere: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!isThere() && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert(isThere(), 'it must have happened by now');
}

const numbersOf = (heard: readonly Datagram[]) => heard.map(({ text }) => Number(text));
const dealtWith = (relay: LossyProxy) => {
  const { arrived, lost, repeated } = relay.tally().up;
  return arrived - repeated + lost;
};

describe('the relay of a lossy network', () => {
  it('gives every datagram on when the weather is fine, both ways, each client by a port of its own', async (context) => {
    const server = await openSocket(context, (socket, { text, port }) => socket.send(`<${text}>`, port, '127.0.0.1'));
    const relay = await openRelay(context, server.port, {});
    const clients = [await openSocket(context), await openSocket(context)];
    for (const [index, { socket }] of clients.entries()) socket.send(`client ${index}`, relay.port, '127.0.0.1');
    await until(() => clients.every(({ heard }) => heard.length === 1));
    assert.deepEqual(
      clients.map(({ heard }) => heard[0]?.text),
      ['<client 0>', '<client 1>'],
    );
    assert.equal(new Set(server.heard.map(({ port }) => port)).size, 2);
    assert.equal(relay.tally().down.arrived, 2);
  });

  it('loses the share that it is told, of one direction alone', async (context) => {
    const server = await openSocket(context, (socket, { port }) => socket.send('answer', port, '127.0.0.1'));
    const relay = await openRelay(context, server.port, { loss: 0.25 });
    const client = await openSocket(context);
    for (let from = 0; from < 2_000; from += 50) {
      await sendNumbers(client.socket, relay, from, from + 50);
      await until(() => dealtWith(relay) === from + 50);
    }
    const { lost } = relay.tally().up;
    assert(lost > 400 && lost < 600, `${lost} of 2000 were lost`);
    assert.equal(relay.tally().down.lost, 0);
  });

  it('loses the same datagrams again with the same seed, and others with another', async (context) => {
    const survivors = async (seed: number) => {
      const server = await openSocket(context);
      const relay = await openRelay(context, server.port, { loss: 0.5 }, {}, seed);
      const client = await openSocket(context);
      await sendNumbers(client.socket, relay, 0, 50);
      await until(() => dealtWith(relay) === 50 && server.heard.length === relay.tally().up.arrived);
      return numbersOf(server.heard);
    };
    const first = await survivors(7);
    assert.deepEqual(await survivors(7), first);
    assert.notDeepEqual(await survivors(8), first);
  });

  it('repeats datagrams', async (context) => {
    const server = await openSocket(context);
    const relay = await openRelay(context, server.port, { duplication: 1 });
    const client = await openSocket(context);
    await sendNumbers(client.socket, relay, 0, 3);
    await until(() => server.heard.length === 6);
    assert.deepEqual(numbersOf(server.heard), [0, 0, 1, 1, 2, 2]);
    assert.equal(relay.tally().up.repeated, 3);
  });

  it('lets a datagram be overtaken by the next, and brings the last one late', async (context) => {
    const server = await openSocket(context);
    const relay = await openRelay(context, server.port, { reordering: 1 });
    const client = await openSocket(context);
    await sendNumbers(client.socket, relay, 0, 5);
    await until(() => server.heard.length === 5);
    assert.deepEqual(numbersOf(server.heard), [1, 0, 3, 2, 4]);
  });

  it('takes its time, and forgets what is on its way when it stops', async (context) => {
    const server = await openSocket(context);
    const relay = await startLossyProxy({
      host: '127.0.0.1',
      port: server.port,
      seed: 1,
      up: { delayMs: 50 },
      down: {},
    });
    const client = await openSocket(context);
    const sentAt = performance.now();
    client.socket.send('first', relay.port, '127.0.0.1');
    await until(() => server.heard.length === 1);
    assert(performance.now() - sentAt >= 45);
    client.socket.send('second', relay.port, '127.0.0.1');
    await relay.stop();
    assert.equal(server.heard.length, 1);
  });
});
