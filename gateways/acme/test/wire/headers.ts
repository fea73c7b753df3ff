import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpAnswer } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

/** Methods, fields of answers, the directory. */
export function describeHeaders(front: () => Front): void {
  describe('RFC 8555 §7.1.1: directory', () => {
    it('has absolute URLs below the base, and meta as configured', async () => {
      const { gate, directory } = front();
      for (const [name, url] of Object.entries(directory)) {
        if (name !== 'meta') assert.ok(String(url).startsWith(`${gate.url}/acme/`), `${name} ${url}`);
      }
      assert.deepEqual(Object.keys(directory), [
        'newNonce',
        'newAccount',
        'newOrder',
        'newAuthz',
        'revokeCert',
        'keyChange',
        'renewalInfo',
        'meta',
      ]);
      assert.deepEqual(directory.meta, {
        termsOfService: 'https://ca.example.com/terms/v1',
        website: 'https://ca.example.com/',
        caaIdentities: ['ca.example.com'],
        externalAccountRequired: false,
        profiles: { plain: 'Servers' },
      });
    });

    it('is pretty-printed, for clients that read lines', async () => {
      const { gate, client } = front();
      const { body } = await client.send(gate.directory);
      assert.match(body, /^ {2}"newNonce": "https:[^"]+",$/m);
    });

    it('answers GET, HEAD and POST-as-GET', async () => {
      const { gate, client } = front();
      const answer = assertStatus(await client.send(gate.directory), 200);
      assert.equal(answer.headers['content-type'], 'application/json');
      const head = assertStatus(await client.send(gate.directory, { method: 'HEAD' }), 200);
      assert.equal(head.headers['content-length'], answer.headers['content-length']);
      const account = await client.account();
      const read = assertStatus(await client.post(gate.directory, undefined, account), 200);
      assert.equal(read.body, answer.body);
    });

    it('is the only answer without Link rel="index"', async () => {
      const { gate, client } = front();
      assert.equal((await client.send(gate.directory)).headers.link, undefined);
      const answer = await client.send(`${gate.url}/nothing`);
      assert.equal(answer.headers.link, `<${gate.directory}>;rel="index"`);
    });
  });

  describe('RFC 8555 §7.2: newNonce', () => {
    it('answers HEAD with 200, GET and POST-as-GET with 204, each with a nonce that is not stored', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const answers: HttpAnswer[] = [
        assertStatus(await client.send(directory.newNonce ?? '', { method: 'HEAD' }), 200),
        assertStatus(await client.send(directory.newNonce ?? ''), 204),
        assertStatus(await client.post(directory.newNonce ?? '', undefined, account), 204),
      ];
      for (const { headers, body } of answers) {
        assert.match(String(headers['replay-nonce']), /^[A-Za-z0-9_-]{22,}$/);
        assert.equal(headers['cache-control'], 'no-store');
        assert.equal(body, '');
      }
      assert.equal(new Set(answers.map(({ headers }) => headers['replay-nonce'])).size, 3);
    });
  });

  describe('RFC 8555 §6.1, §6.5, §7.1: fields of every answer', () => {
    it('lets scripts of any origin read what clients need', async () => {
      const { gate, client, directory } = front();
      for (const url of [gate.directory, directory.newNonce ?? '', `${gate.url}/nothing`]) {
        const { headers } = await client.send(url);
        assert.equal(headers['access-control-allow-origin'], '*');
        assert.equal(headers['access-control-expose-headers'], 'Link, Location, Replay-Nonce, Retry-After');
      }
      const preflight = assertStatus(await client.send(directory.newOrder ?? '', { method: 'OPTIONS' }), 204);
      assert.equal(preflight.headers['access-control-allow-methods'], 'POST');
      assert.equal(preflight.headers['access-control-allow-headers'], 'Content-Type');
      assert.equal(preflight.headers.link, `<${gate.directory}>;rel="index"`);
    });

    it('answers each POST with a nonce and no-store, whatever is wrong with it', async () => {
      const { gate, client, directory } = front();
      const newAccount = directory.newAccount ?? '';
      const jose = { 'content-type': 'application/jose+json' };
      const answers = [
        await client.send(newAccount, { body: '{}', headers: jose }),
        await client.send(newAccount, { body: '{}' }),
        await client.send(newAccount, { body: 'x'.repeat(70_000), headers: jose }),
        await client.send(`${gate.url}/acme/nothing`, { body: '{}', headers: jose }),
        await client.send(`${gate.url}/acme/order/nothing`, { body: '{}', headers: jose }),
        await client.send(`${directory.renewalInfo}/x.y`, { body: '{}', headers: jose }),
        await client.send(`${gate.url}/elsewhere`, { body: '' }),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [400, 415, 413, 404, 400, 405, 404],
      );
      for (const { headers, body } of answers) {
        assert.match(String(headers['replay-nonce']), /^[A-Za-z0-9_-]{44}$/, body);
        assert.equal(headers['cache-control'], 'no-store');
        assert.equal(headers['content-type'], 'application/problem+json');
        assert.equal(headers.link, `<${gate.directory}>;rel="index"`);
      }
      const read = assertStatus(await client.post(gate.directory, undefined, await client.account()), 200);
      assert.match(String(read.headers['replay-nonce']), /^[A-Za-z0-9_-]{44}$/);
      assert.equal(read.headers['cache-control'], 'no-store');
    });

    it('gives nonces that can be used, also with a refusal', async () => {
      const { client, directory } = front();
      const newAccount = directory.newAccount ?? '';
      const account = await client.account();
      const refused = await client.send(newAccount, { body: 'no' });
      const nonce = String(refused.headers['replay-nonce']);
      assertStatus(await client.post(`${account.kid}`, undefined, account, { nonce }), 200);
    });

    it('takes GET on the directory, newNonce and renewalInfo alone, and says what else it takes', async () => {
      const { gate, client, directory } = front();
      const posts = ['newAccount', 'newOrder', 'newAuthz', 'revokeCert', 'keyChange'].map(
        (name) => directory[name] ?? '',
      );
      const ids = ['account/a', 'account/a/orders', 'order/a', 'order/a/finalize', 'authz/a', 'challenge/a/http-01'];
      const resources = [...ids, 'certificate/a', 'certificate/a/1'].map((path) => `${gate.url}/acme/${path}`);
      for (const url of [...posts, ...resources]) {
        for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
          const answer = await client.send(url, { method });
          assert.equal(answer.headers.allow, 'POST', `${method} ${url}`);
          if (method === 'HEAD') assertStatus(answer, 405);
          else assertProblem(answer, 405, 'malformed');
        }
      }
      const answer = await client.send(`${directory.renewalInfo}/x.y`, { method: 'DELETE' });
      assert.equal(answer.headers.allow, 'GET, HEAD');
      assertProblem(answer, 405, 'malformed');
    });

    it('answers what is no resource with 404 as a problem', async () => {
      const { gate, client, directory } = front();
      const urls = [
        `${gate.url}/`,
        `${gate.url}/directory/`,
        `${gate.url}/directory?x=1`,
        `${gate.url}/acme/order/a/b`,
        `${gate.url}/acme/order/%2e%2e`,
        `${gate.url}/acme/order/${'a'.repeat(4_000)}`,
        `${directory.newOrder}?x=1`,
      ];
      for (const url of urls) assertProblem(await client.send(url), 404, 'malformed');
    });
  });

  describe('RFC 8555 §6.2: media type and size', () => {
    it('takes application/jose+json with or without parameters', async () => {
      const { client, directory } = front();
      const account = await client.account();
      for (const type of ['application/jose+json; charset=utf-8', 'Application/JOSE+JSON', 'application/jose+json;x']) {
        assertStatus(
          await client.post(`${account.kid}`, undefined, account, { headers: { 'content-type': type } }),
          200,
        );
      }
      for (const type of ['application/json', 'text/plain', 'application/jose+jsonx', 'application/jose', '']) {
        const answer = await client.post(directory.newOrder ?? '', {}, account, { headers: { 'content-type': type } });
        assertProblem(answer, 415, 'malformed');
      }
    });

    it('refuses bodies above 64 KiB, declared or not', async () => {
      const { client, directory } = front();
      const body = 'x'.repeat(65_537);
      const url = directory.newAccount ?? '';
      assertProblem(await client.send(url, { body }), 413, 'malformed');
    });
  });
}
