// The message layer on a real socket with real timers, and npm's `coap` as its client: what it takes for granted must hold.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { Agent, type CoapRequestParams, type IncomingMessage, request } from 'coap';
import { emptyCode, responseCodes } from '../../src/message/codes.ts';
import type { RequestHandler, RequestMessage } from '../../src/message/message.ts';
import { createMessaging, type Messaging } from '../../src/message/messaging.ts';
import { optionNumbers } from '../../src/message/option-numbers.ts';
import { optionsOf, readString, uintOption } from '../../src/message/options.ts';
import { decoded, messageMetrics } from './support/session.ts';

/** Serves one peer on a port of its own, and tells of each datagram that it is sent. @returns the port */
async function serve(
  context: TestContext,
  handle: RequestHandler,
  onSent: (datagram: Uint8Array) => void = () => undefined,
): Promise<number> {
  const socket = createSocket('udp4');
  let messaging: Messaging | undefined;
  socket.on('message', (datagram, { address, port }) => {
    messaging ??= createMessaging({
      send: (datagram) => {
        socket.send(Buffer.from(datagram), port, address);
        onSent(datagram);
      },
      handle,
      clock: systemClock,
      log: createLog({ name: 'test', level: 'silent' }),
      metrics: messageMetrics,
      parameters: { emptyAckAfterMs: 20 },
    });
    messaging.receive(datagram);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  context.after(() => {
    messaging?.close();
    socket.close();
  });
  return socket.address().port;
}

/** Asks, and waits for the whole answer. */
async function ask(context: TestContext, parameters: CoapRequestParams, payload?: Buffer): Promise<IncomingMessage> {
  const agent = new Agent({ type: 'udp4' });
  context.after(() => agent.close());
  const asking = request({ hostname: '127.0.0.1', ...parameters, agent });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  asking.on('response', resolve).on('error', reject).end(payload);
  return promise;
}

describe('RFC 7252: the client of npm', () => {
  it('reads a piggybacked response, and its request is read as it meant it', async (context) => {
    const seen: RequestMessage[] = [];
    const port = await serve(context, async (one) => {
      seen.push(one);
      return {
        code: responseCodes.changed,
        options: [uintOption(optionNumbers.contentFormat, 50)],
        payload: one.payload,
      };
    });
    const response = await ask(
      context,
      { port, method: 'POST', pathname: '/est/sen', query: 'a=1&b=2' },
      Buffer.from('{}'),
    );
    assert.equal(response.code, '2.04');
    assert.deepEqual(response.payload, Buffer.from('{}'));
    assert.equal(response.headers['Content-Format'], 'application/json');
    const [one] = seen;
    assert.deepEqual(one && optionsOf(one, optionNumbers.uriPath).map(readString), ['est', 'sen']);
    assert.deepEqual(one && optionsOf(one, optionNumbers.uriQuery).map(readString), ['a=1', 'b=2']);
  });

  it('gets a separate response when the answer comes late, §5.2.2', async (context) => {
    const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
    const handle: RequestHandler = async () => {
      await acknowledged;
      return { code: responseCodes.content, options: [], payload: Buffer.from('late') };
    };
    const port = await serve(context, handle, (datagram) => {
      if (decoded(datagram).type === 'ack' && decoded(datagram).code === emptyCode) resolve();
    });
    const response = await ask(context, { port, method: 'GET', pathname: '/' });
    assert.deepEqual([response.code, response.payload.toString()], ['2.05', 'late']);
  });

  it('gets a Non-confirmable response to a Non-confirmable request, §5.2.3', async (context) => {
    const port = await serve(context, async () => ({
      code: responseCodes.content,
      options: [],
      payload: Buffer.from('non'),
    }));
    const response = await ask(context, { port, method: 'GET', pathname: '/', confirmable: false });
    assert.equal(response.payload.toString(), 'non');
  });
});
