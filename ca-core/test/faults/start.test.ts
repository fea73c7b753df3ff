import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { assertIntact, launchInVain, prepareDirectory } from './support/prepared-core.ts';

/** One way in which a data directory is broken. */
type Fault = {
  readonly name: string;
  /** The file that is broken, and that the message must name; relative to the directory. */
  readonly file: string;
  /** Breaks the file at this path. */
  damage(path: string): void;
  /** What the message says. */
  readonly message: RegExp;
  /** What it advises. */
  readonly hint: RegExp;
};

const keyFaults: readonly Fault[] = [
  ...['issuing', 'service', 'audit'].map(
    (key): Fault => ({
      name: `the ${key} key is corrupt`,
      file: `ca/${key}.key.pem`,
      damage: (path) => writeFileSync(path, corrupted(readFileSync(path))),
      message: /corrupt|passphrase/,
      hint: /backup/,
    }),
  ),
  {
    name: 'a key file holds something else',
    file: 'ca/issuing.key.pem',
    damage: (path) => writeFileSync(path, Buffer.alloc(200, 0x5a)),
    message: /corrupt/,
    hint: /backup/,
  },
  {
    name: 'a key file is cut off',
    file: 'ca/issuing.key.pem',
    damage: (path) => truncateSync(path, 150),
    message: /corrupt/,
    hint: /backup/,
  },
  {
    name: 'a key file is empty',
    file: 'ca/audit.key.pem',
    damage: (path) => truncateSync(path, 0),
    message: /corrupt/,
    hint: /backup/,
  },
  {
    name: 'a key file is missing',
    file: 'ca/service.key.pem',
    damage: (path) => rmSync(path),
    message: /missing/,
    hint: /backup/,
  },
  {
    name: 'the key of another authority stands in the file',
    file: 'ca/issuing.key.pem',
    damage: (path) => cpSync(path.replace('issuing', 'service'), path),
    message: /does not belong to the certificate/,
    hint: /backup/,
  },
  ...[0o640, 0o604, 0o620].map(
    (mode): Fault => ({
      name: `a key file has mode ${mode.toString(8)}`,
      file: 'ca/issuing.key.pem',
      damage: (path) => chmodSync(path, mode),
      message: new RegExp(`mode 0${mode.toString(8)}: group or others may use it`),
      hint: /chmod 600/,
    }),
  ),
];

const passphraseFaults: readonly Fault[] = [
  {
    name: 'the passphrase is wrong',
    file: 'ca/issuing.key.pem',
    damage: (path) => writeFileSync(passphraseBeside(path), 'not the passphrase\n', { mode: 0o600 }),
    // A wrong passphrase decrypts to something that looks padded once in 256 times.
    message: /passphrase/,
    hint: /passphrase file/,
  },
  {
    name: 'the passphrase file is missing',
    file: 'secrets/passphrase',
    damage: (path) => rmSync(path),
    message: /does not exist/,
    hint: /core\.keys\.passphrase/,
  },
  {
    name: 'the passphrase file is empty',
    file: 'secrets/passphrase',
    damage: (path) => truncateSync(path, 0),
    message: /empty/,
    hint: /core\.keys\.passphrase/,
  },
  {
    name: 'others may read the passphrase file',
    file: 'secrets/passphrase',
    damage: (path) => chmodSync(path, 0o644),
    message: /mode 0644: group or others may use it/,
    hint: /chmod 600/,
  },
];

