import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusConfigurationSchema } from '../../src/revocation/status-configuration.ts';

const baseUrlOf = (baseUrl: unknown) => statusConfigurationSchema.safeParse({ baseUrl });

describe('core.status.baseUrl', () => {
  test('loses the slashes at its end: paths bring their own', () => {
    assert.equal(baseUrlOf('http://status.example.com/pki//').data?.baseUrl, 'http://status.example.com/pki');
    assert.equal(baseUrlOf('http://status.example.com').data?.baseUrl, 'http://status.example.com');
  });

  test('that is left empty is none, so that one start can do without it', () => {
    assert.equal(baseUrlOf(null).success, true);
    assert.equal(baseUrlOf(null).data?.baseUrl, undefined);
    assert.equal(baseUrlOf(undefined).data?.baseUrl, undefined);
  });

  test('RFC 5280 §8: is plain http', () => {
    assert.equal(baseUrlOf('https://status.example.com').success, false);
    assert.equal(baseUrlOf('').success, false);
  });

  test('has no query, which every path would end up in', () => {
    assert.equal(baseUrlOf('http://status.example.com/?pki=1').success, false);
  });
});
