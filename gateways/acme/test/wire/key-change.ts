import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preferredAlgorithms } from '@gatehouse/pkix/jose/signature';
import { type HttpAnswer, newSigner, type Signer, signJws } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

type Changes = {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly signWith?: Signer;
};

/** Key changes over the wire. */
export function describeKeyChange(front: () => Front): void {
  const change = async (account: Signer, next: Signer, changes: Changes = {}): Promise<HttpAnswer> => {
    const { client, directory } = front();
    const url = directory.keyChange ?? '';
    const header = { alg: preferredAlgorithms[next.public.kind], jwk: next.public.jwk, url, ...changes.header };
    const payload = { account: account.kid, oldKey: account.public.jwk, ...changes.payload };
    const inner = signJws(header, JSON.stringify(payload), (changes.signWith ?? next).key);
    return await client.post(url, inner, account);
  };

  describe('RFC 8555 §7.3.5: keyChange', () => {
    it('gives the account another key, of whatever kind; its URL stays', async () => {
      const { client, gate } = front();
      let account = await client.account();
      for (const kind of ['P-384', 'RSA', 'Ed25519', 'P-256'] as const) {
        const next = newSigner(kind);
        const answer = assertStatus(await change(account, next), 200);
        assert.equal(answer.headers.location, account.kid);
        assert.equal(answer.json().status, 'valid');
        // The former key opens nothing any more.
        assertProblem(await client.post(`${account.kid}`, undefined, account), 400, refusalOf(account, next));
        account = { ...next, ...(account.kid === undefined ? {} : { kid: account.kid }) };
        assertStatus(await client.post(`${account.kid}`, undefined, account), 200);
      }
      const id = `${account.kid}`.split('/').at(-1) ?? '';
      const keys = gate.query(
        'select key_change, replaced_at from account_keys where account_id = ? order by created_at',
        id,
      );
      assert.equal(keys.length, 5, 'all keys are kept');
      assert.equal(keys.filter((row) => row.replaced_at === null).length, 1);
      for (const row of keys.slice(1)) {
        assert.deepEqual(Object.keys(JSON.parse(String(row.key_change))), ['protected', 'payload', 'signature']);
      }
    });

    it('finds the account by its new key, and not by the former one', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const next = newSigner();
      assertStatus(await change(account, next), 200);
      const url = directory.newAccount ?? '';
      const found = assertStatus(await client.post(url, { onlyReturnExisting: true }, next), 200);
      assert.equal(found.headers.location, account.kid);
      const { kid: _, ...former } = account;
      assertProblem(await client.post(url, { termsOfServiceAgreed: true }, former), 400, 'badPublicKey');
      assertProblem(await client.post(url, { onlyReturnExisting: true }, former), 400, 'accountDoesNotExist');
    });

    it('refuses a key that an account has or had: 409 with the URL of that account', async () => {
      const { client } = front();
      const [account, other] = [await client.account(), await client.account()];
      const answer = await change(account, other);
      assertProblem(answer, 409, 'malformed');
      assert.equal(answer.headers.location, other.kid);
      const own = await change(account, account);
      assertProblem(own, 409, 'malformed');
      assert.equal(own.headers.location, account.kid);
    });

    it('lets one of two changes win that race for a key, or from a key', async () => {
      const { client } = front();
      const [account, other] = [await client.account(), await client.account()];
      const next = newSigner();
      const forKey = await Promise.all([change(account, next), change(other, next)]);
      assert.deepEqual(forKey.map(({ status }) => status).sort(), [200, 409]);
      const third = await client.account();
      const fromKey = await Promise.all([change(third, newSigner()), change(third, newSigner())]);
      const statuses = fromKey.map(({ status }) => status).sort();
      assert.equal(statuses[0], 200);
      assert.ok(statuses[1] === 400 || statuses[1] === 401, String(statuses[1]));
    });

    it('keeps what it is proved by in bounds: the size of a change, and how many there are', async () => {
      const { client, gate } = front();
      const account = await client.account();
      const padded = await change(account, newSigner(), { header: { x: 'x'.repeat(12_000) } });
      assertProblem(padded, 413, 'malformed');
      const id = `${account.kid}`.split('/').at(-1) ?? '';
      for (let i = 1; i < 100; i++) {
        gate.run("insert into account_keys values ('former ' || ?, ?, null, 0, 1)", i, id);
      }
      assertProblem(await change(account, newSigner()), 403, 'unauthorized');
    });

    it('refuses what does not bind both keys, the account and the URL', async () => {
      const { client, gate } = front();
      const account = await client.account();
      const [next, other] = [newSigner(), await client.account()];
      const wrong: Changes[] = [
        { header: { url: `${gate.url}/acme/new-order` } },
        { header: { url: undefined } },
        { header: { nonce: 'x' } },
        { header: { jwk: undefined } },
        { header: { kid: account.kid } },
        { payload: { account: other.kid } },
        { payload: { account: undefined } },
        { payload: { oldKey: other.public.jwk } },
        { payload: { oldKey: undefined } },
        { payload: { oldKey: 'x' } },
        { signWith: other },
      ];
      for (const changes of wrong) assertProblem(await change(account, next, changes), 400, 'malformed');
      const noKeys: Changes[] = [{ payload: { oldKey: {} } }, { header: { jwk: {} } }];
      for (const changes of noKeys) assertProblem(await change(account, next, changes), 400, 'badPublicKey');
      const { directory } = front();
      const url = directory.keyChange ?? '';
      for (const payload of [{}, { protected: '', payload: '', signature: '' }]) {
        assertProblem(await client.post(url, payload, account), 400, 'malformed');
      }
      assertStatus(await client.post(`${account.kid}`, undefined, account), 200);
    });
  });
}

/** A request by the former key: its algorithm does not fit the new key, or its signature is wrong. */
function refusalOf(former: Signer, now: Signer): 'badSignatureAlgorithm' | 'malformed' {
  return former.public.kind === now.public.kind ? 'malformed' : 'badSignatureAlgorithm';
}
