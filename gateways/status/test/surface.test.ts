import assert from 'node:assert/strict';
import { Agent, request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ocspPath, ocspPost, ocspRequest, sendTo, withGate } from './support/http.ts';
import { putCrl, take } from './support/state.ts';

const statuses = new Set([200, 206, 304, 400, 404, 405, 412, 413, 414, 415, 416, 503]);
const fieldNames = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'content-type',
  'accept',
  'expect',
];

const path = fc.oneof(
  fc.webPath().map((text) => `/${text}`),
  fc.webPath().map((text) => `/ocsp/${text}`),
  fc.webPath().map((text) => `/crl/${text}`),
  fc.constantFrom('/', '/ocsp', '/ocsp/', '/chain.pem', '/issuer/issuing.crt', '/crl/issuing-1.crl', ocspPath()),
  fc.base64String({ maxLength: 3_000 }).map((text) => `/ocsp/${encodeURIComponent(text)}`),
);
const headers = fc.dictionary(fc.constantFrom(...fieldNames), fc.stringMatching(/^[\x20-\x7e]{0,60}$/), { maxKeys: 3 });
const body = fc.oneof(fc.uint8Array({ maxLength: 3_000 }), fc.constant(new Uint8Array(ocspRequest())));

/** One octet of a good request is another. */
const damaged = fc.record({ at: fc.nat(), value: fc.nat({ max: 255 }) }).map(({ at, value }) => {
  const request = ocspRequest(['0a01', '0a02'], { nonce: Buffer.alloc(8, 1) });
  request[at % request.length] = value;
  return request;
});

describe('RFC 9110: whatever is asked', () => {
  it('is answered with a status that was meant, without a word about the inside', async () => {
    await withGate({}, async ({ state, send }) => {
      take(state, [{}]);
      putCrl(state);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'),
          path,
          headers,
          fc.option(body, { nil: undefined }),
          async (method, target, fields, content) => {
            // A body that waits for permission is another matter.
            const { expect: _, ...rest } = fields;
            const isSent = content !== undefined && method !== 'GET' && method !== 'HEAD';
            const answer = await send(target, { method, headers: rest, ...(isSent ? { body: content } : {}) });
            assert.ok(statuses.has(answer.status), `${method} ${target}: ${answer.status}`);
            assert.doesNotMatch(answer.body.toString('latin1'), /Error|node:|\bat \//);
          },
        ),
        { numRuns: 400 },
      );
    });
  });

  it('a request with a wrong octet gets an OCSPResponse', async () => {
    await withGate({}, async ({ state, send }) => {
      take(state, [{}]);
      await fc.assert(
        fc.asyncProperty(damaged, async (request) => {
          const answer = await send('/ocsp', ocspPost(request));
          assert.equal(answer.status, 200);
          assert.equal(answer.headers['content-type'], 'application/ocsp-response');
          assert.equal(answer.body[0], 0x30);
        }),
        { numRuns: 300 },
      );
    });
  });
});

describe('RFC 9112 §9: connections', () => {
  it('stay open over answers of every kind', async () => {
    await withGate({}, async ({ state, server }) => {
      take(state, [{}]);
      putCrl(state);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ports = new Set<number>();
      for (const [method, target] of [
        ['GET', ocspPath()],
        ['POST', '/ocsp'],
        ['GET', '/crl/issuing-1.crl'],
        ['HEAD', '/crl/issuing-1.crl'],
        ['GET', '/nothing'],
        ['GET', '/ocsp/malformed'],
        ['GET', ocspPath()],
      ] as const) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const outgoing = sendRequest({ port: server.address.port, path: target, method, agent }, (answer) => {
          ports.add(answer.socket.localPort ?? 0);
          answer.resume().on('end', resolve);
        });
        outgoing.on('error', reject).end(method === 'POST' ? ocspRequest() : undefined);
        await promise;
      }
      agent.destroy();
      assert.equal(ports.size, 1);
    });
  });

  it('end after an answer that was given without reading the body', async () => {
    await withGate({}, async ({ server }) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      let text = '';
      const socket = connect(server.address.port, '127.0.0.1', () => {
        socket.write('POST /crl/issuing.crl HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
      });
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      socket.on('close', () => resolve(text));
      assert.match(await promise, /^HTTP\/1\.1 405 .*connection: close/is);
    });
  });

  it('§3.2: a target in absolute form is understood', async () => {
    await withGate({}, async ({ state, server }) => {
      take(state, [{}]);
      const answer = await sendTo(server.address.port, `http://ocsp.example${ocspPath()}`);
      assert.equal(answer.status, 200);
    });
  });
});
