import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import { type GeneralName, parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import fc from 'fast-check';
import { checkScope, compileScope, type NameScope, parseScope } from '../../src/enrollment/name-scope.ts';
import { outOfScope, refusal } from './expect.ts';

const nothing: NameScope = { dnsSuffixes: [], ipRanges: [], uriPrefixes: [], emailDomains: [], subjectAttributes: [] };

/** Whether a certificate of `profile` with these names is within a scope. */
function passes(scope: Partial<NameScope>, names: readonly GeneralName[], subject = '', profile = 'test'): boolean {
  try {
    checkScope(compileScope({ ...nothing, ...scope }), profile, { subject: parseName(subject), names });
    return true;
  } catch (error) {
    assert.ok(error instanceof CoreError && error.code === 'out-of-scope', String(error));
    return false;
  }
}

const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const ip = (value: string): GeneralName => ({ kind: 'ip', value });
const uri = (value: string): GeneralName => ({ kind: 'uri', value });
const email = (value: string): GeneralName => ({ kind: 'email', value });

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

describe('scope: names of one profile', () => {
  const scope = {
    dnsSuffixes: ['*', 'gateway-tls:acme.example.com'],
    ipRanges: ['10.0.0.0/8', 'fd00::/8', 'gateway-tls:10.0.0.1', 'gateway-tls:fd00::1'],
  };

  it('are all that the profile may have', () => {
    const own = [dns('acme.example.com'), ip('10.0.0.1'), ip('fd00::1')];
    assert.ok(own.every((name) => passes(scope, [name], '', 'gateway-tls')));
    const others = [dns('example.com'), dns('victim.example'), ip('10.0.0.2'), ip('fd00::2')];
    assert.ok(others.every((name) => !passes(scope, [name], '', 'gateway-tls')));
    assert.ok([...own, ...others].every((name) => passes(scope, [name], '', 'tls-server-validated')));
  });

  it('shut out all of the kinds that they do not name', () => {
    const names = { dnsSuffixes: ['*', 'gateway-tls:acme.example.com'], ipRanges: ['*'] };
    assert.ok(!passes(names, [ip('10.0.0.1')], '', 'gateway-tls'));
    assert.ok(!passes(names, [], 'CN=10.0.0.1', 'gateway-tls'));
  });
});

describe('scope: DNS suffixes', () => {
  const scope = { dnsSuffixes: ['example.com', 'localhost'] };

  for (const name of [
    'example.com',
    'a.example.com',
    'a.b.c.example.com',
    'A.EXAMPLE.com',
    'localhost',
    '*.example.com',
  ]) {
    it(`lets ${name} pass`, () => assert.ok(passes(scope, [dns(name)])));
  }

  for (const name of [
    'evilexample.com',
    'example.com.evil.test',
    'example.com.',
    'a..example.com',
    '.example.com',
    'com',
    '*.com',
    '*example.com',
    '*.*.example.com',
    'example.comm',
    'xexample.com',
    'example.org',
    'ex\u0430mple.com',
    'a.example.com\0.evil.test',
    'a/example.com',
    '',
  ]) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.ok(!passes(scope, [dns(name)])));
  }

  it('lets a name pass exactly when it is a suffix or ends in a dot and a suffix', () => {
    fc.assert(
      fc.property(host, host, fc.constantFrom('', '.', 'x', '-', 'evil'), (suffix, prefix, glue) => {
        fc.pre(!/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(suffix));
        const name = `${prefix}${glue}${suffix}`;
        const isWithin = name === suffix || name.endsWith(`.${suffix}`);
        if (passes({ dnsSuffixes: [suffix] }, [dns(name)])) assert.ok(isWithin, name);
        assert.ok(passes({ dnsSuffixes: [suffix] }, [dns(suffix), dns(`*.${suffix}`)]));
        assert.ok(passes({ dnsSuffixes: [suffix] }, [dns(`${prefix}.${suffix}`)]));
      }),
      { numRuns: 300 },
    );
  });

  it('allows every host name with *, and still nothing that is none', () => {
    const all = { dnsSuffixes: ['*'] };
    assert.ok(passes(all, [dns('a.test'), dns('*.b.test')]));
    for (const name of ['a.test.', 'a b', '192.0.2.1', '*']) assert.ok(!passes(all, [dns(name)]), name);
  });
});

