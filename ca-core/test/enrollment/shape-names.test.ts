import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatGeneralName, parseGeneralName } from '@gatehouse/pkix/general-names';
import { formatName, parseName } from '@gatehouse/pkix/names';
import { NameAssignment } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import { checkScope, compileScope } from '../../src/enrollment/name-scope.ts';
import { shapeNames } from '../../src/enrollment/shape-names.ts';
import type { Profile } from '../../src/profiles/profile.ts';
import { builtin, profile } from '../profiles/profile-file.ts';
import { refusal, rejectedName } from './expect.ts';

/** Shapes 'subject | name name …' and writes the outcome in the same way. */
function shape(rules: Profile, request: string, assignment?: NameAssignment): string {
  const [subject = '', names = ''] = request.split(' | ');
  const shaped = shapeNames(
    rules,
    { subject: parseName(subject), names: names === '' ? [] : names.split(' ').map(parseGeneralName) },
    assignment,
  );
  return `${formatName(shaped.subject)} | ${shaped.names.map(formatGeneralName).join(' ')}`;
}

const server = builtin('tls-server');
const device = builtin('device-identity');

describe('alternative names: what the profile allows', () => {
  it('keeps the allowed ones in their order, each once, DNS names in lower case', () => {
    assert.equal(
      shape(server, ' | DNS:B.test IP:10.0.0.1 DNS:a.test DNS:b.test'),
      ' | DNS:b.test IP:10.0.0.1 DNS:a.test',
    );
  });

  it('refuses kinds that are not allowed, all at once, and names them', () => {
    assert.throws(
      () => shape(server, ' | DNS:a.test email:a@a.test URI:https://a.test/ RID:1.2.3'),
      (error) => {
        rejectedName(/^email:a@a\.test is of a kind .* allowed: dns, ip \(and 2 more\)$/)(error);
        assert.ok(error instanceof CoreError);
        assert.deepEqual(error.names[0]?.name, { name: { $case: 'email', value: 'a@a.test' } });
        assert.equal(error.names.length, 3);
        return true;
      },
    );
  });

  it('lets wildcards pass only where the profile has them', () => {
    assert.equal(shape(server, ' | DNS:*.a.test'), ' | DNS:*.a.test');
    assert.throws(() => shape(builtin('gateway-tls'), ' | DNS:*.a.test'), rejectedName(/wildcard/));
  });

  it('refuses a DNS name that reads like an address, and IPv4 dressed as IPv6', () => {
    for (const name of ['DNS:10.0.0.1', 'DNS:a.1', 'DNS:a.0x7f']) {
      assert.throws(() => shape(server, ` | ${name}`), rejectedName(/ends in a number/), name);
    }
    assert.throws(() => shape(server, ' | IP:::ffff:10.0.0.1'), rejectedName(/IPv4-mapped/));
  });

  it('demands the required kinds, and some name where one is demanded', () => {
    const strict = profile({ names: '{ allowed: [dns, uri], required: [uri] }' });
    assert.throws(() => shape(strict, 'CN=a | DNS:a.test'), rejectedName(/demands a name of kind uri/));
    assert.throws(() => shape(server, ''), rejectedName(/demands a name of kind dns or ip/));
  });

  it('RFC 5280 §4.1.2.6: refuses to name nothing', () => {
    assert.throws(() => shape(device, ''), rejectedName(/names nothing/));
    assert.equal(shape(device, 'serialNumber=1'), 'serialNumber=1 | ');
  });
});

describe('the common name', () => {
  it('becomes the name of a request that has none, where the profile says so', () => {
    assert.equal(shape(server, 'CN=Host.Example.com'), 'CN=host.example.com | DNS:host.example.com');
    assert.equal(shape(server, 'CN=2001:DB8::1'), 'CN=2001:db8::1 | IP:2001:db8::1');
    assert.throws(() => shape(server, 'CN=not a host'), rejectedName(/demands a name/));
    assert.equal(shape(device, 'CN=host.example.com'), 'CN=host.example.com | ');
  });

  it('BR §7.1.4.3: is one of the alternative names, character for character', () => {
    assert.equal(shape(server, 'CN=A.TEST | DNS:b.test DNS:a.test'), 'CN=a.test | DNS:b.test DNS:a.test');
    assert.throws(() => shape(server, 'CN=c.test | DNS:a.test'), rejectedName(/'c\.test' is not among/));
    assert.throws(() => shape(server, 'CN=Alice | DNS:a.test'), rejectedName(/'Alice' is not among/));
  });

  it('may be missing', () => {
    assert.equal(shape(server, ' | DNS:a.test'), ' | DNS:a.test');
  });
});

