import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { attributeTypes, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { NameKind } from '@gatehouse/proto/certificate-authority';
import { FatalError } from '@gatehouse/runtime/fatal';
import { describeProfile } from '../../src/profiles/describe-profile.ts';
import { loadProfiles } from '../../src/profiles/load-profiles.ts';
import { builtin, profile, profileFile } from './profile-file.ts';

const dayMs = 86_400_000;

describe('built-in profiles', () => {
  it('are the twelve that the house needs', () => {
    assert.deepEqual([...loadProfiles().keys()].sort(), [
      'device-identity',
      'gateway-tls',
      'ocsp-signing',
      'ra-credential',
      'sub-ca',
      'tls-client',
      'tls-client-short-lived',
      'tls-server',
      'tls-server-client',
      'tls-server-short-lived',
      'tls-server-validated',
      'tls-server-validated-short-lived',
    ]);
  });

  it('BR §6.3.2: give TLS servers at most 200 days', () => {
    for (const name of ['tls-server', 'tls-server-client', 'tls-server-validated', 'gateway-tls']) {
      assert.ok(builtin(name).validity.maximumMs <= 200 * dayMs, name);
    }
  });

  it('RFC 9608 §1: are without revocation only where a certificate lives for a week at most', () => {
    for (const [name, { status, validity }] of loadProfiles()) {
      assert.equal(status === 'no-rev-avail', validity.maximumMs <= 7 * dayMs && name !== 'ra-credential', name);
    }
  });

  it('RFC 6960 §4.2.2.2.1: publish the status of all others but responders and credentials', () => {
    const unpublished = [...loadProfiles().values()].filter(({ status }) => status === 'unpublished');
    assert.deepEqual(unpublished.map(({ name }) => name).sort(), ['ocsp-signing', 'ra-credential']);
  });

  it('RFC 7030 §3.6.1: give gates serverAuth and cmcRA', () => {
    assert.deepEqual(builtin('gateway-tls').extendedKeyUsage, [keyPurposes.serverAuth, keyPurposes.cmcRA]);
  });

  it('have the service authority sign for RAs and for nobody else', () => {
    for (const [name, { authority, requesters }] of loadProfiles()) {
      assert.equal(authority, name === 'ra-credential' ? 'service' : 'issuing');
      if (authority === 'service') assert.deepEqual(requesters, ['registration-authority']);
    }
  });

  it('make a CA only where a person approves', () => {
    for (const [name, { basicConstraints, approval }] of loadProfiles()) {
      assert.equal(basicConstraints.isCa, name === 'sub-ca');
      if (basicConstraints.isCa) assert.equal(approval, 'required');
    }
    assert.deepEqual(builtin('sub-ca').basicConstraints, { isCa: true, pathLength: 0 });
  });

  it('never let a CSR decide what it will be', () => {
    for (const { requestExtensions, acceptsStatedPossession } of loadProfiles().values()) {
      assert.ok(requestExtensions.copy.every((id) => id === '1.3.6.1.5.5.7.48.1.5'));
      assert.equal(acceptsStatedPossession, false);
    }
  });
});

describe("the operator's profiles", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'profiles-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);

  const refusal = (message: RegExp) => (error: unknown) => {
    assert.ok(error instanceof FatalError);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', /gatehouse profile validate/);
    return true;
  };

  it('stand beside the built-in ones', () => {
    write('printer.yaml', profileFile({ name: 'printer' }));
    write('notes.txt', 'not a profile');
    const profiles = loadProfiles({ directory });
    assert.equal(profiles.size, 13);
    assert.equal(profiles.get('printer')?.description, 'a test');
  });

  it('are not needed', () => {
    assert.equal(loadProfiles({ directory: join(directory, 'missing') }).size, 12);
  });

  it('take the place of a built-in one of the same name', () => {
    write('tls-server.yaml', profileFile({ name: 'tls-server', description: 'ours' }));
    assert.equal(loadProfiles({ directory }).get('tls-server')?.description, 'ours');
  });

  it('cannot replace the profile by which RAs are known', () => {
    write('ra-credential.yaml', profileFile({ name: 'ra-credential' }));
    assert.throws(() => loadProfiles({ directory }), refusal(/ra-credential cannot be replaced/));
  });

  it('are refused together, with file and line of every problem', () => {
    write('a.yaml', profileFile({ name: 'a', keyUsage: '[digitalSignatur]' }));
    write('b.yaml', profileFile({ name: 'b', approval: 'perhaps' }));
    assert.throws(
      () => loadProfiles({ directory }),
      refusal(/a\.yaml:6:\d+: keyUsage\.0: [^\n]*\n[^\n]*b\.yaml:9:\d+: approval: /),
    );
  });

  it('are called like their file', () => {
    write('one.yaml', profileFile({ name: 'other' }));
    assert.throws(() => loadProfiles({ directory }), refusal(/one\.yaml: must be called other\.yaml/));
  });
});

describe('what a gate is told of a profile', () => {
  it('is enough to make a request that is accepted', () => {
    const message = describeProfile(builtin('tls-server'));
    assert.deepEqual(message.subject, [{ type: attributeTypes.CN, value: '', isRequired: false }]);
    assert.deepEqual(message.allowedNames, [NameKind.NAME_KIND_DNS, NameKind.NAME_KIND_IP]);
    assert.deepEqual(message.keys[0], {
      kind: 'ec',
      parameters: ['P-256', 'P-384', 'P-521'],
      minimumBits: 0,
      maximumBits: 0,
    });
    assert.deepEqual(message.keys[1], { kind: 'rsa', parameters: [], minimumBits: 2048, maximumBits: 4096 });
    assert.deepEqual(message.defaultValidity, { seconds: 90 * 86_400, nanos: 0 });
    assert.equal(message.needsApproval, false);
    assert.equal(message.status, 'published');
    assert.equal(describeProfile(builtin('sub-ca')).isCa, true);
  });

  it('gives the values that the profile dictates, and asks for none that the core makes', () => {
    const { subject } = describeProfile(
      profile({
        subject:
          "{ rule: template, attributes: [{ type: O, presence: fixed, value: Acme }, { type: CN, presence: template, value: '{dns}' }] }",
      }),
    );
    assert.deepEqual(subject, [
      { type: attributeTypes.O, value: 'Acme', isRequired: true },
      { type: attributeTypes.CN, value: '', isRequired: false },
    ]);
  });
});