describe('scope: IP ranges', () => {
  it('keeps the versions apart', () => {
    const scope = { ipRanges: ['127.0.0.0/8', '::1/128'] };
    assert.ok(passes(scope, [ip('127.0.0.1'), ip('127.255.255.255'), ip('::1')]));
    for (const text of ['128.0.0.0', '::2', '::ffff:7f00:1', '::ffff:127.0.0.1', '::7f00:1', '10.0.0.1']) {
      assert.ok(!passes(scope, [ip(text)]), text);
    }
  });

  it('never lets an IPv4-mapped address pass, whatever the scope', () => {
    for (const ipRanges of [['*'], ['::/0', '0.0.0.0/0']]) {
      assert.ok(!passes({ ipRanges }, [ip('::ffff:a00:1')]));
      assert.ok(passes({ ipRanges }, [ip('10.0.0.1'), ip('2001:db8::1')]));
    }
  });

  it('agrees with node about every address and range', () => {
    const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const v4 = octets(4).map((bytes) => bytes.join('.'));
    const v6 = octets(16).map((bytes) => (Buffer.from(bytes).toString('hex').match(/.{4}/g) ?? []).join(':'));
    const check = (base: string, bits: number, candidate: string, kind: 'ipv4' | 'ipv6') => {
      const list = new BlockList();
      list.addSubnet(base, bits, kind);
      let isEntry = true;
      try {
        parseScope({ ...nothing, ipRanges: [`${base}/${bits}`] });
      } catch {
        isEntry = false;
      }
      if (isEntry)
        assert.equal(passes({ ipRanges: [`${base}/${bits}`] }, [ip(candidate)]), list.check(candidate, kind));
    };
    fc.assert(
      fc.property(v4, fc.nat(8), v4, (base, bits, candidate) => check(masked4(base, bits), bits, candidate, 'ipv4')),
    );
    fc.assert(
      fc.property(v6, v6, fc.constantFrom(0, 128), (base, candidate, bits) =>
        check(bits === 0 ? '::' : base, bits, candidate, 'ipv6'),
      ),
    );
  });

  function masked4(address: string, bits: number): string {
    const [first = 0] = address.split('.').map(Number);
    return `${first & (0xff00 >> bits) & 0xff}.0.0.0`;
  }
});

