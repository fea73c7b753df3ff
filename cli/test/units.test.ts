import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { coreConfigurationSchema } from '@gatehouse/ca-core/configuration';
import { acmeSchema } from '@gatehouse/gateway-acme/config';
import { coapSchema } from '@gatehouse/gateway-coap/config';
import { estSchema } from '@gatehouse/gateway-est/config';
import { perspectiveSchema } from '@gatehouse/gateway-perspective/config';
import { statusSchema } from '@gatehouse/gateway-status/config';
import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { FatalError } from '@gatehouse/runtime/fatal';
import fc from 'fast-check';
import { z } from 'zod';
import { bracketAddress, reachableAddress, splitAddress } from '../src/address.ts';
import { collectSeparated } from '../src/options.ts';
import { formatTable, printable, shellQuote, shorten } from '../src/output.ts';
import { futureTime, pastTime } from '../src/times.ts';
import { urlOf } from '../src/up/endpoints.ts';
import { openLogFile } from '../src/up/log-file.ts';
import { readLogLine } from '../src/up/log-reader.ts';
import { explainTakenPorts } from '../src/up/ports.ts';
import { sections } from '../src/up/sections.ts';
import { starterConfiguration } from '../src/up/starter-configuration.ts';
import { emptyDirectory } from './support/stack.ts';

describe('what is printed', () => {
  test('never moves the cursor or colours the terminal, whatever stands in a certificate', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(printable(text), /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029]/u);
      }),
    );
    assert.equal(printable('\u001b[31mred'), '\\u{1b}[31mred');
  });

  test('aligns columns and leaves no blank at the end of a line', () => {
    const rows = [
      { a: 'x', b: '' },
      { a: 'longer', b: 'y' },
    ];
    const table = formatTable(rows, [
      ['name', ({ a }) => a],
      ['value', ({ b }) => b],
    ]);
    assert.equal(table, 'NAME    VALUE\nx\nlonger  y');
  });

  test('is a word that a shell reads back as it was', () => {
    assert.equal(shellQuote('/var/lib/gatehouse'), '/var/lib/gatehouse');
    assert.equal(shellQuote("it's"), `'it'\\''s'`);
  });

  test('is cut where a table would get too wide', () => {
    assert.equal(shorten('abcdef', 4), 'abc…');
    assert.equal(shorten('abcd', 4), 'abcd');
  });
});

describe('times behind options', () => {
  const now = new Date('2030-01-01T00:00:00Z');

  test('are a date or a span from now', () => {
    assert.equal(futureTime('--x', '30d', now).toISOString(), '2030-01-31T00:00:00.000Z');
    assert.equal(pastTime('--x', '1d', now).toISOString(), '2029-12-31T00:00:00.000Z');
    assert.equal(futureTime('--x', '2030-06-01', now).toISOString(), '2030-06-01T00:00:00.000Z');
    assert.equal(pastTime('--x', '2030-06-01T12:00:00+02:00', now).toISOString(), '2030-06-01T10:00:00.000Z');
  });

  for (const text of ['', '30', '2030-13-01', '2030-1-1', 'tomorrow', '-3d']) {
    test(`are refused when they are neither: '${text}'`, () => {
      assert.throws(() => futureTime('--expires-before', text, now), FatalError);
    });
  }
});

describe('options that may be repeated', () => {
  test('collect what is separated by commas', () => {
    assert.deepEqual(collectSeparated('a, b,,c', ['z']), ['z', 'a', 'b', 'c']);
  });
});

describe('addresses', () => {
  test('of listeners on all addresses are reached on loopback', () => {
    assert.equal(reachableAddress('0.0.0.0:5280'), '127.0.0.1:5280');
    assert.equal(reachableAddress('[::]:5280'), '[::1]:5280');
    assert.equal(reachableAddress('192.0.2.1:5280'), '192.0.2.1:5280');
    assert.equal(urlOf('https', '0.0.0.0:7030'), 'https://localhost:7030');
    assert.equal(urlOf('https', '[::1]:7030'), 'https://[::1]:7030');
  });

  test('get brackets around an IPv6 host', () => {
    assert.equal(bracketAddress('::1:5280'), '[::1]:5280');
    assert.equal(bracketAddress('[::1]:5280'), '[::1]:5280');
    assert.equal(bracketAddress('localhost:5280'), 'localhost:5280');
  });

  test('with an IPv6 host are divided at the last colon', () => {
    assert.deepEqual(splitAddress('[::1]:5280'), { host: '[::1]', port: '5280' });
  });
});

