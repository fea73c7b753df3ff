import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { askResponder } from '../src/ocsp-exchange.ts';

type Asked = { readonly method: string; readonly path: string; readonly type: string; readonly body: Buffer };

/** A responder that answers every question with what it was asked. */
async function responder(context: TestContext, mediaType = 'application/ocsp-response', status = 200) {
  const asked: Asked[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const body = Buffer.concat(await request.toArray());
    const { method = '', url: path = '', headers } = request;
    asked.push({ method, path, type: headers['content-type'] ?? '', body });
    response.writeHead(status, mediaType === '' ? {} : { 'content-type': mediaType }).end('answer');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `http://127.0.0.1:${address.port}/ocsp`, asked };
}

/** Its base64 has all characters that a path cannot hold as they are. */
const request = Buffer.from('30fffefb3f', 'hex');

describe('RFC 6960 appendix A: OCSP over HTTP', () => {
  test('a short question is asked by GET, its base64 escaped', async (context) => {
    const { url, asked } = await responder(context);
    const { method, response } = await askResponder({ url: `${url}/`, request });
    assert.deepEqual([method, response.toString()], ['GET', 'answer']);
    assert.equal(asked[0]?.path, '/ocsp/MP%2F%2B%2Bz8%3D');
  });

  test('a long one is asked by POST', async (context) => {
    const { url, asked } = await responder(context);
    const long = Buffer.alloc(200, 0xff);
    assert.equal((await askResponder({ url, request: long })).method, 'POST');
    assert.deepEqual(asked[0], { method: 'POST', path: '/ocsp', type: 'application/ocsp-request', body: long });
  });

  test('the person may choose', async (context) => {
    const { url, asked } = await responder(context);
    await askResponder({ url, request, method: 'POST' });
    await askResponder({ url, request: Buffer.alloc(200), method: 'GET' });
    assert.deepEqual(
      asked.map(({ method }) => method),
      ['POST', 'GET'],
    );
  });

  test('a responder that fails is not taken for one that is none', async (context) => {
    const { url } = await responder(context, 'text/plain', 503);
    await assert.rejects(
      askResponder({ url, request }),
      (error: Error & { hint?: string }) =>
        /answered 503 with text\/plain/.test(error.message) && /later/.test(error.hint ?? ''),
    );
  });

  for (const mediaType of ['text/html', '']) {
    test(`what is no OCSP response is refused: '${mediaType}'`, async (context) => {
      const { url } = await responder(context, mediaType);
      await assert.rejects(askResponder({ url, request }), /answered 200.*, no OCSP response/);
    });
  }
});
