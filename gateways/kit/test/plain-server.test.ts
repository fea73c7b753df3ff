import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { BodyError } from '@gatehouse/gateway-kit/body';
import {
  answerLine,
  type PlainHandler,
  type PlainServer,
  type PlainServerOptions,
  startPlainServer,
} from '@gatehouse/gateway-kit/plain-server';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { createLog } from '@gatehouse/runtime/log';
import { connectPlain, get, parseAnswer, post } from './support/raw-client.ts';

const routes: PlainHandler = (incoming, outgoing, body) => {
  switch (incoming.url) {
    case '/body':
      return body === undefined
        ? answerLine(outgoing, 200, 'no body')
        : body.read(1_000).then(
            ({ length }) => answerLine(outgoing, 200, `read ${length}`),
            (error: unknown) => {
              if (!(error instanceof BodyError)) throw error;
              answerLine(outgoing, error.code === 'too-large' ? 413 : 400, error.code);
            },
          );
    case '/throw':
      throw new Error('a secret');
    case '/reject':
      return Promise.reject(new Error('a secret'));
    default:
      return answerLine(outgoing, 200, 'hello');
  }
};

async function withServer(
  body: (port: number, server: PlainServer) => Promise<void>,
  options: Partial<PlainServerOptions> = {},
): Promise<void> {
  const server = await startPlainServer({ host: '127.0.0.1', port: 0, handler: routes, log: silentLog, ...options });
  try {
    await body(server.address.port, server);
  } finally {
    await server.close(0);
  }
}

describe('plain HTTP: answers', () => {
  it('many on one connection, header and body in one read', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      for (let round = 0; round < 3; round++) {
        client.send(get('/'));
        const { status, body, headers } = parseAnswer(await client.read());
        assert.deepEqual([status, body], [200, 'hello\n']);
        assert.equal(headers.get('content-length'), '6');
      }
      client.destroy();
    });
  });

  it('in order to requests that came at once', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send(get('/') + post('/body', 'x'.repeat(7)) + get('/', 'Connection: close\r\n'));
      const all = await client.closed();
      assert.match(all, /hello\n.*read 7\n.*hello\n$/s);
    });
  });

  it('to HTTP/1.0 without Host', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send('GET / HTTP/1.0\r\n\r\n');
      assert.equal(parseAnswer(await client.closed()).status, 200);
    });
  });

  for (const path of ['/throw', '/reject']) {
    it(`${path}: a failure of the handler is logged, and says nothing about itself`, async () => {
      const lines: string[] = [];
      const log = createLog({ name: 'test', destination: { write: (line: string) => void lines.push(line) } });
      await withServer(
        async (port) => {
          const client = await connectPlain(port);
          client.send(get(path));
          const { status, body } = parseAnswer(await client.read());
          assert.deepEqual([status, body], [500, 'internal error\n']);
          assert.match(lines.join(), /a secret/);
          client.destroy();
        },
        { log },
      );
    });
  }
});

