import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Certificate, readCertificate } from '../src/certificate.ts';
import { type PathInput, validatePath } from '../src/certification-path.ts';
import { octetString, sequence } from '../src/der/writer.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAlternativeName,
} from '../src/extensions.ts';
import { parseGeneralName } from '../src/general-names.ts';
import { extensionIds, keyPurposes } from '../src/object-identifiers.ts';
import { type Identity, makeAuthority, makeCertificate, newKey, now } from './support/certificates.ts';

const root = makeAuthority({ subject: 'CN=root' });
const intermediate = makeAuthority({ subject: 'CN=intermediate', issuer: root });
const leaf = makeCertificate({ subject: 'CN=leaf', issuer: intermediate });

function check(
  certificate: Identity,
  intermediates: readonly Identity[],
  more: Partial<PathInput> = {},
  anchors: readonly Identity[] = [root],
) {
  const certificates = (identities: readonly Identity[]) => identities.map((identity) => identity.certificate);
  return validatePath({
    certificate: certificate.certificate,
    intermediates: certificates(intermediates),
    anchors: certificates(anchors),
    at: now,
    ...more,
  });
}
function accepts(...parameters: Parameters<typeof check>): readonly Certificate[] {
  const result = check(...parameters);
  assert.ok(result.ok, JSON.stringify(result));
  return result.path;
}
function refuses(reason: RegExp, ...parameters: Parameters<typeof check>): void {
  const result = check(...parameters);
  assert.ok(!result.ok);
  assert.match(result.reason, reason);
}
const san = (...names: string[]) => subjectAlternativeName(names.map(parseGeneralName));

describe('RFC 5280 §6.1: building the path', () => {
  it('finds the way to an anchor, whatever the order', () => {
    const noise = makeAuthority({ subject: 'CN=other' });
    const path = accepts(leaf, [noise, root, intermediate]);
    assert.deepEqual(path, [leaf.certificate, intermediate.certificate, root.certificate]);
    assert.equal(accepts(makeCertificate({ issuer: root }), []).length, 2);
  });
  it('takes an intermediate as anchor', () => assert.equal(accepts(leaf, [], {}, [intermediate]).length, 2));
  it('compares issuer names by RFC 5280 §7.1', () => {
    const other = makeAuthority({ subject: 'CN=ROOT', key: root.key });
    assert.equal(accepts(makeCertificate({ issuer: other }), []).length, 2);
  });
  it('refuses a certificate whose issuer is missing or unknown', () => {
    refuses(/no anchor issued 'CN=leaf'/, leaf, []);
    refuses(/no anchor issued/, makeCertificate({ subject: 'CN=self' }), []);
    refuses(/no anchor issued/, leaf, [intermediate], {}, []);
  });
  it('never trusts a self-signed certificate that the peer sent', () => {
    const impostor = makeAuthority({ subject: 'CN=root' });
    refuses(/./, makeCertificate({ issuer: impostor }), [impostor]);
  });
  it('finds the right one of two issuers with one name', () => {
    const twin = makeAuthority({ subject: 'CN=intermediate', issuer: root });
    assert.equal(accepts(leaf, [twin, intermediate])[1], intermediate.certificate);
  });
  it('finds the way through a cross-certificate', () => {
    const newRoot = makeAuthority({ subject: 'CN=new root' });
    const newWithOld = makeAuthority({ subject: 'CN=new root', key: newRoot.key, issuer: root });
    assert.equal(accepts(makeCertificate({ issuer: newRoot }), [newWithOld]).length, 3);
  });
  it('works with every kind of key', () => {
    for (const key of [
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
      generateKeyPairSync('ed25519').privateKey,
      generateKeyPairSync('ml-dsa-65').privateKey,
    ]) {
      const authority = makeAuthority({ key });
      assert.equal(accepts(makeCertificate({ issuer: authority }), [], {}, [authority]).length, 2);
    }
  });
  it('gives up after a bounded number of signatures', { timeout: 10_000 }, () => {
    // Issuers with one name and one key identifier, none of which signed what claims it.
    const key = newKey();
    const twins = Array.from({ length: 60 }, (_, i) =>
      makeAuthority({
        subject: 'CN=twin',
        key,
        serialNumber: i + 1,
        issuer: { ...makeAuthority({ subject: 'CN=twin' }), key },
      }),
    );
    const victim = makeCertificate({ issuer: twins[0] ?? root });
    refuses(/./, victim, twins);
  });
  it('refuses more certificates on the way than it was told', () => {
    const chain: Identity[] = [root];
    for (let i = 0; i < 8; i++)
      chain.push(makeAuthority({ subject: `CN=level ${i}`, issuer: chain[chain.length - 1] ?? root }));
    const last = makeCertificate({ issuer: chain[chain.length - 1] ?? root });
    refuses(/more than 6 certificates/, last, chain);
    assert.equal(accepts(last, chain, { maximumDepth: 8 }).length, 10);
    refuses(/more than 7 certificates/, last, chain, { maximumDepth: 7 });
  });
});

