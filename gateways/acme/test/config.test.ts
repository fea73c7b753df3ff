import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { acmeSchema, baseUrls } from '../src/config.ts';

const parse = (text: string) => parseYamlWithSchema(`core: { credential: c }\n${text}`, acmeSchema, 'gatehouse.yaml');
const problemsOf = (text: string): string => {
  const result = parse(text);
  return result.ok ? '' : result.message;
};
const basesOf = (text: string, port = 8555) => {
  const result = parse(text);
  assert.ok(result.ok);
  return baseUrls(result.value, port);
};

describe('the section acme of gatehouse.yaml', () => {
  it('needs nothing but a credential', () => {
    assert.equal(problemsOf(''), '');
  });

  it('takes base URLs of one spelling alone', () => {
    assert.equal(problemsOf('baseUrl: https://acme.example.com/ca\n'), '');
    for (const url of [
      'http://a.example',
      'https://A.example',
      'https://a.example:443',
      'https://a.example/?x',
      'https://u@a.example',
      'a.example',
      'https://a.example/%41/..',
    ]) {
      assert.match(problemsOf(`baseUrl: ${url}\n`), /baseUrl/, url);
      assert.match(problemsOf(`aliases: ['${url}']\n`), /aliases/, url);
    }
  });

  it('makes a base URL of the address that is listened on, or of the first name', () => {
    assert.deepEqual(basesOf('', 1234), ['https://127.0.0.1:1234']);
    assert.deepEqual(basesOf('listen: { host: 0.0.0.0 }\nnames: [acme.example.com]\n', 443), [
      'https://acme.example.com',
    ]);
    assert.deepEqual(basesOf("listen: { host: '::1' }\n"), ['https://[::1]:8555']);
    assert.deepEqual(basesOf('baseUrl: https://a.example/\naliases: [https://b.example/x/, https://a.example]\n'), [
      'https://a.example',
      'https://b.example/x',
    ]);
  });

  it('refuses a default profile that is none, no profiles, and names that URLs cannot hold', () => {
    assert.match(problemsOf('defaultProfile: x\n'), /there is no profile 'x'/);
    assert.match(problemsOf('profiles: {}\n'), /needs a profile/);
    assert.match(problemsOf("profiles: { 'a b': { profile: p, description: d } }\n"), /profiles/);
    assert.match(problemsOf('profiles: { a: { profile: p, description: d, methods: [http-02] } }\n'), /methods/);
  });

  it('keeps the tokens of challenges for 30 days at most', () => {
    assert.match(problemsOf('challengeTokenLife: 31d\n'), /at most 30d/);
  });

  it('takes a connection string as a secret alone', () => {
    assert.equal(problemsOf('database: { postgres: { environment: ACME_DATABASE } }\n'), '');
    assert.match(problemsOf('database: { postgres: "postgres://user:password@host/db" }\n'), /database/);
  });

  it('names the nearest key for one that it does not know', () => {
    assert.match(problemsOf('termOfService: x\n'), /termsOfService/);
  });
});
