import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sequence, wrap } from '../src/der/writer.ts';
import { nameConstraints, readNameConstraints } from '../src/extensions.ts';
import { NameError, parseGeneralName } from '../src/general-names.ts';
import { findForbiddenName, isWithin, type NameSubtree, writeNameConstraints } from '../src/name-constraints.ts';
import { parseName } from '../src/names.ts';

const directory = (text: string): NameSubtree => ({ kind: 'directory', value: parseName(text) });
const within = (name: string, subtree: NameSubtree) => isWithin(parseGeneralName(name), subtree);

describe('RFC 5280 §4.2.1.10: subtrees', () => {
  it('of hosts hold the host and all below it', () => {
    const subtree = { kind: 'dns', value: 'host.Example' } as const;
    for (const name of ['DNS:host.example', 'DNS:www.HOST.example', 'DNS:*.host.example'])
      assert.ok(within(name, subtree), name);
    for (const name of ['DNS:myhost.example', 'DNS:example', 'DNS:host.example.org', 'IP:10.0.0.1'])
      assert.ok(!within(name, subtree), name);
    assert.ok(within('DNS:anything', { kind: 'dns', value: '' }));
  });
  it('of addresses hold the range, and only of the same family', () => {
    assert.ok(within('IP:10.255.0.1', { kind: 'ip', value: '10.0.0.0/8' }));
    assert.ok(!within('IP:11.0.0.1', { kind: 'ip', value: '10.0.0.0/8' }));
    assert.ok(within('IP:2001:db8:ffff::1', { kind: 'ip', value: '2001:db8::/32' }));
    assert.ok(!within('IP:2001:db9::1', { kind: 'ip', value: '2001:db8::/32' }));
    assert.ok(!within('IP:1.2.3.4', { kind: 'ip', value: '::/0' }));
    assert.ok(within('IP:1.2.3.4', { kind: 'ip', value: '0.0.0.0/0' }));
    assert.ok(within('IP:10.0.0.9', { kind: 'ip', value: '10.0.0.8/31' }));
    assert.ok(!within('IP:10.0.0.10', { kind: 'ip', value: '10.0.0.8/31' }));
  });
  it('of e-mail are a mailbox, the mailboxes of a host, or of all hosts below one', () => {
    assert.ok(within('email:a@Example.com', { kind: 'email', value: 'a@example.com' }));
    assert.ok(!within('email:A@example.com', { kind: 'email', value: 'a@example.com' }));
    assert.ok(within('email:a@example.com', { kind: 'email', value: 'example.com' }));
    assert.ok(!within('email:a@x.example.com', { kind: 'email', value: 'example.com' }));
    assert.ok(within('email:a@x.example.com', { kind: 'email', value: '.example.com' }));
    assert.ok(!within('email:a@example.com', { kind: 'email', value: '.example.com' }));
  });
  it('of URIs are a host, or all hosts below one', () => {
    assert.ok(within('URI:https://u@Example.com:8443/x', { kind: 'uri', value: 'example.com' }));
    assert.ok(!within('URI:https://x.example.com/', { kind: 'uri', value: 'example.com' }));
    assert.ok(within('URI:https://x.example.com/', { kind: 'uri', value: '.example.com' }));
    assert.ok(!within('URI:https://evil.com/example.com', { kind: 'uri', value: 'example.com' }));
    assert.ok(!within('URI:https://10.0.0.1/', { kind: 'uri', value: '.1' }));
    assert.ok(!within('URI:urn:x', { kind: 'uri', value: 'example.com' }));
  });
  it('of the directory hold the name and all below it', () => {
    assert.ok(within('dirName:CN=a,O=Acme,C=DE', directory('O=ACME,C=de')));
    assert.ok(!within('dirName:CN=a,O=Other,C=DE', directory('O=Acme,C=DE')));
  });
});

describe('RFC 5280 §6.1.3 b and c: permitted and excluded', () => {
  const constraints = {
    permitted: [
      { kind: 'dns', value: 'a.example' },
      { kind: 'dns', value: 'b.example' },
      { kind: 'ip', value: '10.0.0.0/8' },
    ],
    excluded: [{ kind: 'dns', value: 'secret.a.example' }],
  } as const;
  const check = (...names: string[]) => findForbiddenName(constraints, names.map(parseGeneralName));
  it('lets pass what is in a permitted subtree and in no excluded one', () => {
    assert.equal(check('DNS:x.a.example', 'DNS:b.example', 'IP:10.1.1.1'), undefined);
  });
  it('refuses what is excluded even when it is permitted', () =>
    assert.match(check('DNS:x.secret.a.example') ?? '', /excluded/));
  it('refuses what is in no permitted subtree of its kind, naming it', () => {
    assert.match(check('DNS:b.example', 'DNS:c.example') ?? '', /^DNS:c.example is in no permitted/);
  });
  it('leaves kinds alone of which it does not speak', () =>
    assert.equal(check('email:x@y.example', 'URI:urn:x'), undefined));
});

describe('RFC 5280 §4.2.1.10: the extension', () => {
  const constraints = {
    permitted: [
      { kind: 'dns', value: '.example' },
      { kind: 'ip', value: '10.0.0.0/8' },
      { kind: 'ip', value: '2001:db8::/33' },
      directory('C=DE'),
    ],
    excluded: [
      { kind: 'email', value: 'a@b.example' },
      { kind: 'uri', value: '.example' },
      { kind: 'ip', value: '0.0.0.0/0' },
    ],
  } as const;
  it('is read back as it was written, and is critical', () => {
    const extension = nameConstraints(constraints);
    assert.ok(extension.isCritical);
    assert.deepEqual(readNameConstraints(extension.value), constraints);
  });
  it('refuses subtrees that cannot be applied', () => {
    for (const subtree of [
      wrap(0x88, Buffer.from('2a03', 'hex')),
      wrap(0x87, Buffer.alloc(4)),
      wrap(0x87, Buffer.from('0a000000ff00ff00', 'hex')),
      wrap(0x82, Buffer.from('a b')),
      wrap(0x82, Buffer.from([0xff])),
    ]) {
      assert.throws(() => readNameConstraints(sequence(wrap(0xa0, sequence(subtree)))), NameError);
    }
    assert.throws(() => readNameConstraints(sequence()), NameError);
  });
  it('is not written with subtrees that are none', () => {
    assert.throws(() => writeNameConstraints({ permitted: [], excluded: [] }), NameError);
    assert.throws(
      () => writeNameConstraints({ permitted: [{ kind: 'ip', value: '10.0.0.0/33' }], excluded: [] }),
      NameError,
    );
    assert.throws(() => writeNameConstraints({ permitted: [{ kind: 'dns', value: 'a_b' }], excluded: [] }), NameError);
  });
});
