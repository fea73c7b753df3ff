// The same flood against the whole gate while ten devices enrol: each of them gets its certificate, the gate's memory stays
// within bounds, and nothing is kept for strangers.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { formatName } from '@gatehouse/pkix/names';
import { certificateOf, connectDevice, disconnectAll } from '../support/device.ts';
import { manufacturer, settings } from '../support/settings.ts';
import { startStack } from '../support/stack.ts';
import { flood, hostileDatagrams, openSockets, recordHandshake } from './hostile-datagrams.ts';

const megabyte = 1024 * 1024;

const stack = await startStack(settings);
after(async () => {
  disconnectAll();
  await stack.stop();
});

async function metric(name: string, label = ''): Promise<number> {
  const text = await (await fetch(`http://${stack.gate.management}/metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const sessions = (state: 'established' | 'half-open'): Promise<number> =>
  metric('gatehouse_dtls_sessions', `"${state}"`);

/** A device's whole way to a certificate. */
async function enrol(name: string): Promise<void> {
  const client = await connectDevice(stack, manufacturer.createDevice(name), {
    coap: { ackTimeoutMs: 500, maximumRetransmissions: 8, blockSize: 128 },
    dtls: { retransmitMs: 200, handshakeTimeoutMs: 60_000 },
  });
  const subject = `CN=pump,serialNumber=${name}`;
  const certificate = certificateOf(await client.post('/est/sen', newRequest({ subject, key: newKey() })));
  assert.equal(formatName(certificate.subject), subject);
}

describe('coaps.md §5: a gate under attack', () => {
  it('gives ten devices their certificates while 20,000 hostile datagrams arrive', async () => {
    await enrol('before');
    const { gate, trustAnchor } = stack;
    const device = { address: '127.0.0.1', port: gate.port, trustAnchor, ...manufacturer.createDevice('recorded') };
    const recorded = await recordHandshake(device);
    const resident = await metric('process_resident_memory_bytes');
    const heard = () => metric('gatehouse_dtls_datagrams_total', '"in"');
    const heardBefore = await heard();
    const established = await sessions('established');
    const halfOpen: number[] = [];
    const sockets = await openSockets(40);
    const attack = flood(gate.port, sockets, hostileDatagrams({ seed: 9148, count: 20_000, recorded }), heard);
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        await enrol(`amid-${index}`);
        halfOpen.push(await sessions('half-open'));
      }),
    );
    await attack;
    halfOpen.push(await sessions('half-open'));
    await enrol('behind');
    for (const socket of sockets) socket.close();

    // RFC 6347 §4.2.1: only who has shown where he is has a state, and here only honest devices have.
    assert.ok(Math.max(...halfOpen) <= 10, `handshakes in progress: ${halfOpen.join(', ')}`);
    assert.equal((await sessions('established')) - established, 11);
    assert.equal(await sessions('half-open'), 0);
    assert.ok((await heard()) - heardBefore > 15_000, 'most of them have not arrived');
    const growth = ((await metric('process_resident_memory_bytes')) - resident) / megabyte;
    process.stdout.write(
      `the gate has grown by ${growth.toFixed(1)} MB; handshakes in progress: ${halfOpen.join(', ')}\n`,
    );
    assert.ok(growth < 64, `the gate has grown by ${growth.toFixed(1)} MB`);
  });
});
