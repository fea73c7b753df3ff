import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { limitUnverified } from '@gatehouse/runtime/unverified-connections';

async function startServer(context: TestContext) {
  const refused: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer();
  const unverified = limitUnverified(server, (address) => refused.push(address));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(address.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
    return socket;
  };
  return { open, refused, unverified };
}

describe('connections that have not said who they are', () => {
  test('more than 32 of one address are closed unread', async (context) => {
    const { open, refused } = await startServer(context);
    for (let count = 0; count < 32; count++) await open();
    assert.deepEqual(refused, []);
    const last = await open();
    assert.deepEqual(refused, ['127.0.0.1']);
    if (!last.closed) await once(last, 'close');
  });

  test('whoever has said who he is makes room', async (context) => {
    const { open, refused, unverified } = await startServer(context);
    for (let count = 0; count < 40; count++) {
      const socket = await open();
      unverified.verified(`127.0.0.1:${socket.localPort}`);
    }
    assert.deepEqual(refused, []);
  });
});