describe('RFC 5280 §6.1.3 a: signature and validity', () => {
  it('refuses a signature that does not verify', () => {
    const forged = makeCertificate({
      subject: 'CN=forged',
      issuer: { certificate: intermediate.certificate, key: newKey() },
    });
    refuses(/'CN=forged'.*does not verify/, forged, [intermediate]);
  });
  it('refuses a certificate that was changed', () => {
    const der = Buffer.from(leaf.certificate.der);
    der[der.indexOf('leaf')] = 0x4c;
    refuses(/does not verify/, { certificate: readCertificate(der), key: leaf.key }, [intermediate]);
  });
  it('refuses what is not yet or no longer valid, from the first to the last second', () => {
    accepts(leaf, [intermediate], { at: leaf.certificate.notBefore });
    accepts(leaf, [intermediate], { at: leaf.certificate.notAfter });
    refuses(/not valid before 2026-01-01/, leaf, [intermediate], { at: new Date('2025-12-31T23:59:59Z') });
    refuses(/not valid after 2027-01-01/, leaf, [intermediate], { at: new Date('2027-01-01T00:00:01Z') });
  });
  it('refuses an expired intermediate, and an expired anchor', () => {
    const notAfter = new Date('2026-02-01T00:00:00Z');
    const expired = makeAuthority({ subject: 'CN=expired', issuer: root, notAfter });
    refuses(/'CN=expired'.*not valid after/, makeCertificate({ issuer: expired }), [expired]);
    const anchor = makeAuthority({ subject: 'CN=old root', notAfter });
    refuses(/'CN=old root'.*not valid after/, makeCertificate({ issuer: anchor }), [], {}, [anchor]);
  });
  it('refuses RSA keys of issuers below 2048 bits', () => {
    const weak = makeAuthority({ key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey });
    refuses(/RSA key of 1024 bits/, makeCertificate({ issuer: weak }), [], {}, [weak]);
  });
});

describe('RFC 5280 §6.1.4: who may issue', () => {
  it('refuses an issuer that is no CA', () => {
    const plain = makeCertificate({ subject: 'CN=plain', issuer: root });
    refuses(/'CN=plain'.*no basicConstraints/, makeCertificate({ issuer: plain }), [plain]);
    const denied = makeCertificate({
      subject: 'CN=denied',
      issuer: root,
      extensions: [basicConstraints({ ca: false })],
    });
    refuses(/'CN=denied'.*not a CA/, makeCertificate({ issuer: denied }), [denied]);
  });
  it('refuses an issuer whose key usage lacks keyCertSign', () => {
    const other = makeCertificate({
      subject: 'CN=other',
      issuer: root,
      extensions: [basicConstraints({ ca: true }), keyUsage(['digitalSignature'])],
    });
    refuses(/'CN=other'.*may not sign certificates/, makeCertificate({ issuer: other }), [other]);
  });
  it('takes an anchor of version 1, and no intermediate of version 1', () => {
    const anchor = makeCertificate({ subject: 'CN=v1', version: 1 });
    assert.equal(accepts(makeCertificate({ issuer: anchor }), [], {}, [anchor]).length, 2);
    const middle = makeCertificate({ subject: 'CN=v1', version: 1, issuer: root });
    refuses(/no basicConstraints/, makeCertificate({ issuer: middle }), [middle]);
  });
  it('counts the path length without self-issued certificates (§4.2.1.9)', () => {
    const short = makeAuthority({ subject: 'CN=short', issuer: root, pathLength: 0 });
    assert.equal(accepts(makeCertificate({ issuer: short }), [short]).length, 3);
    const below = makeAuthority({ subject: 'CN=below', issuer: short });
    refuses(/'CN=short'.*1 CAs below where 0 are allowed/, makeCertificate({ issuer: below }), [below, short]);
    const again = makeAuthority({ subject: 'CN=short', issuer: short, pathLength: 0 });
    assert.equal(accepts(makeCertificate({ issuer: again }), [again, short]).length, 4);
  });
});

