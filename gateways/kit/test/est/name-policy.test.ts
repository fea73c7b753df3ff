import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileNamePatterns, NamePatternError, namePatternsSchema } from '@gatehouse/gateway-kit/est/name-policy';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { attribute } from '@gatehouse/pkix/names';
import fc from 'fast-check';

type Patterns = Parameters<typeof namePatternsSchema.parse>[0];
const policy = (patterns: Patterns) => compileNamePatterns(namePatternsSchema.parse(patterns));
const refused = (
  patterns: Patterns,
  names: readonly GeneralName[],
  subject: readonly [string, string][] = [],
  label = 'l',
) => policy(patterns)({ subject: subject.map(([type, value]) => [attribute(type, value)]), names }, label);
const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const ip = (value: string): GeneralName => ({ kind: 'ip', value });
const uri = (value: string): GeneralName => ({ kind: 'uri', value });

describe('name patterns of a user or certificate', () => {
  it('allow no name without an entry for its kind', () => {
    assert.deepEqual(
      refused({}, [
        dns('a.example'),
        ip('10.0.0.1'),
        uri('https://a.example/'),
        { kind: 'email', value: 'a@b.example' },
      ]),
      ['DNS:a.example', 'IP:10.0.0.1', 'URI:https://a.example/', 'email:a@b.example'],
    );
  });

  it('allow a domain and what is below it, on a label boundary and without case', () => {
    const patterns = { dnsSuffixes: ['example.com'] };
    assert.deepEqual(refused(patterns, [dns('example.com'), dns('A.b.EXAMPLE.com'), dns('*.example.com')]), []);
    assert.deepEqual(refused(patterns, [dns('badexample.com'), dns('example.com.evil'), dns('com')]).length, 3);
  });

  it('allow nothing that only ends in the characters of a suffix', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,10}$/), (prefix) => {
        assert.equal(refused({ dnsSuffixes: ['example.com'] }, [dns(`${prefix}example.com`)]).length, 1);
        assert.equal(refused({ dnsSuffixes: ['example.com'] }, [dns(`${prefix}.example.com`)]).length, 0);
      }),
    );
  });

  it('allow addresses within a range', () => {
    const patterns = { ipRanges: ['127.0.0.0/8', '::1', '2001:db8::/32'] };
    assert.deepEqual(refused(patterns, [ip('127.1.2.3'), ip('::1'), ip('2001:db8::5')]), []);
    assert.deepEqual(refused(patterns, [ip('128.0.0.1'), ip('::2'), ip('2001:db9::5')]).length, 3);
  });

  it('allow URIs by whole segments of the path, read as they stand', () => {
    const patterns = { uriPrefixes: ['https://a.example/team', 'urn:dev:'] };
    assert.deepEqual(refused(patterns, [uri('https://a.example/team/x'), uri('urn:dev:ops:1')]), []);
    assert.equal(
      refused(patterns, [
        uri('https://a.example/teamwork'),
        uri('https://a.example/team/../other'),
        uri('https://a.example/team/%2e%2e/other'),
        uri('https://user@a.example/team/x'),
      ]).length,
      4,
    );
  });

  it('allow URIs by whole authority and prefix of the path', () => {
    const patterns = { uriPrefixes: ['spiffe://example.org/ns/', 'https://a.example'] };
    assert.deepEqual(refused(patterns, [uri('spiffe://example.org/ns/x'), uri('HTTPS://A.example/p')]), []);
    assert.equal(
      refused(patterns, [
        uri('https://a.example.evil/'),
        uri('spiffe://example.org/other'),
        uri('https://a.example@evil/'),
      ]).length,
      3,
    );
  });

  it('allow subject attributes by type, pattern and label', () => {
    const patterns = { subjectAttributes: ['device-identity:serialNumber=*', 'ca:7:O=Exa*le', 'CN=sensor-*'] };
    assert.deepEqual(refused(patterns, [], [['CN', 'sensor-1']]), []);
    assert.deepEqual(refused(patterns, [], [['CN', 'x']]), ['CN=x']);
    assert.deepEqual(refused(patterns, [], [['serialNumber', '12']], 'device-identity'), []);
    assert.deepEqual(refused(patterns, [], [['serialNumber', '12']], 'other'), ['serialNumber=12']);
    assert.deepEqual(refused(patterns, [], [['O', 'Example']], 'ca:7'), []);
  });

  it('allow a common name that is an allowed host', () => {
    assert.deepEqual(refused({ dnsSuffixes: ['example.com'] }, [], [['CN', 'a.example.com']]), []);
    assert.deepEqual(refused({ ipRanges: ['127.0.0.0/8'] }, [], [['CN', '127.0.0.1']]), []);
    assert.deepEqual(refused({ dnsSuffixes: ['*'] }, [], [['CN', 'not a host']]), ['CN=not a host']);
  });

  it('treat a star as any run of characters and nothing else as special', () => {
    const text = fc.stringMatching(/^[a-z.+()[\]]{0,6}$/);
    fc.assert(
      fc.property(text, text, text, fc.stringMatching(/^[a-z]{0,4}$/), (a, b, c, run) => {
        const patterns = { subjectAttributes: [`CN=${a}*${b}*${c}`] };
        assert.deepEqual(refused(patterns, [], [['CN', `${a}${run}${b}${run}${c}`]]), []);
        assert.equal(
          refused(patterns, [], [['CN', `!${a}${run}${b}${run}${c}!`]]).length,
          a === '' && c === '' ? 0 : 1,
        );
      }),
    );
  });

  it('are refused when they mean nothing', () => {
    for (const patterns of [
      { dnsSuffixes: ['a b'] },
      { ipRanges: ['10.0.0.0/33'] },
      { ipRanges: ['x'] },
      { uriPrefixes: ['example.com'] },
      { uriPrefixes: ['https://'] },
      { subjectAttributes: ['nonsense=*'] },
      { subjectAttributes: ['CN'] },
    ]) {
      assert.throws(() => policy(patterns), NamePatternError);
    }
  });
});
