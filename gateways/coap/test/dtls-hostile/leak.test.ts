// Full handshakes by the thousand leave nothing behind: the server's memory is afterwards what it was when it was warm.
// The same with 20,000 of them is a part of `npm run bench -- coap`.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createManufacturer } from '../../test-support/certificates.ts';
import { createDtlsClientContext } from '../../test-support/dtls-client.ts';
import { type EchoProcess, startEchoProcess } from '../../test-support/echo-process.ts';
import { hasComeTo, isEchoed } from './conversation.ts';

const warmUp = 500;
const rounds = 3;
const handshakesPerRound = 1000;
const inFlight = 8;
const kilobyte = 1024;
const manufacturer = createManufacturer('Acme');

let server: EchoProcess;
before(async () => {
  server = await startEchoProcess({
    anchors: [manufacturer.root.certificate],
    limits: { sessionsPerAddress: 10_000, handshakesPerAddress: { perSecond: 100_000, burst: 100_000 } },
  });
});
after(() => server.stop());

async function connectOften(count: number): Promise<void> {
  const { port, trustAnchor } = server;
  const context = createDtlsClientContext({ ...manufacturer.createDevice('leak'), trustAnchor });
  let started = 0;
  const worker = async () => {
    while (started++ < count) {
      const client = await context.connect({ address: '127.0.0.1', port });
      await isEchoed(client, 'hello');
      client.close();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  context.free();
}

describe('coaps.md §5: memory', () => {
  it(`is the same after ${rounds * handshakesPerRound} more handshakes`, async () => {
    const residentAfter = async (handshakes: number): Promise<number> => {
      await connectOften(handshakes);
      await hasComeTo(async () => (await server.state()).established === 0);
      return (await server.state()).residentBytes;
    };
    let resident = await residentAfter(warmUp);
    const growths: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const then = await residentAfter(handshakesPerRound);
      growths.push((then - resident) / kilobyte / handshakesPerRound);
      resident = then;
    }
    // What leaks does so in every round; a heap that finds its size grows in one of them. One X.509 certificate is 3 KB.
    assert.ok(Math.min(...growths) < 1, `a handshake leaves ${growths.map((each) => each.toFixed(1)).join(', ')} KB`);
    assert.equal((await server.state()).halfOpen, 0);
  });
});
