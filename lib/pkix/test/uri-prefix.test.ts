import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NameError } from '@gatehouse/pkix/name-error';
import { compileUriPrefix } from '@gatehouse/pkix/uri-prefix';
import fc from 'fast-check';

describe('RFC 3986 §3, §6.2: a URI begins as another', () => {
  for (const [prefix, uri, isCovered] of [
    ['https://example.com', 'HTTPS://Example.com/any', true],
    ['https://example.com', 'https://example.com.evil.test/', false],
    ['https://example.com', 'https://example.com@evil.test/', false],
    ['https://example.com', 'https://user@example.com/', false],
    ['https://example.com', 'https://example.com:444/', false],
    ['https://example.com/team', 'https://example.com/team?x', true],
    ['https://example.com/team', 'https://example.com/teamwork', false],
    ['https://example.com/team', 'https://example.com/Team', false],
    ['https://example.com/team', 'https://example.com/team/../other', false],
    ['https://example.com/team', 'https://example.com/team/%2E%2e/other', false],
    ['https://example.com/team', 'https://example.com/team/a%2fb', false],
    ['urn:dev:', 'urn:dev:ops:1', true],
    ['urn:dev:', 'urn:device:1', false],
  ] as const) {
    it(`${prefix} ${isCovered ? 'covers' : 'does not cover'} ${uri}`, () => {
      assert.equal(compileUriPrefix(prefix)(uri), isCovered);
    });
  }

  it('refuses an entry whose meaning is not clear', () => {
    for (const entry of ['', 'example.com', 'urn:', 'https://', 'https://u@example.com', 'https://example.com/?a']) {
      assert.throws(() => compileUriPrefix(entry), NameError, entry);
    }
  });

  it('judges any text without failing', () => {
    const covers = compileUriPrefix('https://example.com/a');
    fc.assert(fc.property(fc.string(), (text) => assert.ok(!covers(text))));
  });
});
