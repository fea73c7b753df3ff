import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { textAnswer } from '@gatehouse/gateway-kit/answer';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { connectRaw, get, parseAnswer, post } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

describe('EST requirements §3: how answers leave', () => {
  for (const [path, length] of [
    ['/octets/0', 0],
    ['/octets/1', 1],
    ['/octets/1500', 1_500],
    ['/octets/9000', 9_000],
    ['/bytes/9000', 9_000],
    ['/late', 4],
  ] as const) {
    it(`${path}: header and body arrive in one read, with exact Content-Length, unchunked`, async () => {
      const server = await startTestServer();
      const client = await connectRaw(server.address.port);
      for (let round = 0; round < 3; round++) {
        client.send(get(path));
        const { status, headers, head, body } = parseAnswer(await client.read());
        assert.equal(status, 200);
        assert.equal(body.length, length);
        assert.equal(headers.get('content-length'), String(length));
        assert.equal(headers.has('transfer-encoding'), false);
        assert.ok(head.length < 300, `the header has ${head.length} octets`);
      }
      client.destroy();
      await server.close();
    });
  }

  it('an answer that fits into one TLS record is sent as one', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(get('/octets/16000'));
    const { body } = parseAnswer(await client.read());
    assert.equal(body.length, 16_000);
    client.destroy();
    await server.close();
  });

  it('an answer without a body has no Content-Length of a body', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(get('/nothing'));
    const { status, body, headers } = parseAnswer(await client.read());
    assert.deepEqual([status, body, headers.has('transfer-encoding')], [204, '', false]);
    client.destroy();
    await server.close();
  });

  it('a failure of a handler says nothing about itself', async () => {
    const server = await startTestServer({}, (app) => app.onError(() => textAnswer(500, 'internal error')));
    const client = await connectRaw(server.address.port);
    client.send(get('/throw'));
    const { status, body } = parseAnswer(await client.read());
    assert.deepEqual([status, body], [500, 'internal error\n']);
    client.destroy();
    await server.close();
  });
});

describe('EST requirements §5: bodies', () => {
  it('reads a body with a length, and one in chunks', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(post('/body', 'hello'));
    assert.equal(parseAnswer(await client.read()).body, 'read 5\n');
    client.send(post('/body', '5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'));
    assert.equal(parseAnswer(await client.read()).body, 'read 8\n');
    client.send(post('/body', 'x'.repeat(1_000)));
    assert.equal(parseAnswer(await client.read()).body, 'read 1000\n');
    client.destroy();
    await server.close();
  });

  it('answers 413 to a declared length above the limit before any of the body came, and closes', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(post('/body', '', 'Content-Length: 1001\r\n'));
    const { status, headers } = parseAnswer(await client.closed());
    assert.deepEqual([status, headers.get('connection')], [413, 'close']);
    await server.close();
  });

  it('answers 413 to chunks above the limit as soon as they are, and closes', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(post('/body', `3e9\r\n${'x'.repeat(1_001)}\r\n`, 'Transfer-Encoding: chunked\r\n'));
    const { status, headers } = parseAnswer(await client.read());
    assert.deepEqual([status, headers.get('connection')], [413, 'close']);
    client.destroy();
    await server.close(0);
  });

  it('does not read the rest of a body that was refused, and still delivers the answer', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    const rest = Buffer.alloc(32_000_000);
    client.send(post('/body', '', `Content-Length: ${rest.length}\r\n`));
    const written = new Promise((resolve) => client.socket.write(rest, resolve));
    assert.equal(parseAnswer(await client.closed()).status, 413);
    assert.ok((await written) instanceof Error, 'the whole body was taken from the sender');
    await server.close();
  });

  it('closes the connection when an answer was given without reading the body', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(post('/ignore', '', 'Content-Length: 10\r\n'));
    assert.equal(parseAnswer(await client.closed()).status, 200);
    await server.close();
  });

  it('RFC 9110 §10.1.1: permits a body only when it will be read', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port);
    client.send(post('/body', '', 'Expect: 100-continue\r\nContent-Length: 5\r\n'));
    assert.equal(await client.read(), 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    assert.equal(parseAnswer(await client.read()).body, 'read 5\n');
    client.send(post('/body', '', 'Expect: 100-continue\r\nContent-Length: 5000\r\n'));
    assert.equal(parseAnswer(await client.read()).status, 413);
    await client.closed();
    await server.close();
  });

  it('closes a connection whose body does not come in time', async () => {
    const server = await startTestServer({ limits: { requestTimeoutMs: 400 } });
    const client = await connectRaw(server.address.port);
    client.send(post('/body', 'he', 'Content-Length: 5\r\n'));
    await client.closed();
    await server.close();
  });

  it('closes a connection whose header does not come in time, with 408', async () => {
    const server = await startTestServer({ limits: { requestTimeoutMs: 400 } });
    const client = await connectRaw(server.address.port);
    client.send('GET /late HTTP/1.1\r\nHost: loc');
    assert.equal(parseAnswer(await client.closed()).status, 408);
    await server.close();
  });
});

