// Accounts and keys of external accounts as they are stored, on both databases and from two copies of the gate.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import {
  deactivateAccount,
  insertAccount,
  KeyInUseError,
  type NewAccount,
  readAccount,
  readAccountKey,
  readAccountKeys,
  replaceKey,
  setContact,
} from '../../src/state/accounts.ts';
import {
  insertExternalAccountKey,
  listExternalAccountKeys,
  readExternalAccountKey,
  revokeExternalAccountKey,
  spendExternalAccountKey,
} from '../../src/state/external-account-keys.ts';
import { sharedSecret } from '../../src/state/secrets.ts';
import { dialects } from '../support/dialects.ts';

const now = new Date(1_800_000_000_000);

const newAccount = (thumbprint = newUnguessableId()): NewAccount => {
  const id = newUnguessableId();
  return {
    id,
    url: `https://acme.example.com/acme/account/${id}`,
    jwk: '{}',
    thumbprint,
    contact: ['mailto:a@example.com'],
    termsOfServiceAgreed: true,
    externalAccount: undefined,
    externalAccountBinding: undefined,
    createdAt: now,
    createdFrom: '192.0.2.1',
  };
};

const refusal = () => new RangeError('refused');
const outcomes = async (commits: readonly Promise<void>[]): Promise<readonly string[]> =>
  (await Promise.allSettled(commits)).map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.name)).sort();