describe('scope: URI prefixes', () => {
  const scope = {
    uriPrefixes: ['https://example.com', 'spiffe://example.org/ns/', 'https://example.net:8443/app', 'urn:dev:'],
  };

  for (const text of [
    'https://example.com',
    'https://example.com/',
    'https://example.com/a/b?c#d',
    'HTTPS://EXAMPLE.com/a',
    'spiffe://example.org/ns/prod/sa/web',
    'https://example.net:8443/app',
    'https://example.net:8443/app/x',
    'https://example.net:8443/app?x',
    'urn:dev:mac:0024befffe804ff1',
  ]) {
    it(`lets ${text} pass`, () => assert.ok(passes(scope, [uri(text)])));
  }

  for (const text of [
    'https://example.com.evil.test/',
    'https://example.com@evil.test/',
    'https://user@example.com/',
    'https://example.com:443@evil.test/',
    'https://example.com:8443/',
    'https://example.comevil/',
    'http://example.com/',
    'https://example.net:8443/application',
    'https://example.net:8443/App',
    'https://example.net/app',
    'spiffe://example.org/ns',
    'spiffe://example.org/other',
    'spiffe://example.org/ns/../admin',
    'spiffe://example.org/ns/%2e%2e/admin',
    'spiffe://example.org/ns/.%2E/admin',
    'spiffe://example.org/ns/..',
    'spiffe://example.org/ns/a%2fb',
    'spiffe://example.org/ns/..%5cadmin',
    'spiffe://example.org.evil.test/ns/a',
    'https://evil.test/https://example.com/',
    'https://evil.test/?https://example.com',
    'urn:device:x',
    'mailto:example.com',
    '//example.com/',
    'example.com',
    '',
  ]) {
    it(`refuses ${text}`, () => assert.ok(!passes(scope, [uri(text)])));
  }

  it('lets nothing pass that a URL parser reads as another host, scheme, port or path', () => {
    const piece = fc.constantFrom(
      'https:',
      'http:',
      '//',
      '/',
      'example.com',
      'evil.test',
      '@',
      ':',
      '443',
      '8443',
      '.',
      '..',
      '%2e',
      '%2f',
      '\\',
      '?',
      '#',
      'app',
      'user',
    );
    const entry = 'https://example.com/app';
    const text = fc.oneof(
      fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `https://${pieces.join('')}`),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `${entry}${pieces.join('')}`),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        if (!passes({ uriPrefixes: [entry] }, [uri(candidate)])) return;
        const url = new URL(candidate);
        assert.equal(`${url.protocol}//${url.host}`, 'https://example.com', candidate);
        assert.equal(url.username + url.password, '', candidate);
        assert.match(url.pathname, /^\/app(?:\/|$)/, candidate);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('scope: e-mail domains', () => {
  const scope = { emailDomains: ['example.com'] };

  it('means the domain exactly', () => {
    assert.ok(passes(scope, [email('a@example.com'), email('A.b+c@EXAMPLE.com'), email('"x@evil.test"@example.com')]));
    for (const text of [
      'a@sub.example.com',
      'a@evilexample.com',
      'a@example.com.evil.test',
      'a@evil.test',
      '"a@example.com"@evil.test',
      '@example.com',
      'example.com',
      'a@example.com.',
    ]) {
      assert.ok(!passes(scope, [email(text)]), text);
    }
  });
});

describe('scope: subject attributes', () => {
  it('compares patterns character by character, with * for any run', () => {
    const scope = { subjectAttributes: ['O=Example*', 'OU=*dev*ops*', 'serialNumber=*', '2.5.4.6=DE'] };
    assert.ok(passes(scope, [], 'CN=1,O=Example', 'x') === false);
    assert.ok(passes(scope, [], 'serialNumber=SN-1,OU=mydev-x-opsy,O=Example Ltd,C=DE'));
    for (const subject of [
      'O=example',
      'O=An Example',
      'OU=opsdev',
      'OU=dev',
      'C=DEU',
      'C=de',
      'L=x',
      'O=Ex\u200bample',
    ]) {
      assert.ok(!passes(scope, [], subject), subject);
    }
  });

  it('binds an entry to a profile', () => {
    const scope = { subjectAttributes: ['device-identity:CN=*', 'sub-ca:*'] };
    assert.ok(passes(scope, [], 'CN=anything', 'device-identity'));
    assert.ok(!passes(scope, [], 'O=anything', 'device-identity'));
    assert.ok(passes(scope, [], 'CN=a,O=b', 'sub-ca'));
    assert.ok(!passes(scope, [], 'CN=anything', 'tls-server'));
  });

  it('lets a common name pass that is a host within the scope, and no other', () => {
    const scope = { dnsSuffixes: ['example.com'], ipRanges: ['10.0.0.0/8'] };
    for (const name of ['example.com', 'A.example.com', '*.example.com', '10.1.2.3'])
      assert.ok(passes(scope, [], `CN=${name}`), name);
    for (const name of ['evilexample.com', 'example.com.', 'Alice', '11.0.0.1', '::ffff:10.0.0.1', 'a@example.com']) {
      assert.ok(!passes(scope, [], `CN=${name}`), name);
    }
    assert.ok(!passes(scope, [], 'O=example.com'));
  });

  it('matches what a regular expression with the same meaning matches', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'ab', '.', '+'), { maxLength: 8 }).map((parts) => parts.join(''));
    const pattern = fc
      .array(fc.constantFrom('a', 'b', '*', '.'), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (glob, value) => {
        fc.pre(value !== '');
        const expected = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(value);
        const subject = [[{ type: attributeTypes.O, value, tag: 0x0c }]];
        const scope = compileScope({ ...nothing, subjectAttributes: [`O=${glob}`] });
        let isWithin = true;
        try {
          checkScope(scope, 'test', { subject, names: [] });
        } catch {
          isWithin = false;
        }
        assert.equal(isWithin, expected, `${glob} ${value}`);
      }),
      { numRuns: 1000 },
    );
  });

  it('does not bound what the profile dictates', () => {
    const names = {
      subject: parseName('CN=a.example.com,O=Acme'),
      names: [],
      dictatedAttributes: new Set([attributeTypes.O]),
    };
    checkScope(compileScope({ ...nothing, dnsSuffixes: ['example.com'] }), 'test', names);
  });
});

