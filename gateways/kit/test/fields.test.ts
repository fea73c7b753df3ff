import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw, get } from './support/raw-client.ts';
import { startTestServer } from './support/test-server.ts';

const problem = (status: number, line: string) => ({
  contentType: 'application/problem+json',
  body: JSON.stringify({ detail: line, status }),
});

describe('RFC 9110 §5: fields of requests and answers', () => {
  it('of several lines are sent as such, beside those of the response', async () => {
    const server = await startTestServer({}, (app) =>
      app.get('/links', ({ env }) => {
        env.exchange.sendLines('link', ['<a>;rel="x"', '<b>;rel="y"']);
        return new Response('ok', { headers: { 'content-type': 'text/plain', 'x-more': '1' } });
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(get('/links'));
    const answer = await client.read();
    assert.match(answer, /\r\nlink: <a>;rel="x"\r\nlink: <b>;rel="y"\r\n/i);
    assert.match(answer, /\r\nx-more: 1\r\n/i);
    assert.match(answer, /\r\ncontent-length: 2\r\n/i);
    client.destroy();
    await server.close();
  });

  it('of a request are read without the web API', async () => {
    const server = await startTestServer({}, (app) =>
      app.all('/fields', ({ env }) => {
        const { exchange } = env;
        return new Response([exchange.method, exchange.header('x-one'), exchange.header('x-two')].join('|'));
      }),
    );
    const client = await connectRaw(server.address.port);
    client.send(get('/fields', 'X-One: a\r\nX-One: b\r\n'));
    assert.match(await client.read(), /\r\n\r\nGET\|a, b\|$/);
    client.destroy();
    await server.close();
  });
});

describe('RFC 9112 §2.2: refusals of the transport', () => {
  it('have the form that the gate gives them', async () => {
    const server = await startTestServer({ refusalForm: problem, limits: { connectionsPerAddress: 1 } });
    const client = await connectRaw(server.address.port);
    const second = await connectRaw(server.address.port);
    second.send(get('/octets/1'));
    assert.match(await second.closed(), /^HTTP\/1\.1 429 .*application\/problem\+json.*"status":429\}$/s);
    client.send('nonsense\r\n\r\n');
    assert.match(
      await client.closed(),
      /^HTTP\/1\.1 400 .*application\/problem\+json.*\{"detail":"bad request","status":400\}$/s,
    );
    await server.close();
  });
});
