// A port that is listened at and that never answers, as behind a firewall that drops: its queue of connections is full, and
// nobody takes any of them out.

import { once } from 'node:events';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

/** Listens in a thread that then sleeps, so that no connection is accepted. */
const listener = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host: workerData.host, port: workerData.port, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(workerData.lock), 0, 0);
  });
`;

/** Starts one that ends with the test. @returns its port */
export async function startDeafPort(t: TestContext, host: string, port = 0): Promise<number> {
  const lock = new SharedArrayBuffer(4);
  const worker = new Worker(listener, { eval: true, workerData: { host, port, lock } });
  const [bound]: unknown[] = await once(worker, 'message');
  const deaf = Number(bound);
  // Linux queues one more than the backlog.
  const waiting = [connect(deaf, host), connect(deaf, host)];
  await Promise.all(waiting.map((socket) => once(socket, 'connect')));
  t.after(async () => {
    for (const socket of waiting) socket.destroy();
    Atomics.notify(new Int32Array(lock), 0);
    await worker.terminate();
  });
  return deaf;
}
