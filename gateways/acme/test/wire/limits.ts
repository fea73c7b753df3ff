import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { AcmeClient, newSigner } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { startGate } from '../support/gate.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

/** What is refused before anybody is asked who he is, and what strictness changes. */
export function describeLimits(front: () => Front): void {
  describe('RFC 8555 §6.6: limits of an address and of an account', () => {
    it('are a problem with Retry-After in seconds, and the connection ends', async () => {
      const { core } = front();
      const gate = await startGate({ core, acme: { limits: { address: { perSecond: 0.01, burst: 2 } } } });
      const client = new AcmeClient(gate);
      assertStatus(await client.send(gate.directory), 200);
      assertStatus(await client.send(gate.directory), 200);
      const read = await client.send(gate.directory);
      assertProblem(read, 429, 'rateLimited');
      assert.match(String(read.headers['retry-after']), /^[1-9]\d*$/);
      const written = await client.send(`${gate.url}/acme/new-order`, { body: '{}' });
      assertProblem(written, 429, 'rateLimited');
      assert.match(String(written.headers['replay-nonce']), /^[A-Za-z0-9_-]{44}$/);
      assert.equal(written.headers.connection, 'close');
      client.close();
      await gate.stop();
    });

    it('are beside those of an account', async () => {
      const { core } = front();
      const gate = await startGate({ core, acme: { limits: { requester: { perSecond: 0.01, burst: 2 } } } });
      const client = new AcmeClient(gate);
      const [account, other] = [await client.account(), await client.account()];
      for (let i = 0; i < 2; i++) assertStatus(await client.post(`${account.kid}`, undefined, account), 200);
      const answer = await client.post(`${account.kid}`, undefined, account);
      assert.match(assertProblem(answer, 429, 'rateLimited').detail, /from this account/);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      assertStatus(await client.post(`${other.kid}`, undefined, other), 200);
      client.close();
      await gate.stop();
    });

    it('count new accounts, say which limit it is, and link to more about it', async () => {
      const { core } = front();
      const rates = {
        enabled: true,
        accountsPerAddress: { count: 2, per: '3h' },
        help: 'https://ca.example.com/limits',
      };
      const gate = await startGate({ core, acme: { rates } });
      const client = new AcmeClient(gate);
      const { newAccount = '' } = await client.directory();
      const first = newSigner();
      assertStatus(await client.post(newAccount, {}, first), 201);
      assertStatus(await client.post(newAccount, {}, newSigner()), 201);
      const answer = await client.post(newAccount, {}, newSigner());
      assert.match(assertProblem(answer, 429, 'rateLimited').detail, /new accounts from 127\.0\.0\.1: 2 in 3h/);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      const links = answer.lines.filter(([name]) => name === 'link').map(([, value]) => value);
      assert.ok(links.includes('<https://ca.example.com/limits>;rel="help"'), links.join());
      assertStatus(await client.post(newAccount, {}, first), 200);
      client.close();
      await gate.stop();
    });
  });

  describe('RFC 8555 §6.7: refusals of the transport', () => {
    const sendRaw = async (text: string): Promise<string> => {
      const { gate } = front();
      const { hostname, port } = new URL(gate.url);
      const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', ca: gate.trustAnchor });
      await once(socket, 'secureConnect');
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1');
      });
      socket.write(text);
      await once(socket, 'close');
      return answer;
    };

    it('are problem documents too', async () => {
      const wrong = [
        'nonsense\r\n\r\n',
        `GET /directory HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`,
        'POST /acme/new-order HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
      ];
      for (const text of wrong) {
        const answer = await sendRaw(text);
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.match(answer, /content-type: application\/problem\+json/i);
        assert.match(answer, /"type":"urn:ietf:params:acme:error:malformed"/);
      }
    });
  });

  describe('strictness', () => {
    it('refuses what ACME has not known since its drafts', async () => {
      const { core, client: lenient, directory } = front();
      const gate = await startGate({ core, acme: { strict: true } });
      const client = new AcmeClient(gate);
      const payload = { resource: 'new-reg', termsOfServiceAgreed: true };
      const strict = await client.post((await client.directory()).newAccount ?? '', payload, newSigner());
      assertProblem(strict, 400, 'malformed');
      assertStatus(await lenient.post(directory.newAccount ?? '', payload, newSigner()), 201);
      client.close();
      await gate.stop();
    });
  });

  describe('seams for the test suites of clients', () => {
    it('spell paths otherwise, take any Host, and refuse nonces', async () => {
      const { core } = front();
      const spelling = { write: (path: string) => `/x${path}`, read: (path: string) => path.replace(/^\/x/, '') };
      const seams = { spelling, reflectsOrigin: true, refusesNonce: () => true };
      const gate = await startGate({ core, seams });
      const client = new AcmeClient(gate);
      const headers = { host: 'pebble.example:14000' };
      const directory = assertStatus(await client.send(gate.directory, { headers }), 200).json();
      assert.equal(directory.newOrder, 'https://pebble.example:14000/x/acme/new-order');
      const answer = await client.post((await client.directory()).newAccount ?? '', {}, newSigner());
      assertProblem(answer, 400, 'badNonce');
      client.close();
      await gate.stop();
    });
  });
}
