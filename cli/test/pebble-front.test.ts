// What stands between a test suite of an ACME client and the gate: a door that is open before the gate is up, and paths as
// Pebble writes them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { listen } from '@gatehouse/runtime/listen';
import fc from 'fast-check';
import { openFront } from '../src/pebble/front.ts';
import { pebblePaths } from '../src/pebble/paths.ts';

describe('acme.md §9: the door of the Pebble-compatible server', { timeout: 20_000 }, () => {
  it('takes connections before there is a server, and leads them to it with what they have said', async () => {
    const front = await openFront({ host: '127.0.0.1', port: 0 }, 'pebble.listenAddress');
    const early = connect({ ...front.address, allowHalfOpen: true });
    early.end('early');
    await once(early, 'connect');
    const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
    front.lead(await listen(echo, { host: '127.0.0.1', port: 0 }));
    assert.equal(await text(early), 'early');
    const late = connect({ ...front.address, allowHalfOpen: true });
    late.end('late');
    assert.equal(await text(late), 'late');
    await front.close();
    echo.close();
  });

  it('cuts those who still wait when it closes', async () => {
    const front = await openFront({ host: '127.0.0.1', port: 0 }, 'pebble.listenAddress');
    const waiting = connect(front.address);
    const closed = once(waiting, 'close');
    waiting.on('error', () => undefined);
    await once(waiting, 'connect');
    await front.close();
    await closed;
  });

  it('stands open on every address for the unspecified one, as in Go', async () => {
    const front = await openFront({ host: '0.0.0.0', port: 0 }, 'pebble.listenAddress');
    assert.ok(['::', '0.0.0.0'].includes(front.address.host));
    const caller = connect({ host: '127.0.0.1', port: front.address.port });
    await once(caller, 'connect');
    caller.on('error', () => undefined);
    await front.close();
  });
});

describe('acme.md §9: paths of Pebble', () => {
  it('are those that suites look for, with nothing but word characters for ids', () => {
    assert.equal(pebblePaths.write('/directory'), '/dir');
    assert.match(pebblePaths.write('/acme/certificate/8s-_'), /^\/certZ\/\w+$/);
    assert.match(pebblePaths.write('/acme/certificate/8s-_/2'), /^\/certZ\/\w+\/alternate\/2$/);
    assert.match(pebblePaths.write('/acme/account/ab/orders'), /^\/list-orderz\/\w+$/);
  });

  it('are read back as they were', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/);
    const path = fc
      .tuple(
        fc.constantFrom(
          'account/ID',
          'account/ID/orders',
          'order/ID',
          'order/ID/finalize',
          'authz/ID',
          'challenge/ID/x',
        ),
        id,
      )
      .map(([form, value]) => `/acme/${form.replace('ID', value)}`);
    fc.assert(fc.property(path, (ours) => assert.equal(pebblePaths.read(pebblePaths.write(ours)), ours)));
  });

  it('that are none stand as they are', () => {
    for (const path of ['/', '/acme/new-authz', '/certZ/', '/certZ/xyz', '/certZ/abc']) {
      assert.equal(pebblePaths.read(path), path);
    }
  });
});