const databaseFaults: readonly Fault[] = [
  {
    name: 'the database is another file',
    file: 'core.db',
    damage: (path) => writeFileSync(path, Buffer.alloc(8192, 0x5a)),
    message: /cannot open the database/,
    hint: /backup/,
  },
  {
    name: 'the first page of the database is overwritten',
    file: 'core.db',
    damage: (path) => overwrite(path, 100, 3000),
    message: /database/,
    hint: /backup/,
  },
  {
    name: 'the database is cut off',
    file: 'core.db',
    damage: (path) => truncateSync(path, 20_000),
    message: /database/,
    hint: /backup/,
  },
  {
    name: 'the database is missing',
    file: 'core.db',
    damage: (path) => rmSync(path),
    message: /missing or empty/,
    hint: /backup/,
  },
  {
    name: 'the database is empty',
    file: 'core.db',
    damage: (path) => truncateSync(path, 0),
    message: /missing or empty/,
    hint: /backup/,
  },
];

describe('the core refuses a broken data directory with one message, and loses nothing', () => {
  for (const fault of [...keyFaults, ...passphraseFaults, ...databaseFaults]) {
    test(fault.name, async (context) => {
      const prepared = await prepareDirectory(context);
      const broken = join(prepared.path, fault.file);
      const whole = join(prepared.path, '..', `${prepared.path.split('/').at(-1)}.whole`);
      cpSync(prepared.path, whole, { recursive: true });
      context.after(() => rmSync(whole, { recursive: true, force: true }));

      fault.damage(broken);
      const { message, hint, exitCode } = await launchInVain(prepared.path);
      assert.ok(message.includes(broken), `'${message}' does not name ${broken}`);
      assert.match(message, fault.message);
      assert.match(hint ?? '', fault.hint);
      assert.notEqual(exitCode, 0);

      // What the advice says: the file comes back from the backup.
      for (const file of [fault.file, 'secrets/passphrase']) cpSync(join(whole, file), join(prepared.path, file));
      for (const file of ['core.db-wal', 'core.db-shm']) rmSync(join(prepared.path, file), { force: true });
      await assertIntact(prepared);
    });
  }

  test('the database was made by a newer version', async (context) => {
    const prepared = await prepareDirectory(context);
    changeDatabase(prepared.path, "INSERT INTO gatehouseMigration VALUES ('9999-later', 0)");
    const { message, hint } = await launchInVain(prepared.path);
    assert.match(message, /newer than this program.*9999-later/);
    assert.match(hint ?? '', /newer version/);
    changeDatabase(prepared.path, "DELETE FROM gatehouseMigration WHERE name = '9999-later'");
    await assertIntact(prepared);
  });

  test('the clock shows a time before the CA begins', async (context) => {
    const prepared = await prepareDirectory(context);
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() - 2 * 3_600_000 });
    const { message, hint } = await launchInVain(prepared.path);
    context.mock.timers.reset();
    assert.match(message, /the clock shows .*before .*root\.pem begins \(notBefore /);
    assert.match(hint ?? '', /clock/);
    await assertIntact(prepared);
  });

  for (const setting of ['core.listen.port', 'core.management.port']) {
    test(`the port of ${setting} is taken`, async (context) => {
      const prepared = await prepareDirectory(context);
      const port = await takePort(context);
      const { message, hint } = await launchInVain(prepared.path, [`${setting}=${port}`]);
      assert.match(message, new RegExp(`127\\.0\\.0\\.1:${port}.* taken`));
      assert.ok((hint ?? '').includes(setting));
      await assertIntact(prepared);
    });
  }
});

function passphraseBeside(keyFile: string): string {
  return join(keyFile, '../../secrets/passphrase');
}

/** Turns one bit in the middle of the encrypted octets. */
function corrupted(pem: Uint8Array): Uint8Array {
  const place = Math.floor(pem.length / 2);
  const letter = pem[place] === 0x41 ? 0x42 : 0x41;
  return Buffer.concat([pem.subarray(0, place), Buffer.from([letter]), pem.subarray(place + 1)]);
}

function overwrite(path: string, from: number, octets: number): void {
  const contents = readFileSync(path);
  contents.fill(0x5a, from, from + octets);
  writeFileSync(path, contents);
}

function changeDatabase(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'core.db'));
  database.exec(sql);
  database.close();
}

async function takePort(context: TestContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