describe('EST requirements §5: framing', () => {
  const broken: readonly (readonly [title: string, request: string])[] = [
    ['two Content-Length headers', post('/body', 'hello', 'Content-Length: 5\r\nContent-Length: 5\r\n')],
    ['two Content-Length headers that differ', post('/body', 'hello', 'Content-Length: 5\r\nContent-Length: 4\r\n')],
    ['a list in Content-Length', post('/body', 'hello', 'Content-Length: 5, 5\r\n')],
    ['a signed Content-Length', post('/body', 'hello', 'Content-Length: +5\r\n')],
    ['a hexadecimal Content-Length', post('/body', 'hello', 'Content-Length: 0x5\r\n')],
    [
      'Content-Length beside Transfer-Encoding',
      post('/body', '0\r\n\r\n', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
    ],
    [
      'Transfer-Encoding beside Content-Length',
      post('/body', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'),
    ],
    ['an unknown last transfer coding', post('/body', 'hello', 'Transfer-Encoding: chunked, identity\r\n')],
    ['a space before the colon', post('/body', 'hello', 'Content-Length : 5\r\n')],
    ['a folded header', post('/body', 'hello', 'Content-Length: 5\r\nX: a\r\n b\r\n')],
    ['a bare line feed in the header', 'GET /late HTTP/1.1\nHost: localhost\n\n'],
    ['a bare carriage return in the header', 'GET /late HTTP/1.1\r\nHost: localhost\r\nX: a\rY: b\r\n\r\n'],
    ['a broken chunk size', post('/body', 'zz\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n')],
    ['a header above 8 KiB', get('/late', `X: ${'x'.repeat(9_000)}\r\n`)],
    ['no HTTP at all', '\x16\x03\x01\x02\x00hello\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/3.7\r\nHost: localhost\r\n\r\n'],
    ['NUL in a header', get('/late', 'X: a\x00b\r\n')],
    ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ];
  for (const [title, request] of broken) {
    it(`answers 400 in one line and closes: ${title}`, async () => {
      const server = await startTestServer();
      const client = await connectRaw(server.address.port);
      client.send(request);
      const { status, headers, body } = parseAnswer(await client.read());
      assert.equal(status, 400);
      assert.equal(headers.get('connection')?.toLowerCase(), 'close');
      assert.match(headers.get('content-type') ?? '', /^text\/plain/);
      assert.equal(headers.get('content-length'), String(body.length));
      assert.match(body, /^[^\n]+\n$/);
      client.destroy();
      await server.close(0);
    });
  }

  for (const [title, request] of [
    ['no Host', 'GET /late HTTP/1.1\r\n\r\n'],
    ['Host twice', 'GET /late HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'],
    ['a Host that is none', 'GET /late HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a Host with a path', 'GET /late HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ] as const) {
    it(`answers 400: ${title}`, async () => {
      const server = await startTestServer();
      const client = await connectRaw(server.address.port);
      client.send(request);
      const { status, body } = parseAnswer(await client.read());
      assert.deepEqual([status, body], [400, 'bad request\n']);
      client.destroy();
      await server.close();
    });
  }

  it('does not answer broken framing in the middle of another answer', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const server = await startTestServer({}, (app) =>
      app.get('/slow', async () => {
        started.resolve();
        await gate.promise;
        return textAnswer(200, 'slow');
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(`${get('/slow')}garbage\r\n\r\n`);
    await started.promise;
    const received = client.closed();
    gate.resolve();
    assert.equal(await received, '');
    await server.close();
  });
});

describe('EST requirements §5: idle and too many connections', () => {
  it('closes an idle connection', async () => {
    const server = await startTestServer({ limits: { idleTimeoutMs: 400 } });
    const client = await connectRaw(server.address.port);
    assert.equal(await client.closed(), '');
    await server.close();
  });

  for (const [title, bytes] of [
    ['silent', ''],
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['garbage', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'],
    ['half a handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ] as const) {
    it(`closes a connection that makes no TLS handshake: ${title}`, async () => {
      const server = await startTestServer({ limits: { handshakeTimeoutMs: 50 } });
      const socket = connect(server.address.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes, 'latin1');
      await once(socket, 'close');
      await server.close();
    });
  }

  it('answers 429 with Retry-After above the limit of one address, and serves again below it', async () => {
    const server = await startTestServer({ limits: { connectionsPerAddress: 2 } });
    const first = await connectRaw(server.address.port);
    const second = await connectRaw(server.address.port);
    const third = await connectRaw(server.address.port);
    third.send(get('/late'));
    const { status, headers } = parseAnswer(await third.closed());
    assert.equal(status, 429);
    assert.match(headers.get('retry-after') ?? '', /^[1-9][0-9]*$/);
    first.send(get('/late'));
    assert.equal(parseAnswer(await first.read()).status, 200);
    first.destroy();
    second.send(get('/late', 'Connection: close\r\n'));
    await second.closed();
    const fourth = await connectRaw(server.address.port);
    fourth.send(get('/late'));
    assert.equal(parseAnswer(await fourth.read()).status, 200);
    fourth.destroy();
    await server.close();
  });

  it('closes connections above twice the limit before their handshake', async () => {
    const server = await startTestServer({ limits: { connectionsPerAddress: 1 } });
    const open = [await connectRaw(server.address.port), await connectRaw(server.address.port)];
    await assert.rejects(connectRaw(server.address.port));
    for (const client of open) client.destroy();
    await server.close();
  });
});

describe('Issue 2 §4: the end of a listener', () => {
  it('lets requests in progress end, closes idle connections, takes no new ones', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const server = await startTestServer({}, (app) =>
      app.get('/slow', async () => {
        started.resolve();
        await gate.promise;
        return textAnswer(200, 'slow');
      }),
    );
    const idle = await connectRaw(server.address.port);
    idle.send(get('/late'));
    await idle.read();
    const busy = await connectRaw(server.address.port);
    busy.send(get('/slow'));
    await started.promise;
    const closed = server.close();
    await idle.closed();
    await assert.rejects(connectRaw(server.address.port));
    gate.resolve();
    const { status, headers } = parseAnswer(await busy.closed());
    assert.deepEqual([status, headers.get('connection')], [200, 'close']);
    await closed;
  });

  it('gives up on a request that does not end', async () => {
    const started = Promise.withResolvers<void>();
    const server = await startTestServer({}, (app) =>
      app.get('/never', () => {
        started.resolve();
        return new Promise<Response>(() => {});
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(get('/never'));
    await started.promise;
    await server.close(20);
    await client.closed();
  });
});

describe('EST requirements §9: what is known about each request', () => {
  it('is one log line with id, status, octets, connection and outcome; never the query', async () => {
    const lines: Record<string, unknown>[] = [];
    const logged = Promise.withResolvers<void>();
    const log = silentLog.child({});
    log.info = (line: unknown) => {
      lines.push(line as Record<string, unknown>);
      logged.resolve();
    };
    const server = await startTestServer({ log }, (app) =>
      app.get('/noted', (c) => {
        c.env.exchange.note({ outcome: 'issued', serialNumber: '01' });
        return textAnswer(200, 'noted');
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(get('/noted?password=secret'));
    const octets = (await client.read()).length;
    await logged.promise;
    const [line] = lines;
    assert.match(String(line?.requestId), /^[0-9A-Z]{26}$/);
    assert.deepEqual(
      { ...line, requestId: '', durationMs: 0 },
      {
        requestId: '',
        method: 'GET',
        path: '/noted',
        status: 200,
        octets,
        durationMs: 0,
        address: '127.0.0.1',
        tls: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        outcome: 'issued',
        serialNumber: '01',
      },
    );
    client.destroy();
    await server.close();
  });

  it('tells a handler that its answer could not be delivered', async () => {
    const undelivered = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const server = await startTestServer({}, (app) =>
      app.get('/slow', async (c) => {
        c.env.exchange.onUndelivered(() => undelivered.resolve());
        started.resolve();
        await gate.promise;
        return textAnswer(200, 'too late');
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(get('/slow'));
    await started.promise;
    client.destroy();
    await undelivered.promise;
    gate.resolve();
    await server.close();
  });
});
