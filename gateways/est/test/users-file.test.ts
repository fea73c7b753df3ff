import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { openSpentUses } from '../src/spent-uses.ts';
import { holdUsers, openUsers, parseUsers, usersFileSchema } from '../src/users.ts';
import { addUser, listUsers, removeUser } from '../src/users-file.ts';

describe('users.yaml', () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-users-'));
    file = join(directory, 'est', 'users.yaml');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const add = (name: string, more: object = {}) => addUser(file, { name, password: 'pw', hash: 'scrypt', ...more });

  it('is made with the first user, readable by its owner alone, without the password', async () => {
    await add('alice', { names: { dnsSuffixes: ['example.com'] }, labels: ['tls-server'], digestRealm: 'r' });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /: pw\b/);
    const [user] = listUsers(file);
    assert.deepEqual([user?.name, user?.labels, user?.names.dnsSuffixes], ['alice', ['tls-server'], ['example.com']]);
    assert.match(user?.digest ?? '', /^[0-9a-f]{64}$/);
  });

  it('keeps comments and other users when one is added or removed', async () => {
    await add('alice');
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}  # the printers\n`, { mode: 0o600 });
    await add('bob');
    removeUser(file, 'alice');
    assert.match(readFileSync(file, 'utf8'), /# ours/);
    assert.match(readFileSync(file, 'utf8'), /# the printers/);
    assert.deepEqual(
      listUsers(file).map(({ name }) => name),
      ['bob'],
    );
  });

  it('refuses a name that is taken, unless the user is to be replaced', async () => {
    await add('alice');
    await assert.rejects(add('alice'), /exists already/);
    await add('alice', { replaces: true, labels: ['x'] });
    assert.deepEqual(
      listUsers(file).map(({ labels }) => labels),
      [['x']],
    );
  });

  it('refuses what cannot be a user', async () => {
    for (const name of ['', 'a:b', 'a b', 'a"b', 'a\u0000']) await assert.rejects(add(name), FatalError);
    await assert.rejects(addUser(file, { name: 'a', password: '' }), /empty/);
    await assert.rejects(add('a', { names: { ipRanges: ['nonsense'] } }), /no address range/);
    assert.throws(() => removeUser(file, 'nobody'), /no user 'nobody'/);
    assert.deepEqual(listUsers(file), []);
  });

  it('is refused with the line of every mistake', () => {
    assert.throws(() => parseUsers('users:\n  - name: a\n    pasword: x\n', 'users.yaml'), /users\.yaml:3.*password/s);
    assert.throws(() => parseUsers('users:\n  - name: a\n  - name: a\n', 'users.yaml'), /twice/);
    assert.throws(() => parseUsers('users:\n  - { name: a, password: plain }\n', 'users.yaml'), /argon2id/);
  });

  it('is refused when others can read it', async () => {
    await add('alice');
    chmodSync(file, 0o644);
    assert.throws(() => listUsers(file), /mode 0644/);
  });

  it('is followed while the gate runs, and a broken one does not take the users away', async () => {
    await add('alice');
    const lines = new PassThrough();
    const users = openUsers(file, createLog({ name: 'test', level: 'info', destination: lines }), 20);
    try {
      assert.ok(users.find('alice') !== undefined && users.find('bob') === undefined);
      const taken = once(lines, 'data');
      await add('bob');
      assert.match(String(await taken), /is taken/);
      assert.ok(users.find('bob') !== undefined);
      assert.equal(users.generation(), 1);
      const refused = once(lines, 'data');
      writeFileSync(file, 'users: nonsense\n');
      assert.match(String(await refused), /cannot be used/);
      assert.ok(users.find('bob') !== undefined);
    } finally {
      users.close();
    }
  });
});

describe('users of a running gate', () => {
  it('may come as soon as they are added, and not once they are removed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-users-'));
    const file = join(directory, 'users.yaml');
    const add = (name: string) => addUser(file, { name, password: 'pw', hash: 'scrypt' });
    await add('alice');
    const users = openUsers(file, createLog({ name: 'test', level: 'silent' }), 60_000);
    await add('bob');
    assert.ok(users.find('bob') !== undefined);
    removeUser(file, 'alice');
    assert.equal(users.find('alice'), undefined);
    users.close();
    rmSync(directory, { recursive: true });
  });
});

describe('counted passwords', () => {
  const find = (uses: number | undefined, password: string) => {
    const users = holdUsers(usersFileSchema.parse({ users: [{ name: 'a', uses, digest: password.repeat(64) }] }).users);
    const user = users.find('a');
    assert.ok(user !== undefined);
    return user;
  };

  it('are good for so many requests, whose retries are free, also after a restart', () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-uses-'));
    const file = join(directory, 'spent.json');
    try {
      const user = find(2, 'a');
      const first = openSpentUses(file);
      assert.deepEqual(
        ['k1', 'k2', 'k3', 'k1'].map((key) => first.spend(user, key)),
        [true, true, false, true],
      );
      const second = openSpentUses(file);
      assert.deepEqual(
        ['k3', 'k2'].map((key) => second.spend(user, key)),
        [false, true],
      );
      second.giveBack(user, 'k2');
      assert.equal(second.spend(user, 'k3'), true);
      assert.equal(second.spend(find(2, 'b'), 'k4'), true, 'a new password begins a new count');
      assert.equal(second.spend(find(undefined, 'a'), 'k9'), true);
      writeFileSync(file, 'broken', { mode: 0o600 });
      assert.throws(() => openSpentUses(file), FatalError);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