describe('scope: what nobody said', () => {
  it('refuses each kind without an entry', () => {
    for (const text of [
      'DNS:a.test',
      'IP:10.0.0.1',
      'URI:https://a.test/',
      'email:a@a.test',
      'dirName:CN=a',
      'RID:1.2.3',
      'otherName:1.2.3;#0500',
    ]) {
      assert.ok(!passes({}, [parseGeneralName(text)]), text);
    }
    assert.ok(!passes({}, [], 'CN=a.test'));
  });

  it('judges directory names by their attributes, and refuses kinds that no entry can name', () => {
    const scope = {
      dnsSuffixes: ['*'],
      ipRanges: ['*'],
      uriPrefixes: ['*'],
      emailDomains: ['*'],
      subjectAttributes: ['*'],
    };
    assert.ok(passes(scope, [parseGeneralName('dirName:CN=a,O=b')]));
    assert.ok(!passes({ subjectAttributes: ['CN=*'] }, [parseGeneralName('dirName:CN=a,O=b')]));
    for (const text of ['RID:1.2.3', 'otherName:1.2.3;#0500'])
      assert.ok(!passes(scope, [parseGeneralName(text)]), text);
  });

  it('tells each offender, and no name that passed', () => {
    const scope = compileScope({ ...nothing, dnsSuffixes: ['example.com'] });
    assert.throws(
      () =>
        checkScope(scope, 'test', {
          subject: parseName('O=x'),
          names: [dns('a.example.com'), dns('a.test'), ip('::1')],
        }),
      (error) => {
        outOfScope(/^O='x' is outside .* \(and 2 more\)$/)(error);
        assert.ok(error instanceof CoreError);
        assert.deepEqual(
          error.names.map(({ type }) => type),
          ['out-of-scope', 'out-of-scope', 'out-of-scope'],
        );
        assert.deepEqual(error.names[1]?.name, { name: { $case: 'dns', value: 'a.test' } });
        assert.deepEqual(error.names[2]?.name, { name: { $case: 'ip', value: '::1' } });
        return true;
      },
    );
  });
});

describe('scope: entries', () => {
  for (const [kind, entry, why] of [
    ['dnsSuffixes', '*.example.com', /write 'example\.com'/],
    ['dnsSuffixes', '.example.com', /write 'example\.com'/],
    ['dnsSuffixes', 'example.com.', /not a domain/],
    ['dnsSuffixes', 'b\u00fccher.example', /not a domain in ASCII/],
    ['dnsSuffixes', '10.0.0.1', /not a domain/],
    ['dnsSuffixes', '', /not a domain/],
    ['ipRanges', '10.0.0.1/8', /write '10\.0\.0\.0\/8' or '10\.0\.0\.1'/],
    ['ipRanges', '10.0.0.0/33', /not a range/],
    ['ipRanges', '10.0.0', /not a range/],
    ['ipRanges', 'gateway-tls:10.0.0', /'10\.0\.0' is not a range/],
    ['ipRanges', '-tls:10.0.0.1', /does not begin with a profile/],
    ['dnsSuffixes', 'gateway-tls:*.example.com', /is not a domain/],
    ['dnsSuffixes', 'gateway-tls:', /is not a domain/],
    ['ipRanges', '::ffff:10.0.0.0/104', /write it as IPv4/],
    ['uriPrefixes', 'example.com', /not the beginning of a URI/],
    ['uriPrefixes', 'https://', /not the beginning of a URI/],
    ['uriPrefixes', 'https://exam', undefined],
    ['uriPrefixes', 'https://user@example.com/', /no user/],
    ['uriPrefixes', 'https://example.com/../', /two ways/],
    ['uriPrefixes', 'https://example.com/?a', /beyond the path/],
    ['uriPrefixes', 'urn:', /ends after the scheme/],
    ['emailDomains', 'a@example.com', /leave out/],
    ['emailDomains', '.example.com', /not a domain/],
    ['subjectAttributes', 'CN', /is not '\[profile:\]type=pattern'/],
    ['subjectAttributes', 'CN=', /write '\*' for any value/],
    ['subjectAttributes', 'commonName=x', /names no subject attribute/],
    ['subjectAttributes', 'serialnumber=x', /did you mean 'serialNumber'/],
    ['subjectAttributes', '-:CN=*', /does not begin with a profile/],
  ] as const) {
    it(`${why === undefined ? 'accepts' : 'refuses'} ${kind} ${JSON.stringify(entry)}`, () => {
      const parse = () => parseScope({ ...nothing, [kind]: [entry] });
      if (why === undefined) parse();
      else assert.throws(parse, refusal('malformed', why));
    });
  }

  it('takes a single address for a range of one', () => {
    assert.ok(passes({ ipRanges: ['10.0.0.1', '::1'] }, [ip('10.0.0.1'), ip('::1')]));
    assert.ok(!passes({ ipRanges: ['10.0.0.1'] }, [ip('10.0.0.2')]));
  });
});
