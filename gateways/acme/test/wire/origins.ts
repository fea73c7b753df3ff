import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AcmeClient, newSigner } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { startGate, type TestGate } from '../support/gate.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

/** Base URLs, aliases and proxies. */
export function describeOrigins(front: () => Front): void {
  describe('RFC 8555 §6.4, §7.1: base URLs', () => {
    let gate: TestGate;
    let client: AcmeClient;
    const base = 'https://acme.example.com/ca1';
    const alias = 'https://old.example.com:8443';
    const at = (host: string) => ({ host });

    before(async () => {
      const { core } = front();
      gate = await startGate({
        core,
        acme: { baseUrl: base, aliases: [`${alias}/`], trustedProxies: ['127.0.0.0/8'] },
      });
      client = new AcmeClient(gate);
    });
    after(async () => {
      client?.close();
      await gate?.stop();
    });

    const directoryBy = async (headers: Readonly<Record<string, string>>, path = '/ca1/directory') =>
      (await client.send(`${gate.url}${path}`, { headers })).json();

    it('gives URLs below the base that the client came by', async () => {
      assert.equal((await directoryBy(at('acme.example.com'))).newOrder, `${base}/acme/new-order`);
      assert.equal((await directoryBy(at('ACME.example.com:443'))).newOrder, `${base}/acme/new-order`);
      assert.equal((await directoryBy(at('old.example.com:8443'), '/directory')).newOrder, `${alias}/acme/new-order`);
    });

    it('gives canonical URLs to who came by another name, and never makes a base of it', async () => {
      for (const host of ['evil.example', 'old.example.com', '127.0.0.1', '']) {
        assert.equal((await directoryBy(at(host))).newOrder, `${base}/acme/new-order`, host);
      }
      assertProblem(await client.send(`${gate.url}/directory`, { headers: at('acme.example.com') }), 404, 'malformed');
      assertProblem(await client.send(`${gate.url}/directory`, { headers: at('a@b') }), 400, 'malformed');
    });

    it('takes the url of the base by which a request came, and the account under any base', async () => {
      const signer = newSigner();
      const send = async (url: string, payload: unknown, kid: string | undefined, host: string) => {
        const { pathname } = new URL(url);
        const nonce = String(
          (await client.send(`${gate.url}/ca1/acme/new-nonce`, { method: 'HEAD', headers: at('acme.example.com') }))
            .headers['replay-nonce'],
        );
        const body = JSON.stringify(
          await client.sign(url, payload, { ...signer, ...(kid === undefined ? {} : { kid }) }, { nonce }),
        );
        const headers = { 'content-type': 'application/jose+json', host };
        return await client.send(`${gate.url}${pathname}`, { method: 'POST', body, headers });
      };
      const made = assertStatus(await send(`${base}/acme/new-account`, {}, undefined, 'acme.example.com'), 201);
      const url = String(made.headers.location);
      assert.ok(url.startsWith(`${base}/acme/account/`));
      const id = url.split('/').at(-1);
      const aliasUrl = `${alias}/acme/account/${id}`;
      const byAlias = assertStatus(await send(aliasUrl, undefined, aliasUrl, 'old.example.com:8443'), 200);
      assert.equal(byAlias.headers.location, url, 'the URL of an account never changes');
      assert.equal(byAlias.json().orders, `${aliasUrl}/orders`);
      assertStatus(await send(aliasUrl, undefined, url, 'old.example.com:8443'), 200);
      assertProblem(await send(aliasUrl, undefined, url, 'acme.example.com'), 404, 'malformed');
    });

    it('believes trusted proxies about host and address', async () => {
      const headers = { host: '10.0.0.1', 'x-forwarded-host': 'old.example.com:8443', 'x-forwarded-proto': 'https' };
      assert.equal((await directoryBy(headers, '/directory')).newOrder, `${alias}/acme/new-order`);
      const nonce = String((await client.send(`${gate.url}/ca1/acme/new-nonce`)).headers['replay-nonce']);
      const url = `${base}/acme/new-account`;
      const body = JSON.stringify(await client.sign(url, {}, newSigner(), { nonce }));
      const from = { 'x-forwarded-for': 'junk, 192.0.2.7, 127.0.0.9', 'x-forwarded-host': 'acme.example.com' };
      const made = await client.send(`${gate.url}/ca1/acme/new-account`, {
        body,
        headers: { 'content-type': 'application/jose+json', ...from },
      });
      assertStatus(made, 201);
      const id = String(made.headers.location).split('/').at(-1) ?? '';
      assert.equal(gate.query('select created_from from accounts where id = ?', id)[0]?.created_from, '192.0.2.7');
    });

    it('ignores the fields of proxies from anyone else', async () => {
      const { client: plain, gate: other } = front();
      const headers = { 'x-forwarded-host': 'old.example.com:8443', 'x-forwarded-for': '192.0.2.7' };
      const directory = (await plain.send(other.directory, { headers })).json();
      assert.equal(directory.newOrder, `${other.url}/acme/new-order`);
    });
  });
}
