import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newSigner } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

const agreed = { termsOfServiceAgreed: true };

/** Accounts over the wire. */
export function describeAccounts(front: () => Front): void {
  const newAccount = () => front().directory.newAccount ?? '';

  describe('RFC 8555 §7.3: newAccount', () => {
    it('makes an account: 201, Location, and where its orders are', async () => {
      const { client } = front();
      const payload = {
        ...agreed,
        contact: ['mailto:a@example.com'],
        unknown: { x: 1 },
        status: 'revoked',
        orders: 'x',
      };
      const answer = assertStatus(await client.post(newAccount(), payload, newSigner()), 201);
      const url = answer.headers.location ?? '';
      assert.deepEqual(answer.json(), {
        status: 'valid',
        contact: ['mailto:a@example.com'],
        termsOfServiceAgreed: true,
        orders: `${url}/orders`,
      });
    });

    it('finds the account of a key: 200, Location, nothing changed', async () => {
      const { client } = front();
      const signer = newSigner();
      const made = await client.post(newAccount(), { ...agreed, contact: ['mailto:a@example.com'] }, signer);
      const found = await client.post(newAccount(), { ...agreed, contact: ['mailto:b@example.com'] }, signer);
      assertStatus(found, 200);
      assert.equal(found.headers.location, made.headers.location);
      assert.equal(found.body, made.body);
    });

    it('makes one account of many requests with one key at once', async () => {
      const { client, gate } = front();
      const signer = newSigner();
      const before = gate.countRows().accounts ?? 0;
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.post(newAccount(), agreed, signer)));
      assert.deepEqual(
        answers.map(({ status }) => status).filter((status) => status !== 200),
        [201],
      );
      assert.equal(new Set(answers.map(({ headers }) => headers.location)).size, 1);
      assert.equal(gate.countRows().accounts, before + 1);
    });

    it('asks for the terms of service: userActionRequired with a link to them', async () => {
      const { client } = front();
      for (const payload of [{}, { termsOfServiceAgreed: false }]) {
        const answer = await client.post(newAccount(), payload, newSigner());
        assertProblem(answer, 403, 'userActionRequired');
        const links = answer.lines.filter(([name]) => name === 'link').map(([, value]) => value);
        assert.ok(links.includes('<https://ca.example.com/terms/v1>;rel="terms-of-service"'), links.join());
        assert.equal(links.length, 2, 'a line for each link');
      }
    });

    it('refuses wrong types', async () => {
      const { client } = front();
      const wrong = [
        { termsOfServiceAgreed: 'yes' },
        { ...agreed, contact: 'mailto:a@example.com' },
        { ...agreed, contact: [1] },
        { ...agreed, contact: [null] },
        { ...agreed, onlyReturnExisting: 1 },
        { ...agreed, externalAccountBinding: 'x' },
        { ...agreed, externalAccountBinding: null },
      ];
      for (const payload of wrong) {
        assertProblem(await client.post(newAccount(), payload, newSigner()), 400, 'malformed');
      }
    });

    it('refuses contacts that are no mail address: invalidContact, unsupportedContact', async () => {
      const { client } = front();
      const invalid = [
        'mailto:',
        'mailto:a',
        'mailto:a@',
        'mailto:@example.com',
        'mailto:a@example.com,b@example.com',
        'mailto:a@example.com?subject=x',
        'mailto:a b@example.com',
        'mailto:ä@example.com',
        'mailto:a@exa_mple.com',
        'mailto:%zz@example.com',
        'a@example.com',
        '',
        `mailto:${'a'.repeat(600)}@example.com`,
      ];
      for (const contact of invalid) {
        const answer = await client.post(newAccount(), { ...agreed, contact: [contact] }, newSigner());
        assertProblem(answer, 400, 'invalidContact');
      }
      for (const contact of ['tel:+1', 'https://example.com/', 'MAIL:a@example.com']) {
        const answer = await client.post(
          newAccount(),
          { ...agreed, contact: ['mailto:a@example.com', contact] },
          newSigner(),
        );
        assertProblem(answer, 400, 'unsupportedContact');
      }
      const many = Array.from({ length: 11 }, (_, i) => `mailto:a${i}@example.com`);
      assertProblem(await client.post(newAccount(), { ...agreed, contact: many }, newSigner()), 400, 'invalidContact');
      assertStatus(await client.post(newAccount(), { ...agreed, contact: many.slice(1) }, newSigner()), 201);
    });

    it('leaves nothing behind when it refuses', async () => {
      const { client, gate } = front();
      const { nonces: redeemed = 0, ...before } = gate.countRows();
      await client.post(newAccount(), {}, newSigner());
      await client.post(newAccount(), { ...agreed, contact: ['tel:1'] }, newSigner());
      const { nonces = 0, ...rest } = gate.countRows();
      assert.deepEqual(rest, before);
      assert.equal(nonces, redeemed + 2, 'but for the nonces that were used');
    });
  });

  describe('RFC 8555 §7.3.1: onlyReturnExisting', () => {
    it('finds an account, and makes none: accountDoesNotExist', async () => {
      const { client } = front();
      const account = await client.account();
      const { kid: _, ...signer } = account;
      const found = assertStatus(await client.post(newAccount(), { onlyReturnExisting: true }, signer), 200);
      assert.equal(found.headers.location, account.kid);
      const answer = await client.post(newAccount(), { onlyReturnExisting: true }, newSigner());
      assertProblem(answer, 400, 'accountDoesNotExist');
    });
  });

  describe('RFC 8555 §7.3.2: account update', () => {
    it('changes contacts and nothing else', async () => {
      const { client } = front();
      const account = await client.account({ ...agreed, contact: ['mailto:a@example.com'] });
      const url = `${account.kid}`;
      const update = {
        contact: ['mailto:b@example.com'],
        orders: 'x',
        termsOfServiceAgreed: false,
        status: 'valid',
        key: 1,
      };
      const answer = assertStatus(await client.post(url, update, account), 200);
      const expected = {
        status: 'valid',
        contact: update.contact,
        termsOfServiceAgreed: true,
        orders: `${url}/orders`,
      };
      assert.deepEqual(answer.json(), expected);
      assert.deepEqual((await client.post(url, undefined, account)).json(), expected);
      assert.deepEqual((await client.post(url, {}, account)).json(), expected);
      assert.deepEqual((await client.post(url, { contact: [] }, account)).json().contact, []);
    });

    it('does not show or change another account: 404, as for one that is not there', async () => {
      const { client, gate } = front();
      const [account, other] = [await client.account(), await client.account()];
      const absent = `${gate.url}/acme/account/AAAAAAAAAAAAAAAAAAAAAAAA`;
      const bodies = new Set<string>();
      for (const url of [`${other.kid}`, absent, `${other.kid}/orders`, `${absent}/orders`]) {
        bodies.add((await client.post(url, undefined, account)).body);
        assertProblem(await client.post(url, undefined, account), 404, 'malformed');
      }
      assert.equal(bodies.size, 1);
      assertProblem(await client.post(`${other.kid}`, { status: 'deactivated' }, account), 404, 'malformed');
    });
  });

  describe('RFC 8555 §7.3.6: deactivation', () => {
    it('ends everything that the account can do: 401 unauthorized', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      const answer = assertStatus(await client.post(url, { status: 'deactivated' }, account), 200);
      assert.equal(answer.json().status, 'deactivated');
      const requests: [string, unknown][] = [
        [url, undefined],
        [url, { status: 'deactivated' }],
        [`${url}/orders`, undefined],
        [directory.newOrder ?? '', { identifiers: [{ type: 'dns', value: 'a.example.com' }] }],
        [directory.keyChange ?? '', {}],
        [directory.newNonce ?? '', undefined],
      ];
      for (const [target, payload] of requests) {
        assertProblem(await client.post(target, payload, account), 401, 'unauthorized');
      }
      const { kid: _, ...signer } = account;
      for (const payload of [agreed, { onlyReturnExisting: true }]) {
        assertProblem(await client.post(newAccount(), payload, signer), 401, 'unauthorized');
      }
    });

    it('kills open orders and authorizations, and leaves those of others alone', async () => {
      const { client, gate, directory } = front();
      const [account, other] = [await client.account(), await client.account()];
      for (const signer of [account, other]) {
        const identifiers = [{ type: 'dns', value: 'killed.example.com' }];
        assertStatus(await client.post(directory.newOrder ?? '', { identifiers }, signer), 201);
      }
      assertStatus(await client.post(`${account.kid}`, { status: 'deactivated' }, account), 200);
      const statuses = (table: string, { kid = '' }: { readonly kid?: string }) =>
        gate
          .query(`select status from ${table} where account_id = ?`, kid.split('/').at(-1) ?? '')
          .map((row) => row.status);
      assert.deepEqual(
        [statuses('orders', account), statuses('authorizations', account)],
        [['invalid'], ['deactivated']],
      );
      assert.deepEqual([statuses('orders', other), statuses('authorizations', other)], [['pending'], ['pending']]);
    });
  });

  describe('RFC 8555 §7.1.2.1: orders list', () => {
    it('lists the own orders that are not invalid, page by page', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const list = `${account.kid}/orders`;
      assert.deepEqual((await client.post(list, undefined, account)).json(), { orders: [] });
      const made: string[] = [];
      for (let i = 0; i < 60; i++) {
        const identifiers = [{ type: 'dns', value: `o${i}.example.com` }];
        const answer = assertStatus(await client.post(directory.newOrder ?? '', { identifiers }, account), 201);
        made.push(String(answer.headers.location));
      }
      const listed: string[] = [];
      let next: string | undefined = list;
      let pages = 0;
      while (next !== undefined && pages < 10) {
        const answer = assertStatus(await client.post(next, undefined, account), 200);
        const { orders } = answer.json() as { orders: string[] };
        listed.push(...orders);
        const links = answer.lines.filter(([name]) => name === 'link').map(([, value]) => value);
        next = links.map((link) => /^<([^>]+)>;rel="next"$/.exec(link)?.[1]).find((url) => url !== undefined);
        pages++;
      }
      assert.equal(pages, 2);
      assert.deepEqual(listed, made);
    });

    it('refuses cursors that are not its own', async () => {
      const { client } = front();
      const account = await client.account();
      for (const query of ['cursor=', 'cursor=x', 'cursor=YWZ0ZXIgMQ&x=1', 'page=1']) {
        assertProblem(await client.post(`${account.kid}/orders?${query}`, undefined, account), 400, 'malformed');
      }
    });
  });
}