describe('plain HTTP: bodies', () => {
  it('with a length, in chunks, and none', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send(post('/body', 'hello'));
      assert.equal(parseAnswer(await client.read()).body, 'read 5\n');
      client.send(post('/body', '5\r\nhello\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'));
      assert.equal(parseAnswer(await client.read()).body, 'read 5\n');
      client.send(post('/body', ''));
      assert.equal(parseAnswer(await client.read()).body, 'no body\n');
      client.destroy();
    });
  });

  it('answers 413 to a length above the limit before any of the body came, and closes', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send(post('/body', '', 'Content-Length: 1001\r\n'));
      const { status, headers } = parseAnswer(await client.closed());
      assert.deepEqual([status, headers.get('connection')], [413, 'close']);
    });
  });

  it('closes after an answer that was given without reading the body', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n`);
      assert.equal(parseAnswer(await client.closed()).status, 200);
    });
  });

  it('RFC 9110 §10.1.1: permits a body only when it will be read', async () => {
    await withServer(async (port) => {
      const client = await connectPlain(port);
      client.send(post('/body', '', 'Expect: 100-continue\r\nContent-Length: 5\r\n'));
      assert.equal(await client.read(), 'HTTP/1.1 100 Continue\r\n\r\n');
      client.send('hello');
      assert.equal(parseAnswer(await client.read()).body, 'read 5\n');
      client.send(post('/body', '', 'Expect: 100-continue\r\nContent-Length: 5000\r\n'));
      assert.equal(parseAnswer(await client.read()).status, 413);
      client.destroy();
    });
  });
});

describe('plain HTTP: what is no request', () => {
  for (const [what, text, status] of [
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['two lengths', 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400],
    [
      'a length and chunks',
      'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['Host twice', 'GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 400],
    ['a header above 8 KiB', get('/', `X: ${'x'.repeat(9_000)}\r\n`), 400],
  ] as const) {
    it(`answers ${what} with ${status} and closes`, async () => {
      await withServer(async (port) => {
        const client = await connectPlain(port);
        client.send(text);
        const answer = parseAnswer(await client.closed());
        assert.equal(answer.status, status);
        assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
      });
    });
  }

  it('a header that does not come in time is answered with 408', async () => {
    await withServer(
      async (port) => {
        const client = await connectPlain(port);
        client.send('GET / HTTP/1.1\r\nHost:');
        assert.equal(parseAnswer(await client.closed()).status, 408);
      },
      { limits: { requestTimeoutMs: 300 } },
    );
  });

  it('an idle connection is closed', async () => {
    await withServer(
      async (port) => {
        const client = await connectPlain(port);
        client.send(get('/'));
        assert.equal(parseAnswer(await client.closed()).status, 200);
      },
      { limits: { idleTimeoutMs: 300 } },
    );
  });
});

describe('plain HTTP: connections of one address', () => {
  it('are refused above the limit, and dropped above twice that', async () => {
    let refused = 0;
    await withServer(
      async (port) => {
        const clients = [await connectPlain(port), await connectPlain(port)];
        clients[0]?.send(get('/'));
        assert.equal(parseAnswer((await clients[0]?.read()) ?? '').status, 200);
        clients[1]?.send(get('/'));
        const answer = parseAnswer((await clients[1]?.closed()) ?? '');
        assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '5']);
        clients.push(await connectPlain(port));
        const dropped = await connectPlain(port);
        assert.equal(await dropped.closed(), '');
        assert.equal(refused, 3);
        for (const client of clients) client.destroy();
      },
      { limits: { connectionsPerAddress: 1 }, metrics: { connectionRefused: () => void refused++ } },
    );
  });
});

describe('plain HTTP: the end', () => {
  it('finishes the answer under way, closes idle connections, and takes no new ones', async () => {
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const handler: PlainHandler = async (_, outgoing) => {
      begun.resolve();
      await release.promise;
      answerLine(outgoing, 200, 'late');
    };
    const server = await startPlainServer({ host: '127.0.0.1', port: 0, handler, log: silentLog });
    const [busy, idle] = [await connectPlain(server.address.port), await connectPlain(server.address.port)];
    busy.send(get('/'));
    await begun.promise;
    const closed = server.close();
    assert.equal(await idle.closed(), '');
    const refused = await connectPlain(server.address.port).then(
      () => false,
      () => true,
    );
    assert.equal(refused, true);
    release.resolve();
    const { status, headers } = parseAnswer(await busy.closed());
    assert.deepEqual([status, headers.get('connection')], [200, 'close']);
    await closed;
  });

  it('cuts what does not end in time', async () => {
    const begun = Promise.withResolvers<void>();
    const handler: PlainHandler = () => begun.resolve();
    const server = await startPlainServer({ host: '127.0.0.1', port: 0, handler, log: silentLog });
    const client = await connectPlain(server.address.port);
    client.send(get('/'));
    await begun.promise;
    const gone = once(client.socket, 'close');
    await server.close(100);
    await gone;
  });
});
