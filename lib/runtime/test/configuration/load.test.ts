import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { load, problems, schema } from '../support/configuration.ts';

describe('configuration: the file', () => {
  test('gives its own section, defaults filled in', (context) => {
    const value = load(context, { text: 'core:\n  anything: 1\nest:\n  listen:\n    port: 8443\n  timeout: 1m\n' });
    assert.deepEqual(value.listen, { host: '127.0.0.1', port: 8443, maximumConnections: 100 });
    assert.equal(value.timeout, 60_000);
  });

  for (const text of ['', '# only a comment\n', 'est:\n', 'core: {}\n', '---\n']) {
    test(`gives defaults for ${JSON.stringify(text)}`, (context) =>
      assert.equal(load(context, { text }).listen.port, 7030));
  }

  test('is not needed', () => {
    assert.equal(loadConfiguration({ schema, section: 'est', environment: {} }).listen.port, 7030);
  });

  test('is an error when it was named and is missing', () => {
    assert.throws(() => loadConfiguration({ schema, section: 'est', file: '/nonexistent.yaml' }), {
      message: '/nonexistent.yaml: the file does not exist',
    });
  });

  test('reports all problems at once, each with its line and column', (context) => {
    const text = 'est:\n  listen:\n    prot: 1\n    host: 5\n  labels:\n    tls: { profil: x }\n  mode: strickt\n';
    assert.deepEqual(problems(context, { text }), [
      "gatehouse.yaml:3:5: est.listen.prot: unknown key; did you mean 'port'?",
      "gatehouse.yaml:6:12: est.labels.tls.profil: unknown key; did you mean 'profile'?",
      'gatehouse.yaml:4:5: est.listen.host: must be a text, not a number',
      'gatehouse.yaml:6:5: est.labels.tls.profile: is required',
      "gatehouse.yaml:7:3: est.mode: must be one of: strict, lenient; did you mean 'strict'?",
    ]);
  });

  test('lists the known keys when none is near', (context) => {
    assert.deepEqual(problems(context, { text: 'est:\n  listen:\n    colour: red\n' }), [
      'gatehouse.yaml:3:5: est.listen.colour: unknown key; known here: host, maximumConnections, port',
    ]);
  });

  test('refuses a key that is written twice', (context) => {
    const [problem = ''] = problems(context, { text: 'est:\n  realm: a\n  realm: b\n' });
    assert.match(problem, /^gatehouse\.yaml:3:3: Map keys must be unique/);
  });

  test('names line and column of a syntax error', (context) => {
    const [problem = ''] = problems(context, { text: 'est:\n  listen: [1\n' });
    assert.match(problem, /^gatehouse\.yaml:\d+:\d+: /);
  });

  test('refuses a tab used for indentation', (context) => {
    assert.match(problems(context, { text: 'est:\n\tlisten: 1\n' })[0] ?? '', /^gatehouse\.yaml:2:1: /);
  });

  for (const text of ['- est\n', 'est\n', 'est: 5\n', 'est: [a]\n']) {
    test(`refuses ${JSON.stringify(text)} as a file of sections`, (context) => {
      assert.match(problems(context, { text })[0] ?? '', /must be a mapping/);
    });
  }

  test('refuses aliases that multiply without end', (context) => {
    const rows = Array.from(
      { length: 12 },
      (_, i) => `  a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`,
    );
    const [problem = ''] = problems(context, { text: `x:\n  a0: &a0 [y]\n${rows.join('\n')}\nest: {}\n` });
    assert.match(problem, /alias/i);
  });

  test('never repeats a value, which may be a secret', (context) => {
    const text = 'est:\n  passphrase: hunter2\n  mode: hunter2\n  timeout: {hunter2: hunter2}\n  listen: hunter2\n';
    const message = problems(context, { text })
      .filter((line) => !line.includes('unknown key'))
      .join('\n');
    assert.ok(!message.includes('hunter2'), message);
  });

  test('refuses an unknown section when the sections are known', (context) => {
    assert.deepEqual(problems(context, { text: 'ets: {}\ncore: {}\n', sections: ['core', 'est'] }), [
      "gatehouse.yaml:1:1: ets: unknown section; did you mean 'est'?",
    ]);
  });
});

describe('configuration: unions', () => {
  test('knows the keys of the form that the discriminator chooses', (context) => {
    assert.deepEqual(problems(context, { text: 'est:\n  source:\n    kind: url\n    address: a\n    path: b\n' }), [
      'gatehouse.yaml:5:5: est.source.path: unknown key; known here: address, interval, kind',
    ]);
  });

  test('lists the values of a discriminator that is wrong or missing', (context) => {
    assert.deepEqual(problems(context, { text: 'est:\n  source: { kind: fiel }\n' }), [
      "gatehouse.yaml:2:13: est.source.kind: must be one of: file, url; did you mean 'file'?",
    ]);
    assert.deepEqual(problems(context, { text: 'est:\n  source: {}\n' }), [
      'gatehouse.yaml:2:3: est.source.kind: is required: one of: file, url',
    ]);
  });

  test('says what every form would need when none is nearer than another', (context) => {
    assert.deepEqual(problems(context, { text: 'est:\n  passphrase: {}\n' }), [
      "gatehouse.yaml:2:3: est.passphrase: has none of the allowed forms: 'file' is required, or 'environment' is required",
    ]);
  });

  test('says only which key is mistyped when that is why no form fits', (context) => {
    assert.deepEqual(problems(context, { text: 'est:\n  passphrase: { fiel: x }\n' }), [
      "gatehouse.yaml:2:17: est.passphrase.fiel: unknown key; did you mean 'file'?",
    ]);
  });
});