describe('the configuration that a new directory gets', () => {
  const schema = z.strictObject({
    core: coreConfigurationSchema,
    est: estSchema,
    coap: coapSchema,
    acme: acmeSchema,
    perspective: perspectiveSchema,
    status: statusSchema,
  });

  for (const kind of ['trial', 'production'] as const) {
    test(`is one that every process accepts: ${kind}`, () => {
      const result = parseYamlWithSchema(starterConfiguration(kind), schema, 'gatehouse.yaml');
      assert.ok(result.ok, result.ok ? '' : result.message);
      assert.deepEqual(Object.keys(result.value), sections);
    });
  }

  test('for production has no demo user, no passphrase beside the keys, and waits on all addresses', () => {
    const text = starterConfiguration('production');
    assert.doesNotMatch(text, /demo|secrets\/passphrase/);
    assert.match(text, /environment: GATEHOUSE_PASSPHRASE/);
  });

  test('says where certificates find their status, for trying out and when it was told', () => {
    const baseUrlOf = (text: string) => {
      const result = parseYamlWithSchema(text, schema, 'gatehouse.yaml');
      return result.ok ? result.value.core.status.baseUrl : result.message;
    };
    assert.equal(baseUrlOf(starterConfiguration('trial')), 'http://127.0.0.1:6960');
    assert.equal(baseUrlOf(starterConfiguration('production')), undefined);
    const url = "http://status.example.com/it's,a:pki";
    assert.equal(baseUrlOf(starterConfiguration('production', url)), url);
  });

  test('listens on loopback alone for trying out', () => {
    assert.doesNotMatch(starterConfiguration('trial'), /0\.0\.0\.0/);
  });
});

describe('log files', () => {
  test('keep one full file and begin anew, readable by nobody else', (context) => {
    const path = join(emptyDirectory(context), 'log/core.log');
    const file = openLogFile(path, 10);
    for (const line of ['one', 'two two two', 'three', 'four four four', 'five']) file.write(line);
    file.close();
    file.write('after the end');
    assert.equal(readFileSync(path, 'utf8'), 'five\n');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'three\nfour four four\n');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('that cannot be written do not stop what they are about', () => {
    const file = openLogFile('/dev/null/core.log');
    file.write('lost');
    file.close();
  });
});

describe('lines of a process', () => {
  test('that are records are told in one sentence with their cause', () => {
    const line = JSON.stringify({ level: 'error', msg: 'cannot commit', err: { message: 'the disk is full' } });
    assert.deepEqual(readLogLine(line), {
      kind: 'record',
      level: 'error',
      text: 'cannot commit: the disk is full',
      isTrouble: true,
    });
    assert.equal(readLogLine('{"level":"info","msg":"ready"}').kind, 'record');
  });

  test('that are plain words stay as they are', () => {
    for (const text of ['port 5280 is taken', '{"no":"record"}', '{broken']) {
      assert.deepEqual(readLogLine(text), { kind: 'words', text });
    }
  });
});

describe('ports', () => {
  test('that somebody has are named with their setting and both ways out', async (context) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const host = '127.0.0.1';
    const error = await explainTakenPorts([
      { host, port: 0, setting: 'core.listen.port' },
      { host, port: address.port, setting: 'est.listen.port' },
    ]);
    assert.match(error?.message ?? '', new RegExp(`127.0.0.1:${address.port} \\(est.listen.port\\)$`));
    assert.match(error?.hint ?? '', /--ports auto.*--set est.listen.port=\d+/);
  });

  test('that nobody has are no explanation', async () => {
    assert.equal(await explainTakenPorts([{ host: '127.0.0.1', port: 0, setting: 'core.listen.port' }]), undefined);
  });
});