describe('subject: from the request', () => {
  it('drops what is not listed where the profile says drop', () => {
    assert.equal(shape(server, 'CN=a.test,O=Acme,C=DE | DNS:a.test'), 'CN=a.test | DNS:a.test');
  });

  it('refuses what is not listed where the profile says refuse', () => {
    assert.throws(() => shape(device, 'CN=a,title=Dr'), rejectedName(/does not allow title in the subject/));
  });

  it('keeps the order and the multi-valued names of the request', () => {
    assert.equal(shape(device, 'serialNumber=1+CN=a,OU=x,OU=y,O=b,C=DE'), 'serialNumber=1+CN=a,OU=x,OU=y,O=b,C=DE | ');
  });

  it('refuses an attribute twice, save those that may repeat', () => {
    assert.throws(() => shape(device, 'CN=a,CN=b'), rejectedName(/more than one CN/));
    assert.equal(shape(server, 'CN=a.test,O=x,O=y | DNS:a.test'), 'CN=a.test | DNS:a.test');
  });

  it('demands what is required', () => {
    assert.throws(() => shape(builtin('sub-ca'), 'O=Acme'), rejectedName(/demands CN in the subject/));
  });

  it('RFC 5280 §4.1.2.4: writes each value in the string type of its attribute', () => {
    const teletex = { type: '2.5.4.3', value: 'caf\u00e9', tag: 0x14 };
    const { subject } = shapeNames(device, { subject: [[teletex]], names: [] });
    assert.equal(subject[0]?.[0]?.tag, 0x0c);
    const serial = { type: '2.5.4.5', value: 'A_1', tag: 0x0c };
    assert.throws(() => shapeNames(device, { subject: [[serial]], names: [] }), rejectedName(/serialNumber: 'A_1'/));
  });

  it('RFC 5280 appendix A: refuses a value beyond the bound of its attribute', () => {
    assert.throws(() => shape(device, `CN=${'x'.repeat(65)}`), rejectedName(/CN: 65 characters/));
    assert.throws(() => shape(device, 'C=Germany'), rejectedName(/C: 7 characters/));
  });

  it('gives a dictated value, whatever the case of the requested one, and refuses another', () => {
    const acme =
      '{ rule: from-request, attributes: [{ type: O, presence: fixed, value: Acme }, { type: CN, presence: optional }], others: OTHERS }';
    const refusing = profile({ subject: acme.replace('OTHERS', 'refuse') });
    assert.equal(shape(refusing, 'CN=a'), 'CN=a,O=Acme | ');
    assert.equal(shape(refusing, 'CN=a,O=ACME'), 'CN=a,O=Acme | ');
    assert.throws(() => shape(refusing, 'CN=a,O=Evil'), rejectedName(/demands O='Acme'/));
    assert.equal(shape(profile({ subject: acme.replace('OTHERS', 'drop') }), 'CN=a,O=Evil'), 'CN=a,O=Acme | ');
  });
});

describe('subject: fixed and template', () => {
  it('fixed: is what the profile says and nothing else', () => {
    const fixed = profile({
      subject:
        '{ rule: fixed, attributes: [{ type: C, presence: fixed, value: DE }, { type: OU, presence: fixed, value: a }, { type: OU, presence: fixed, value: b }], others: drop }',
    });
    const { subject, dictatedAttributes } = shapeNames(fixed, { subject: parseName('CN=x,C=FR'), names: [] });
    assert.equal(formatName(subject), 'OU=b,OU=a,C=DE');
    assert.deepEqual([...dictatedAttributes], ['2.5.4.6', '2.5.4.11']);
  });

  it('template: orders attributes as the profile does and fills its placeholders', () => {
    const template = profile({
      subject:
        "{ rule: template, attributes: [{ type: O, presence: fixed, value: Acme }, { type: OU, presence: optional }, { type: CN, presence: template, value: '{serialNumber} at {dns}' }] }",
    });
    assert.equal(
      shape(template, 'OU=x,serialNumber=7,OU=y | IP:10.0.0.1 DNS:a.test DNS:b.test'),
      'CN=7 at a.test,OU=x,OU=y,O=Acme | IP:10.0.0.1 DNS:a.test DNS:b.test',
    );
    assert.throws(() => shape(template, 'OU=x | DNS:a.test'), rejectedName(/makes CN from \{serialNumber\}/));
    assert.throws(() => shape(template, 'serialNumber=7'), rejectedName(/makes CN from \{dns\}/));
    assert.throws(() => shape(template, 'L=x,serialNumber=7 | DNS:a.test'), rejectedName(/does not allow L/));
  });

  it('template: a filled value is not filled again', () => {
    const template = profile({
      subject: "{ rule: template, attributes: [{ type: CN, presence: template, value: '{O}' }] }",
    });
    assert.equal(shape(template, 'O={dns} | DNS:a.test'), 'CN={dns} | DNS:a.test');
  });
});

