import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { download, fetchOctets } from '../src/http.ts';
import { freePort } from './faults/support/data-directory.ts';

/** Answers as told; the URL of it. */
async function listen(context: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

describe('what is fetched', () => {
  test('comes with its status and media type, without parameters', async (context) => {
    const url = await listen(context, (_request, response) => {
      response.writeHead(404, { 'content-type': 'Text/Plain; charset=utf-8' }).end('no');
    });
    const fetched = await fetchOctets(url, { maximumOctets: 100 });
    assert.deepEqual([fetched.status, fetched.mediaType, fetched.octets.toString()], [404, 'text/plain', 'no']);
    await assert.rejects(download(url, { maximumOctets: 100 }), /it answered 404/);
  });

  test('is sent by POST when there is something to send', async (context) => {
    const url = await listen(context, (request, response) => {
      response.setHeader('x-method', request.method ?? '');
      request.pipe(response);
    });
    const { octets } = await fetchOctets(url, { maximumOctets: 100, body: Buffer.from('a question') });
    assert.equal(octets.toString(), 'a question');
  });

  test('is refused when it is larger than it may be', async (context) => {
    const url = await listen(context, (_request, response) => void response.end(Buffer.alloc(101)));
    await assert.rejects(fetchOctets(url, { maximumOctets: 100 }), /sends more than 100 octets/);
    assert.equal((await fetchOctets(url, { maximumOctets: 101 })).octets.length, 101);
  });

  test('is not waited for any longer than told', async (context) => {
    const url = await listen(context, () => undefined);
    await assert.rejects(fetchOctets(url, { maximumOctets: 1, timeoutMs: 50 }), /no answer within 0\.05 s/);
  });

  test('is fetched over http and https alone', async () => {
    for (const url of ['file:///etc/passwd', 'ldap://example.com/x', 'nonsense']) {
      await assert.rejects(fetchOctets(url, { maximumOctets: 1 }), /no http or https URL/);
    }
  });

  test('names the cause when nobody listens, and cuts a long URL', async () => {
    const url = `http://127.0.0.1:${await freePort()}/${'x'.repeat(500)}`;
    await assert.rejects(fetchOctets(url, { maximumOctets: 1 }), /cannot fetch http:.*…: .*ECONNREFUSED/);
  });
});
