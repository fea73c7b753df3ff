import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { zone } from './support/dns-server.ts';
import { answer, type HttpHandler, redirect, startHttpServer } from './support/http-server.ts';
import { controlRequest, createParts, farDeadline, keyAuthorization } from './support/looking.ts';

const here = zone({ 'a.test': { A: ['127.0.0.1'] } });

async function look(t: TestContext, handler: HttpHandler, methodMs = 400) {
  const server = await startHttpServer(t, handler);
  const parts = await createParts(t, here, { httpPort: server.port, limits: { methodMs } });
  const started = performance.now();
  const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
  return { finding, ms: performance.now() - started };
}

/** Writes one octet at a time, as long as anybody listens. */
function drip(socket: Socket, text: string): undefined {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) return clearInterval(timer);
    socket.write(text[at++ % text.length] ?? '');
  }, 20);
  socket.on('close', () => clearInterval(timer));
}

function pour(socket: Socket, text: string): undefined {
  const more = () => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

describe('mpic.md §6: a hostile HTTP server', () => {
  it('that sends one octet at a time is left at the deadline', async (t) => {
    const body = await look(t, (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      return drip(socket, 'x');
    });
    const head = await look(t, (_, socket) =>
      drip(socket, 'HTTP/1.1 200 OK\r\nx-long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),
    );
    for (const { finding, ms } of [body, head]) {
      assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
      assert.match(finding.problem?.detail ?? '', /time-out$/);
      assert.ok(ms < 5000, `${ms}`);
    }
  });

  it('that says nothing is left at the deadline', async (t) => {
    const { finding, ms } = await look(t, () => undefined);
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
    assert.ok(ms < 5000);
  });

  it('that never ends the body is left after the first KiB', async (t) => {
    const { finding, ms } = await look(
      t,
      (_, socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        return pour(socket, keyAuthorization.padEnd(4096));
      },
      20_000,
    );
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'incorrectResponse']);
    assert.match(finding.problem?.detail ?? '', /more than 1024 octets/);
    assert.ok(ms < 5000);
  });

  it('that never ends the headers is left after 16 KiB', async (t) => {
    const { finding, ms } = await look(
      t,
      (_, socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        return pour(socket, `x-more: ${'a'.repeat(1000)}\r\n`);
      },
      20_000,
    );
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
    assert.ok(ms < 5000);
  });

  it('that never ends its informational answers is left at the deadline', async (t) => {
    const { finding, ms } = await look(t, (_, socket) => pour(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n'));
    assert.equal(finding.result, 'error');
    assert.ok(ms < 5000);
  });

  it('that closes or resets the connection is an error', async (t) => {
    const closing: readonly HttpHandler[] = [
      (_, socket) => void socket.end(),
      (_, socket) => void socket.destroy(),
      (_, socket) => void socket.resetAndDestroy(),
      (_, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nhalf'),
      (_, socket) => void socket.end('HTTP/1.1 2'),
    ];
    for (const handler of closing) {
      const { finding } = await look(t, handler, 5000);
      assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
    }
  });

  it('that closes its half before it has answered is an error', async (t) => {
    const { finding } = await look(t, (_, socket) => void socket.end(''), 5000);
    assert.equal(finding.result, 'error');
  });

  it('that speaks something else is an error', async (t) => {
    for (const text of [
      'SSH-2.0-OpenSSH_9.2\r\n',
      '220 mail.test ESMTP\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      `${keyAuthorization}\n`,
      '\u0016\u0003\u0001',
    ]) {
      const { finding } = await look(t, () => text, 5000);
      assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection'], text);
    }
  });

  it('whose lengths contradict each other proves nothing', async (t) => {
    const text = `HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: ${keyAuthorization.length}\r\n\r\n${keyAuthorization}`;
    assert.notEqual((await look(t, () => text)).finding.result, 'pass');
  });

  it('that compresses without being asked proves nothing', async (t) => {
    const { finding } = await look(t, () => answer(200, 'x\u009c', { 'content-encoding': 'deflate' }));
    assert.equal(finding.result, 'fail');
  });

  it('that redirects slowly has one time limit for all hops', async (t) => {
    let hops = 0;
    const { finding, ms } = await look(t, (_, socket) => {
      setTimeout(() => socket.end(redirect(`/${++hops}`)), 150);
      return undefined;
    });
    assert.equal(finding.result, 'error');
    assert.ok(ms < 5000 && hops < 6);
  });

  it('is not looked at when the deadline has passed', async (t) => {
    const server = await startHttpServer(t, () => answer(200, keyAuthorization));
    const parts = await createParts(t, here, { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), new Date(0));
    assert.equal(finding.result, 'error');
    assert.equal(server.requests.length, 0);
  });

  it('is judged, never obeyed, whatever its octets are', async (t) => {
    let response = Buffer.alloc(0);
    const server = await startHttpServer(t, () => response);
    const parts = await createParts(t, here, { httpPort: server.port, limits: { methodMs: 1000 } });
    const piece = fc.constantFrom(
      'HTTP/1.1 ',
      '200',
      '302',
      ' OK\r\n',
      'location: http://10.0.0.1/\r\n',
      'content-length: 3\r\n',
      'transfer-encoding: chunked\r\n',
      '\r\n',
      '\r\n\r\n',
      'ffffffff\r\n',
      '0\r\n\r\n',
      '\u0000',
      keyAuthorization.slice(0, 20),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 12 }).map((list) => list.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (one) => {
        response = Buffer.from(one, 'latin1');
        const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
        assert.notEqual(finding.result, 'pass');
        assert.notEqual(finding.problem?.type, 'serverInternal');
      }),
      { numRuns: 150 },
    );
  });
});