describe('what a refusal says', () => {
  it('stays one line of printable text, whatever the name holds', () => {
    const hostile = 'a\n\u001b[31mroot\u2028logged in';
    const cn = [[{ type: '2.5.4.3', value: hostile, tag: 0x0c }]];
    const serial = [[{ type: '2.5.4.5', value: hostile, tag: 0x0c }]];
    const names = [parseGeneralName('DNS:a.test')];
    for (const attempt of [
      () => shapeNames(server, { subject: cn, names }),
      () => shapeNames(device, { subject: serial, names }),
      () => checkScope(compileScope(everythingButSubjects), 'x', { subject: cn, names }),
    ]) {
      assert.throws(attempt, (error) => error instanceof CoreError && /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u.test(error.detail));
    }
  });

  const everythingButSubjects = {
    dnsSuffixes: ['*'],
    ipRanges: ['*'],
    uriPrefixes: ['*'],
    emailDomains: ['*'],
    subjectAttributes: [],
  };
});

describe('names that the RA assigns', () => {
  const assign = (changes: Partial<NameAssignment>): NameAssignment => NameAssignment.fromPartial(changes);
  const dns = (value: string) => ({ name: { $case: 'dns', value } as const });

  it('stand beside the requested ones, or replace them', () => {
    const subjectAlternativeNames = [dns('B.test')];
    assert.equal(shape(server, ' | DNS:a.test', assign({ subjectAlternativeNames })), ' | DNS:a.test DNS:b.test');
    const replacing = assign({ subjectAlternativeNames, replacesRequested: true });
    assert.equal(shape(server, ' | DNS:a.test', replacing), ' | DNS:b.test');
  });

  it('replace the subject, also with an empty one', () => {
    assert.equal(shape(device, 'CN=a', assign({ subject: 'CN=b,O=c' })), 'CN=b,O=c | ');
    assert.equal(shape(server, 'CN=a.test | DNS:b.test', assign({ subject: '' })), ' | DNS:b.test');
  });

  it('are held to the profile like any other', () => {
    const subjectAlternativeNames = [{ name: { $case: 'email', value: 'a@a.test' } as const }];
    assert.throws(() => shape(server, ' | DNS:a.test', assign({ subjectAlternativeNames })), rejectedName(/email/));
    assert.throws(() => shape(device, 'CN=a', assign({ subject: 'title=x' })), rejectedName(/does not allow title/));
  });

  it('are refused when they cannot be read', () => {
    for (const [name, code] of [
      [undefined, 'malformed'],
      [{ $case: 'dns', value: 'a..b' }, 'rejected-name'],
      [{ $case: 'ip', value: '10.0.0' }, 'rejected-name'],
      [{ $case: 'der', value: Buffer.of(0x82, 5) }, 'malformed'],
      [{ $case: 'der', value: Buffer.alloc(0) }, 'malformed'],
      [{ $case: 'der', value: Buffer.of(0x82, 1, 0x61, 0) }, 'malformed'],
    ] as const) {
      const assignment = { subjectAlternativeNames: [{ name }], replacesRequested: false };
      assert.throws(() => shape(server, ' | DNS:a.test', assignment), refusal(code, /./), JSON.stringify(name));
    }
    assert.throws(
      () => shape(device, 'CN=a', assign({ subject: 'no name' })),
      refusal('malformed', /subject that the RA/),
    );
  });

  it('may come as DER', () => {
    const value = Buffer.from('820661' + '2e74657374', 'hex');
    const subjectAlternativeNames = [{ name: { $case: 'der', value } as const }];
    assert.equal(shape(server, '', assign({ subjectAlternativeNames })), ' | DNS:a.test');
  });

  it('are bounded in number', () => {
    const subjectAlternativeNames = Array.from({ length: 1001 }, (_, i) => dns(`h${i}.test`));
    assert.throws(() => shape(server, '', assign({ subjectAlternativeNames })), rejectedName(/1001 names/));
  });
});