for (const [name, makeState] of Object.entries(dialects)) {
  describe(`RFC 8555 §7.3: accounts on ${name}`, () => {
    it('are read as they were made', async (context) => {
      const { store } = await makeState(context);
      const account = newAccount();
      await store.commit(insertAccount(account));
      const { createdFrom: _, ...rest } = account;
      assert.deepEqual(await readAccount(store, account.id), { ...rest, status: 'valid' });
      assert.equal(await readAccount(store, 'nobody'), undefined);
      assert.deepEqual(await readAccountKey(store, account.thumbprint), { accountId: account.id, isCurrent: true });
    });

    it('are one of many that race for a key, from several copies of the gate', async (context) => {
      const { store, openCopy } = await makeState(context);
      const copies = [store, await openCopy()];
      const thumbprint = newUnguessableId();
      const commits = Array.from({ length: 10 }, (_, i) =>
        (copies[i % 2] ?? store).commit(insertAccount(newAccount(thumbprint))),
      );
      assert.deepEqual(await outcomes(commits), [...Array<string>(9).fill('KeyInUseError'), 'done'].sort());
    });

    it('keep every key they had, with what led from one to the next', async (context) => {
      const { store } = await makeState(context);
      const account = newAccount();
      await store.commit(insertAccount(account));
      const next = { jwk: '{"x":1}', thumbprint: newUnguessableId(), keyChange: '{"jws":1}' };
      await store.commit(replaceKey({ ...account, status: 'valid' }, next, new Date(now.getTime() + 1)));
      const changed = await readAccount(store, account.id);
      assert.deepEqual([changed?.jwk, changed?.thumbprint], [next.jwk, next.thumbprint]);
      assert.deepEqual(await readAccountKeys(store, account.id), [
        { thumbprint: next.thumbprint, keyChange: next.keyChange },
        { thumbprint: account.thumbprint, keyChange: undefined },
      ]);
      assert.deepEqual(await readAccountKey(store, account.thumbprint), { accountId: account.id, isCurrent: false });
      await assert.rejects(store.commit(insertAccount(newAccount(account.thumbprint))), KeyInUseError);
    });

    it('get one of two keys that race to replace the same one', async (context) => {
      const { store, openCopy } = await makeState(context);
      const copy = await openCopy();
      const account = { ...newAccount(), status: 'valid' as const };
      await store.commit(insertAccount(account));
      const next = () => ({ jwk: '{}', thumbprint: newUnguessableId(), keyChange: '{}' });
      const races = [store, copy].map((one) => one.commit(replaceKey(account, next(), now)));
      assert.deepEqual(await outcomes(races), ['AcmeError', 'done']);
      assert.equal((await readAccountKeys(store, account.id)).length, 2);
    });

    it('that are deactivated change no more, at any copy', async (context) => {
      const { store, openCopy } = await makeState(context);
      const copy = await openCopy();
      const account = { ...newAccount(), status: 'valid' as const };
      await store.commit(insertAccount(account));
      await copy.commit([deactivateAccount(account.id, now)]);
      assert.equal((await readAccount(store, account.id))?.status, 'deactivated');
      const next = { jwk: '{}', thumbprint: newUnguessableId(), keyChange: '{}' };
      const late = [
        store.commit([setContact(account.id, [])]),
        store.commit([deactivateAccount(account.id, now)]),
        store.commit(replaceKey(account, next, now)),
      ];
      assert.deepEqual(await outcomes(late), ['AcmeError', 'AcmeError', 'AcmeError']);
      assert.equal(await readAccountKey(store, next.thumbprint), undefined, 'nothing of it stays');
    });
  });

  describe(`RFC 8555 §7.3.4: keys of external accounts on ${name}`, () => {
    const key = (changes: object = {}) => ({
      keyId: newUnguessableId(),
      secret: new Uint8Array(32).fill(7),
      description: 'for a test',
      policy: '{}',
      isSingleUse: false,
      maximumAccounts: undefined,
      createdAt: now,
      expiresAt: undefined,
      ...changes,
    });

    it('are read as they were made', async (context) => {
      const { store } = await makeState(context);
      const made = key({ expiresAt: new Date(now.getTime() + 1), maximumAccounts: 3 });
      await store.commit([insertExternalAccountKey(made)]);
      const read = await readExternalAccountKey(store, made.keyId);
      assert.deepEqual(
        { ...read, secret: [...(read?.secret ?? [])] },
        { ...made, secret: [...made.secret], accounts: 0, revokedAt: undefined },
      );
      assert.equal((await listExternalAccountKeys(store, '', 10)).length, 1);
      assert.equal((await listExternalAccountKeys(store, made.keyId, 10)).length, 0);
    });

    it('are spent once, or as often as they may be, however many race', async (context) => {
      const { store, openCopy } = await makeState(context);
      const copies = [store, await openCopy()];
      for (const [changes, times] of [
        [{ isSingleUse: true }, 1],
        [{ maximumAccounts: 3 }, 3],
        [{}, 8],
      ] as const) {
        const { keyId, ...rest } = key(changes);
        await store.commit([insertExternalAccountKey({ keyId, ...rest })]);
        const races = Array.from({ length: 8 }, (_, i) =>
          (copies[i % 2] ?? store).commit([spendExternalAccountKey(keyId, now, refusal)]),
        );
        assert.equal((await outcomes(races)).filter((one) => one === 'done').length, times);
        assert.equal((await readExternalAccountKey(store, keyId))?.accounts, times);
      }
    });

    it('are not spent after they expired or were revoked', async (context) => {
      const { store } = await makeState(context);
      const expired = key({ expiresAt: now });
      const revoked = key();
      await store.commit([insertExternalAccountKey(expired), insertExternalAccountKey(revoked)]);
      await store.commit([revokeExternalAccountKey(revoked.keyId, now, refusal)]);
      await assert.rejects(store.commit([revokeExternalAccountKey(revoked.keyId, now, refusal)]), RangeError);
      for (const { keyId } of [expired, revoked]) {
        await assert.rejects(store.commit([spendExternalAccountKey(keyId, now, refusal)]), RangeError);
      }
    });
  });

  describe(`RFC 8555 §6.5: secrets that all copies share on ${name}`, () => {
    it('are made once, whoever comes first', async (context) => {
      const { store, openCopy } = await makeState(context);
      const copies = [store, await openCopy(), store, await openCopy()];
      const secrets = await Promise.all(copies.map((one) => sharedSecret(one, 'nonces', systemClock)));
      assert.equal(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size, 1);
      assert.equal(secrets[0]?.length, 32);
      assert.notDeepEqual(await sharedSecret(store, 'other', systemClock), secrets[0]);
    });
  });
}
