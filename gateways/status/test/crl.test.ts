import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { withGate } from './support/http.ts';
import { putCrl } from './support/state.ts';

const noon = new Date('2026-06-01T12:00:00Z');
const midnight = new Date('2026-06-02T00:00:00Z');
const times = { thisUpdate: noon, nextUpdate: midnight };
const clock = createManualClock(new Date('2026-06-01T13:00:00Z'));
const path = '/crl/issuing-1.crl';
const large = 3_000_000;

describe('RFC 5280 §4.2.1.13: CRLs over HTTP', () => {
  for (const [what, padding] of [
    ['a small one', 0],
    ['one that is streamed', large],
  ] as const) {
    it(`${what}, with what caches need`, async () => {
      await withGate({ clock }, async ({ state, send, counted }) => {
        const octets = putCrl(state, { ...times, padding });
        const { status, headers, body } = await send(path);
        assert.equal(status, 200);
        assert.deepEqual(body, octets);
        assert.equal(headers['content-type'], 'application/pkix-crl');
        assert.equal(Number(headers['content-length']), octets.length);
        assert.equal(headers['last-modified'], 'Mon, 01 Jun 2026 12:00:00 GMT');
        assert.equal(headers.expires, 'Tue, 02 Jun 2026 00:00:00 GMT');
        assert.equal(headers['cache-control'], 'public, max-age=3600, no-transform, must-revalidate');
        assert.equal(headers['accept-ranges'], 'bytes');
        assert.match(String(headers.etag), /^"[\w-]{22}"$/);
        assert.deepEqual(counted, ['crl sent']);
      });
    });

    it(`${what}: HEAD, and 304 for who has it`, async () => {
      await withGate({ clock }, async ({ state, send }) => {
        const octets = putCrl(state, { ...times, padding });
        const head = await send(path, { method: 'HEAD' });
        assert.deepEqual([head.status, Number(head.headers['content-length'])], [200, octets.length]);
        assert.equal(head.body.length, 0);
        const { headers } = await send(path, { headers: { 'if-none-match': String(head.headers.etag) } });
        assert.equal(headers['cache-control'], 'public, max-age=3600, no-transform, must-revalidate');
        for (const [field, value, status] of [
          ['if-none-match', head.headers.etag, 304],
          ['if-none-match', '"x"', 200],
          ['if-modified-since', head.headers['last-modified'], 304],
          ['if-modified-since', 'Mon, 01 Jun 2026 11:59:59 GMT', 200],
          ['if-match', '"x"', 412],
        ] as const) {
          assert.equal((await send(path, { headers: { [field]: String(value) } })).status, status, field);
        }
      });
    });

    it(`${what}: RFC 9110 §14 ranges`, async () => {
      await withGate({ clock }, async ({ state, send }) => {
        const octets = putCrl(state, { ...times, padding });
        const size = octets.length;
        const part = await send(path, { headers: { range: 'bytes=10-19' } });
        assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 10-19/${size}`]);
        assert.deepEqual(part.body, octets.subarray(10, 20));
        const rest = await send(path, { headers: { range: `bytes=${size - 5}-` } });
        assert.deepEqual(rest.body, octets.subarray(size - 5));
        const last = await send(path, { headers: { range: 'bytes=-7' } });
        assert.deepEqual(last.body, octets.subarray(size - 7));
        const behind = await send(path, { headers: { range: `bytes=${size}-` } });
        assert.deepEqual([behind.status, behind.headers['content-range']], [416, `bytes */${size}`]);
        assert.equal((await send(path, { headers: { range: 'bytes=0-1,5-6' } })).status, 200);
        assert.equal((await send(path, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status, 200);
        const current = { range: 'bytes=0-1', 'if-range': String(part.headers.etag) };
        assert.equal((await send(path, { headers: current })).status, 206);
      });
    });
  }

  it('deltas have names of their own', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      const full = putCrl(state, { ...times, crlNumber: 7 });
      const delta = putCrl(state, { ...times, crlNumber: 8, isDelta: true, padding: 5 });
      assert.deepEqual((await send(path)).body, full);
      assert.deepEqual((await send('/crl/issuing-1-delta.crl')).body, delta);
    });
  });

  it('what is not published is 404, what is published and not here yet is 503 with Retry-After', async () => {
    await withGate({ clock }, async ({ send }) => {
      for (const name of ['nothing', 'issuing-2', 'root-delta', 'delta', '-delta', 'issuing-1-delta-delta']) {
        assert.equal((await send(`/crl/${name}.crl`)).status, 404, name);
      }
      for (const name of ['issuing', 'issuing-delta', 'issuing-1', 'root']) {
        const { status, headers } = await send(`/crl/${name}.crl`);
        assert.deepEqual([status, headers['retry-after'], headers['cache-control']], [503, '5', 'no-store'], name);
      }
    });
    await withGate({ published: 'nothing' }, async ({ send }) => {
      assert.equal((await send('/crl/whatever.crl')).status, 503);
    });
  });

  it('§5.1.2.5: a CRL past its nextUpdate is not served: 503, and no cache keeps that', async () => {
    const own = createManualClock(new Date(midnight.getTime() - 1));
    await withGate({ clock: own }, async ({ state, send, counted }) => {
      putCrl(state, times);
      assert.equal((await send(path)).status, 200);
      own.set(midnight);
      const { status, headers, body } = await send(path);
      assert.deepEqual([status, headers['retry-after'], headers['cache-control']], [503, '5', 'no-store']);
      assert.match(body.toString(), /nextUpdate/);
      assert.equal(counted.at(-1), 'crl over');
    });
  });

  it('methods that change something are 405', async () => {
    await withGate({ clock }, async ({ send }) => {
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const { status, headers } = await send(path, { method, body: 'x' });
        assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
      }
    });
  });
});

describe('CRLs while they change', () => {
  it('a download ends with the CRL that it began with', async () => {
    await withGate({ clock }, async ({ state, server }) => {
      const octets = putCrl(state, { ...times, padding: large });
      const chunks: Buffer[] = [];
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const outgoing = request({ host: '127.0.0.1', port: server.address.port, path }, (answer) => {
        answer.once('data', () => putCrl(state, { ...times, crlNumber: 8 }));
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', resolve).on('error', reject);
      });
      outgoing.on('error', reject).end();
      await promise;
      assert.deepEqual(Buffer.concat(chunks), octets);
    });
  });

  it('large ones are sent to no more than a number of clients at once; what is small goes on', async () => {
    await withGate({ clock, configuration: { downloads: 1 } }, async ({ state, server, send }) => {
      putCrl(state, { ...times, padding: 30_000_000 });
      putCrl(state, { ...times, scope: 'issuing' });
      const begun = Promise.withResolvers<void>();
      const slow = request({ host: '127.0.0.1', port: server.address.port, path }, (answer) => {
        answer.pause();
        begun.resolve();
      });
      slow.on('error', () => {});
      slow.end();
      await begun.promise;
      assert.equal((await send(path)).status, 503);
      assert.equal((await send(path, { method: 'HEAD' })).status, 200);
      assert.equal((await send('/crl/issuing.crl')).status, 200);
      slow.destroy();
      while ((await send(path, { headers: { range: 'bytes=0-0' } })).status === 503);
    });
  });

  it('a CRL of the same second as the one before is seen also by who asks by date', async () => {
    await withGate({ clock }, async ({ state, send }) => {
      putCrl(state, { ...times, crlNumber: 7 });
      const { headers } = await send(path);
      putCrl(state, { ...times, crlNumber: 8, padding: 3 });
      const condition = { 'if-modified-since': String(headers['last-modified']) };
      assert.equal((await send(path, { headers: condition })).status, 200);
    });
  });
});
