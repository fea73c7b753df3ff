import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { z } from 'zod';
import { load, problems } from '../support/configuration.ts';

describe('configuration: --set', () => {
  test('overrides the file, with values as YAML scalars and flow values', (context) => {
    const value = load(context, {
      text: 'est:\n  listen:\n    port: 1\n    host: a\n',
      set: ['est.listen.port=2', 'est.labels.tls={profile: tls-server, names: [a, b]}', 'est.timeout=2m', 'core.x=1'],
    });
    assert.deepEqual(value.listen, { host: 'a', port: 2, maximumConnections: 100 });
    assert.deepEqual(value.labels, { tls: { profile: 'tls-server', names: ['a', 'b'] } });
    assert.equal(value.timeout, 120_000);
  });

  for (const text of ['1234', 'true', 'null', '0x10', 'a: b: c', '[', '2026-01-01', 'x=y', '', '{a']) {
    test(`takes ${JSON.stringify(text)} as it is where a text is wanted`, (context) => {
      assert.equal(load(context, { set: [`est.realm=${text}`] }).realm, text);
    });
  }

  test('reaches into lists, and appends to them', (context) => {
    const text = 'est:\n  labels:\n    tls: { profile: p, names: [a, b] }\n';
    const value = load(context, { text, set: ['est.labels.tls.names.1=c', 'est.labels.tls.names.2=d'] });
    assert.deepEqual(value.labels.tls?.names, ['a', 'c', 'd']);
    assert.deepEqual(problems(context, { text, set: ['est.labels.tls.names.7=c'] }), [
      '--set est.labels.tls.names.7: est.labels.tls.names.7: the list has no item 7',
    ]);
  });

  test('takes keys with dots in double quotes', (context) => {
    const value = load(context, { set: ['est.labels."a.b".profile=p'] });
    assert.deepEqual(Object.keys(value.labels), ['a.b']);
  });

  test('does not change another place that a YAML alias shares', (context) => {
    const text = 'est:\n  labels:\n    a: &x { profile: p }\n    b: *x\n';
    const value = load(context, { text, set: ['est.labels.a.profile=q'] });
    assert.deepEqual([value.labels.a?.profile, value.labels.b?.profile], ['q', 'p']);
  });

  test('with an unknown key names the nearest known one', (context) => {
    assert.deepEqual(problems(context, { set: ['est.listen.prot=1'] }), [
      "--set est.listen.prot: est.listen.prot: unknown key; did you mean 'port'?",
    ]);
  });

  test('with a wrong value says that it came from --set', (context) => {
    assert.deepEqual(problems(context, { set: ['est.listen.port=99999'] }), [
      '--set est.listen.port: est.listen.port: must be at most 65535',
    ]);
  });

  test('without a path or value says how to write it', (context) => {
    for (const text of ['est.listen.port', '=1', '.=1', 'est..port=1']) {
      assert.match(problems(context, { set: [text] })[0] ?? '', /write it as path=value/);
    }
  });

  test('cannot replace the whole section, nor reach a prototype', (context) => {
    assert.match(problems(context, { set: ['est={}'] })[0] ?? '', /name a key of the section/);
    assert.match(problems(context, { set: ['est.__proto__.polluted=1'] })[0] ?? '', /unknown key/);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  test('for an unknown section is an error when the sections are known', (context) => {
    assert.match(
      problems(context, { set: ['ets.listen.port=1'], sections: ['core', 'est'] })[0] ?? '',
      /did you mean 'est'/,
    );
  });
});

describe('configuration: GATEHOUSE_ variables', () => {
  for (const name of [
    'GATEHOUSE_EST_LISTEN_MAXIMUMCONNECTIONS',
    'GATEHOUSE_EST_LISTEN_MAXIMUM_CONNECTIONS',
    'GATEHOUSE_EST_LISTEN_maximumConnections',
  ]) {
    test(`${name} is listen.maximumConnections`, (context) => {
      assert.equal(load(context, { environment: { [name]: '7' } }).listen.maximumConnections, 7);
    });
  }

  test('override the file, and --set overrides them', (context) => {
    const given = { text: 'est:\n  realm: file\n', environment: { GATEHOUSE_EST_REALM: 'variable' } };
    assert.equal(load(context, given).realm, 'variable');
    assert.equal(load(context, { ...given, set: ['est.realm=set'] }).realm, 'set');
  });

  test('take flow values for what has keys of its own', (context) => {
    const value = load(context, { environment: { GATEHOUSE_EST_LABELS: '{tls: {profile: p}}' } });
    assert.equal(value.labels.tls?.profile, 'p');
  });

  test('reach the entries that the file has', (context) => {
    const text = 'est:\n  labels:\n    device-id: { profile: p, names: [a] }\n';
    const value = load(context, {
      text,
      environment: { GATEHOUSE_EST_LABELS_DEVICE_ID_PROFILE: 'q', GATEHOUSE_EST_LABELS_DEVICEID_NAMES_0: 'b' },
    });
    assert.deepEqual(value.labels['device-id'], { profile: 'q', names: ['b'] });
  });

  test('of other sections, and those that no section owns, are passed over', (context) => {
    const environment = {
      GATEHOUSE_DATA: '/data',
      GATEHOUSE_CORE_X: '1',
      GATEHOUSE_LOG_LEVEL: 'info',
      GATEHOUSE_ESTATE_X: '1',
    };
    assert.equal(load(context, { environment }).listen.port, 7030);
  });

  test('that match nothing are errors that name the nearest setting', (context) => {
    assert.deepEqual(problems(context, { environment: { GATEHOUSE_EST_LISTN_PORT: '1' } }), [
      "GATEHOUSE_EST_LISTN_PORT: no such setting; did you mean 'LISTEN_PORT'?",
    ]);
  });

  test('that could mean two settings are errors that name both', () => {
    const ambiguous = z.strictObject({
      listenPort: z.int().optional(),
      listen: z.strictObject({ port: z.int() }).optional(),
    });
    assert.throws(
      () => loadConfiguration({ schema: ambiguous, section: 'est', environment: { GATEHOUSE_EST_LISTEN_PORT: '1' } }),
      /may mean est\.listen\.port or est\.listenPort/,
    );
  });

  test('with a wrong value are named in the error', (context) => {
    assert.deepEqual(problems(context, { environment: { GATEHOUSE_EST_LISTEN_PORT: 'many' } }), [
      'GATEHOUSE_EST_LISTEN_PORT: est.listen.port: must be a number, not a text',
    ]);
  });

  test('that a key names as the place of a secret are not settings', (context) => {
    const environment = { GATEHOUSE_EST_KEY_PHRASE: 'hunter2' };
    const value = load(context, {
      text: 'est:\n  passphrase: { environment: GATEHOUSE_EST_KEY_PHRASE }\n',
      environment,
    });
    assert.deepEqual(value.passphrase, { environment: 'GATEHOUSE_EST_KEY_PHRASE' });
    assert.equal(problems(context, { environment }).length, 1);
  });
});
