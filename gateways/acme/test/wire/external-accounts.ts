import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore } from '@gatehouse/runtime/database/state-store';
import { createLog } from '@gatehouse/runtime/log';
import { insertExternalAccountKey, revokeExternalAccountKey } from '../../src/state/external-account-keys.ts';
import { migrations } from '../../src/state/open.ts';
import { AcmeClient, type HttpAnswer, macJws, newSigner, type Signer } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { startGate, type TestGate } from '../support/gate.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

type Changes = {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: unknown;
  readonly secret?: Uint8Array;
};

/** External account binding over the wire. */
export function describeExternalAccounts(front: () => Front): void {
  describe('RFC 8555 §7.3.4: external account binding', () => {
    const secret = randomBytes(32);
    let gate: TestGate;
    let client: AcmeClient;
    let store: StateStore;
    let newAccount = '';

    before(async () => {
      const { core } = front();
      const file = 'state-eab/acme.db';
      gate = await startGate({ core, acme: { database: { file }, externalAccount: { required: true } } });
      client = new AcmeClient(gate);
      newAccount = (await client.directory()).newAccount ?? '';
      store = await openStateStore({
        database: { file: join(core.directory, file) },
        migrations,
        log: createLog({ name: 'test', level: 'silent' }),
        clock: systemClock,
      });
    });
    after(async () => {
      await store?.close();
      client?.close();
      await gate?.stop();
    });

    const mint = async (
      keyId: string,
      changes: { isSingleUse?: boolean; maximumAccounts?: number; expiresAt?: Date } = {},
    ) => {
      const key = { keyId, secret, description: '', policy: '{}', isSingleUse: false, createdAt: new Date() };
      await store.commit([
        insertExternalAccountKey({ maximumAccounts: undefined, expiresAt: undefined, ...key, ...changes }),
      ]);
    };
    const bind = async (
      kid: string,
      signer: Signer,
      { header, payload, secret: other }: Changes = {},
    ): Promise<HttpAnswer> => {
      const inner = { alg: 'HS256', kid, url: newAccount, ...header };
      const text = JSON.stringify(payload ?? signer.public.jwk);
      const externalAccountBinding = macJws(inner, text, other ?? secret);
      return await client.post(newAccount, { externalAccountBinding }, signer);
    };

    it('is demanded where it is required, and never of an account that exists', async () => {
      await mint('demanded');
      const signer = newSigner();
      assertProblem(await client.post(newAccount, {}, signer), 403, 'externalAccountRequired');
      const made = assertStatus(await bind('demanded', signer), 201);
      const found = assertStatus(await client.post(newAccount, { onlyReturnExisting: true }, signer), 200);
      assert.equal(found.headers.location, made.headers.location);
      assertStatus(await client.post(newAccount, {}, signer), 200);
      assertProblem(
        await client.post(newAccount, { onlyReturnExisting: true }, newSigner()),
        400,
        'accountDoesNotExist',
      );
      const { meta } = await client.directory();
      assert.equal(meta.externalAccountRequired, true);
    });

    it('is shown in the account as it was sent', async () => {
      await mint('shown');
      const { externalAccountBinding } = assertStatus(await bind('shown', newSigner()), 201).json();
      assert.deepEqual(Object.keys(externalAccountBinding as object), ['protected', 'payload', 'signature']);
    });

    for (const alg of ['HS256', 'HS384', 'HS512']) {
      it(`takes ${alg}`, async () => {
        await mint(`mac-${alg}`);
        assertStatus(await bind(`mac-${alg}`, newSigner(), { header: { alg } }), 201);
      });
    }

    it('refuses other algorithms, and lists those it takes', async () => {
      for (const alg of ['ES256', 'none', 'RS256', 'HS1']) {
        const signer = newSigner();
        const jws = {
          ...macJws({ alg: 'HS256' }, '{}', secret),
          protected: Buffer.from(`{"alg":"${alg}"}`).toString('base64url'),
        };
        const answer = await client.post(newAccount, { externalAccountBinding: jws }, signer);
        const { algorithms } = assertProblem(answer, 400, 'badSignatureAlgorithm');
        assert.deepEqual(algorithms, ['HS256', 'HS384', 'HS512']);
      }
    });

    it('gives one answer for unknown, revoked, expired and spent keys and wrong MACs', async () => {
      await mint('wrong-mac');
      await mint('revoked');
      await store.commit([revokeExternalAccountKey('revoked', new Date(), () => new Error('no such key'))]);
      await mint('expired', { expiresAt: new Date(Date.now() - 1_000) });
      await mint('spent', { isSingleUse: true });
      assertStatus(await bind('spent', newSigner()), 201);
      await mint('full', { maximumAccounts: 2 });
      for (let i = 0; i < 2; i++) assertStatus(await bind('full', newSigner()), 201);
      const answers = [
        await bind('wrong-mac', newSigner(), { secret: randomBytes(32) }),
        await bind('unknown', newSigner()),
        await bind('revoked', newSigner()),
        await bind('expired', newSigner()),
        await bind('spent', newSigner()),
        await bind('full', newSigner()),
      ];
      for (const answer of answers) assertProblem(answer, 403, 'unauthorized');
      assert.equal(new Set(answers.map(({ body }) => body)).size, 1, 'one text');
      for (const cause of ['wrong MAC', 'unknown', 'revoked', 'expired', 'spent']) {
        assert.match(gate.log(), new RegExp(`"cause":"${cause} `), 'the log says why');
      }
    });

    it('refuses a binding of another URL, of another key, or with a nonce or a jwk', async () => {
      await mint('bound');
      const signer = newSigner();
      const wrong: Changes[] = [
        { header: { url: `${newAccount}/` } },
        { header: { url: undefined } },
        { header: { nonce: 'x' } },
        { header: { jwk: signer.public.jwk } },
        { header: { kid: undefined } },
        { header: { kid: 7 } },
        { payload: newSigner().public.jwk },
        { payload: {} },
        { payload: 'x' },
      ];
      for (const changes of wrong) assertProblem(await bind('bound', signer, changes), 400, 'malformed');
      assertStatus(await bind('bound', signer), 201);
    });

    it('spends a single-use key once, however many race for it', async () => {
      await mint('raced', { isSingleUse: true });
      const answers = await Promise.all(Array.from({ length: 16 }, () => bind('raced', newSigner())));
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 403, 'unauthorized');
      const [row] = gate.query("select accounts from external_account_keys where key_id = 'raced'");
      assert.equal(row?.accounts, 1);
      const bound = gate.query("select id from accounts where external_account = 'raced'");
      assert.equal(bound.length, 1);
    });
  });
}
