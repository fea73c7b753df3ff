// Handshake flights as a network or an attacker may hand them over: lost, doubled, altered, cut, in another order. Whatever
// happens, no session is opened that is not the device's own, nothing stays behind, and the next honest client gets in.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connectDtls, type Transform } from '../../test-support/dtls-client.ts';
import { type EchoServer, startEcho } from '../../test-support/echo-server.ts';
import { contentTypes } from '../../test-support/records.ts';
import { hasComeTo, isEchoed } from './conversation.ts';

let server: EchoServer;
before(async () => {
  server = await startEcho();
});
after(() => server.close());

/** What happens to the datagram with this place in the order of one direction. */
type Accident =
  | { readonly kind: 'flip'; readonly at: number; readonly mask: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'extend'; readonly bytes: Uint8Array }
  | { readonly kind: 'lose' | 'double' | 'delay' };

// Places are parts of the whole, as nobody knows beforehand how long a datagram is.
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const harmless = fc.constantFrom<Accident>({ kind: 'lose' }, { kind: 'double' }, { kind: 'delay' });
const altering: fc.Arbitrary<Accident> = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: place, mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut'), at: place }),
  fc.record({ kind: fc.constant('extend'), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
);

/** By the place of the datagram that they happen to. */
function accidents(kinds: fc.Arbitrary<Accident>): fc.Arbitrary<ReadonlyMap<number, Accident>> {
  return fc
    .array(fc.tuple(fc.nat({ max: 7 }), kinds), { maxLength: 4 })
    .map((pairs): ReadonlyMap<number, Accident> => new Map(pairs));
}

function happen(plan: ReadonlyMap<number, Accident>): Transform {
  let index = 0;
  let delayed: Buffer[] = [];
  return (datagram) => {
    // What comes behind the handshake is not what is tested here.
    if (datagram[0] === contentTypes.applicationData || datagram[0] === contentTypes.alert) return [datagram];
    const accident = plan.get(index++);
    if (accident?.kind === 'delay') {
      delayed.push(datagram);
      return [];
    }
    const sent = [...damage(datagram, accident), ...delayed];
    delayed = [];
    return sent;
  };
}

function damage(datagram: Buffer, accident: Accident | undefined): Uint8Array[] {
  switch (accident?.kind) {
    case undefined:
    case 'delay':
      return [datagram];
    case 'lose':
      return [];
    case 'double':
      return [datagram, datagram];
    case 'extend':
      return [Buffer.concat([datagram, accident.bytes])];
    case 'cut':
      return [datagram.subarray(0, Math.floor(accident.at * datagram.length))];
    case 'flip': {
      const copy = Buffer.from(datagram);
      const at = Math.floor(accident.at * copy.length);
      copy[at] = (copy[at] ?? 0) ^ accident.mask;
      return [copy];
    }
  }
}

describe('RFC 6347 §4.2.4: flights that do not arrive as they were sent', () => {
  it('completes every handshake whose datagrams are lost, doubled or overtaken, once they come', async () => {
    const device = server.device();
    await fc.assert(
      fc.asyncProperty(accidents(harmless), accidents(harmless), async (out, back) => {
        const client = await connectDtls({
          ...device,
          transformOutgoing: happen(out),
          transformIncoming: happen(back),
          retransmitMs: 40,
          mtu: 512,
        });
        await isEchoed(client, 'hello');
        client.close();
      }),
      { seed: 6347, numRuns: 25, endOnFailure: true },
    );
  });

  it('opens no session but of the device whose flights they were, whatever is altered on the way', async () => {
    const device = server.device();
    await fc.assert(
      fc.asyncProperty(
        accidents(fc.oneof(altering, harmless)),
        accidents(fc.oneof(altering, harmless)),
        async (out, back) => {
          const closedBefore = server.closed.length;
          const openBefore = new Set([...server.transport.sessions()].map(({ id }) => id));
          const client = await connectDtls({
            ...device,
            transformOutgoing: happen(out),
            transformIncoming: happen(back),
            retransmitMs: 40,
            handshakeTimeoutMs: 600,
            mtu: 512,
          }).catch(() => undefined);
          const own = [...server.transport.sessions()].filter(({ peer }) => peer.port === client?.localPort);
          if (client !== undefined) {
            assert.deepEqual(
              own.map(({ clientFinished }) => Buffer.from(clientFinished)),
              [client.ownFinished],
            );
            client.close();
          }
          const closed = server.closed.slice(closedBefore).map(({ session }) => session);
          const opened = [...server.transport.sessions(), ...closed].filter(({ id }) => !openBefore.has(id));
          const certificates = opened.map(({ certificate }) => Buffer.from(certificate));
          assert.ok(certificates.every((each) => each.equals(device.certificate ?? Buffer.alloc(0))));
        },
      ),
      { seed: 4242, numRuns: 80, endOnFailure: true },
    );
    const honest = await connectDtls(device);
    await isEchoed(honest, 'still there');
    honest.close();
    await hasComeTo(() => [...server.transport.sessions()].every(({ peer }) => peer.port !== honest.localPort));
  });
});
