import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { sendPlainOctets } from '../src/plain-connection.ts';
import { freePort, ServerError, withServer } from '../src/stapling/server.ts';

const script = (text: string) => ({ program: process.execPath, parameters: ['--eval', text] });

/** Whether somebody listens on a port of the loopback interface. */
async function listens(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
  const isThere = await promise;
  socket.destroy();
  return isThere;
}

describe('servers of others', () => {
  const listening = (port: number) => script(`require('node:net').createServer().listen(${port}, '127.0.0.1')`);

  it('are there while they are needed, and gone afterwards', async () => {
    const port = await freePort();
    const isReady = () => listens(port);
    await withServer(listening(port), isReady, async () => assert(await listens(port)));
    assert(!(await listens(port)));
  });

  it('are gone when what needed them fails', async () => {
    const port = await freePort();
    const use = () => Promise.reject(new Error('no'));
    await assert.rejects(
      withServer(listening(port), () => listens(port), use),
      /^Error: no$/,
    );
    assert(!(await listens(port)));
  });

  it('are named with what they said when they do not start', async () => {
    const failing = script("process.stderr.write('no certificate'); process.exitCode = 1");
    const start = (command: Parameters<typeof withServer>[0]) =>
      withServer(
        command,
        () => Promise.resolve(false),
        () => Promise.resolve(),
      );
    await assert.rejects(start(failing), new ServerError(`${process.execPath} did not start: no certificate`));
    await assert.rejects(start({ program: 'no-such-program', parameters: [] }), ServerError);
  });
});

describe('a plain connection', () => {
  it('gives what came until the server closed', async () => {
    const server = createServer((socket) => {
      socket.once('data', (octets) => socket.end(`<${octets.toString('latin1')}>`));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    assert.equal((await sendPlainOctets(`127.0.0.1:${address.port}`, 'PING')).toString(), '<PING>');
    server.close();
  });
});