describe('RFC 5280 §4.2.1.12: key purposes', () => {
  const purpose = keyPurposes.clientAuth;
  const withPurposes = (...purposes: string[]) =>
    makeCertificate({ subject: 'CN=p', issuer: root, extensions: [extendedKeyUsage(purposes)] });
  it('takes the purpose, any purpose, or no restriction', () => {
    accepts(withPurposes(keyPurposes.serverAuth, purpose), [], { purpose });
    accepts(withPurposes(keyPurposes.anyExtendedKeyUsage), [], { purpose });
    accepts(leaf, [intermediate], { purpose });
    accepts(withPurposes(keyPurposes.serverAuth), []);
  });
  it('refuses another purpose, also when only an intermediate is restricted', () => {
    refuses(/not for key purpose/, withPurposes(keyPurposes.serverAuth), [], { purpose });
    const narrow = makeAuthority({
      subject: 'CN=narrow',
      issuer: root,
      extensions: [extendedKeyUsage([keyPurposes.serverAuth])],
    });
    refuses(/'CN=narrow'.*not for key purpose/, makeCertificate({ issuer: narrow }), [narrow], { purpose });
  });
});

describe('RFC 5280 §6.1.4 o and §6.1.5 f: critical extensions', () => {
  const unknown = (isCritical: boolean) => ({ id: '1.2.3.4.5', isCritical, value: octetString(Buffer.from('x')) });
  it('refuses a critical one that is not processed, and takes others', () => {
    refuses(/critical extension 1\.2\.3\.4\.5/, makeCertificate({ issuer: root, extensions: [unknown(true)] }), []);
    accepts(makeCertificate({ issuer: root, extensions: [unknown(false)] }), []);
    const strict = makeAuthority({
      subject: 'CN=strict',
      issuer: root,
      extensions: [{ id: extensionIds.policyConstraints, isCritical: true, value: sequence() }],
    });
    refuses(/2\.5\.29\.36/, makeCertificate({ issuer: strict }), [strict]);
  });
  it('refuses an extension that cannot be read', () => {
    const bad = { id: extensionIds.extendedKeyUsage, isCritical: false, value: Buffer.from('x') };
    refuses(/./, makeCertificate({ issuer: root, extensions: [bad] }), [], { purpose: keyPurposes.clientAuth });
  });
});

describe('RFC 5280 §6.1.4 g: name constraints', () => {
  const limited = makeAuthority({
    subject: 'CN=limited',
    issuer: root,
    extensions: [
      nameConstraints({
        permitted: [
          { kind: 'dns', value: 'a.example' },
          { kind: 'email', value: 'a.example' },
        ],
        excluded: [{ kind: 'ip', value: '0.0.0.0/0' }],
      }),
    ],
  });
  const below = makeAuthority({ subject: 'CN=below', issuer: limited });
  const issue = (...names: string[]) => makeCertificate({ issuer: below, extensions: [san(...names)] });
  it('bind everything below, however deep', () => {
    accepts(issue('DNS:x.a.example'), [below, limited]);
    refuses(/'CN=limited'.*DNS:x.b.example is in no permitted/, issue('DNS:x.b.example'), [below, limited]);
    refuses(/IP:192.0.2.1 is in an excluded/, issue('DNS:a.example', 'IP:192.0.2.1'), [below, limited]);
  });
  it('bind the subject and its e-mail address', () => {
    const directory = makeAuthority({
      subject: 'CN=directory,O=Acme',
      issuer: root,
      extensions: [
        nameConstraints({
          permitted: [{ kind: 'directory', value: makeCertificate({ subject: 'O=ACME' }).certificate.subject }],
          excluded: [],
        }),
      ],
    });
    accepts(makeCertificate({ subject: 'CN=x,O=acme', issuer: directory }), [directory]);
    refuses(
      /dirName:CN=x,O=Other is in no permitted/,
      makeCertificate({ subject: 'CN=x,O=Other', issuer: directory }),
      [directory],
    );
    refuses(/email:x@b.example/, makeCertificate({ subject: 'emailAddress=x@b.example', issuer: limited }), [limited]);
    accepts(makeCertificate({ subject: 'emailAddress=x@a.example', issuer: limited }), [limited]);
  });
  it('refuse a certificate whose names cannot be read', () => {
    const bad = {
      id: extensionIds.subjectAlternativeName,
      isCritical: false,
      value: sequence(Buffer.from('8203612e5f', 'hex')),
    };
    refuses(/subjectAltName/, makeCertificate({ issuer: limited, extensions: [bad] }), [limited]);
  });
  it('of an anchor bind too', () => {
    refuses(/no permitted/, makeCertificate({ issuer: limited, extensions: [san('DNS:b.example')] }), [], {}, [
      limited,
    ]);
  });
});
