// What operators see of the keep: its authorities, its profiles' mistakes, and all that was ever done, in its order.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type {
  ListAuthoritiesResponse,
  ValidateProfileResponse,
  VerifyAuditResponse,
} from '@gatehouse/proto/administration';
import type { TrustBundle } from '@gatehouse/proto/certificate-authority';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enrollRequest,
  issue,
  refused,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const registration = { name: 'gate', profiles: ['tls-server'], dns: ['example.com'] };
const gate = await core.joinRegistrationAuthority(registration);

function certificateOf(name: string): X509Certificate {
  return new X509Certificate(readFileSync(join(core.directory, `ca/${name}.pem`)));
}

describe('the authorities', () => {
  it('are listed with their certificates, their algorithms and whether their keys are here', async () => {
    const { authorities } = await unary<ListAuthoritiesResponse>((callback) =>
      core.operator.administration.listAuthorities({}, callback),
    );
    assert.deepEqual(
      authorities.map(({ name, isOnline, keyAlgorithm }) => [name, isOnline, keyAlgorithm]),
      [
        ['root', false, 'ECDSA P-384'],
        ['issuing', true, 'ECDSA P-256'],
        ['service', true, 'ECDSA P-256'],
      ],
    );
    for (const { name, certificate } of authorities) {
      assert.equal(new X509Certificate(certificate).fingerprint256, certificateOf(name).fingerprint256);
    }
  });

  it('that relying parties need are in the trust bundle, and the service CA is not', async () => {
    const bundle = await unary<TrustBundle>((callback) => gate.getTrustBundle({}, callback));
    const fingerprints = (all: readonly Buffer[]) => all.map((der) => new X509Certificate(der).fingerprint256);
    assert.deepEqual(fingerprints(bundle.trustAnchors), [certificateOf('root').fingerprint256]);
    assert.deepEqual(fingerprints(bundle.issuingCertificates), [certificateOf('issuing').fingerprint256]);
    assert.deepEqual(bundle.linkCertificates, []);
  });
});

describe('a profile file', () => {
  const validate = async (yaml: string) =>
    (
      await unary<ValidateProfileResponse>((callback) =>
        core.operator.administration.validateProfile({ yaml }, callback),
      )
    ).problems;

  it('that is good has no problems', async () => {
    const good = readFileSync(join(import.meta.dirname, '../../src/profiles/builtin/tls-client.yaml'), 'utf8');
    assert.deepEqual(await validate(good.replace('name: tls-client', 'name: our-clients')), []);
  });

  it('that is wrong is told line by line', async () => {
    const problems = await validate('name: x\ndescription: y\nvalidty: { default: 1d }\n');
    assert.ok(problems.length > 0);
    for (const { line, message } of problems) assert.ok(line > 0 && message.length > 0);
  });

  it('that is not YAML is told where', async () => {
    const [problem] = await validate('name: [');
    assert.ok(problem && problem.line >= 1);
  });
});

describe('the audit log', () => {
  it('begins with the keys and the first operator, and has every start with its self-tests', async () => {
    const events = await auditEvents(core, { isEverything: true });
    const actions = events.map(({ action }) => action);
    assert.deepEqual(actions.slice(0, 5), [...Array.from({ length: 4 }, () => 'key-generated'), 'operator-added']);
    const started = actions.indexOf('core-started');
    assert.deepEqual(actions.slice(started, started + 3), ['core-started', 'self-test', 'self-test']);
    assert.ok(actions.includes('profile-created'));
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
  });

  it('has its export as an event, and its verification with what was found', async () => {
    await auditEvents(core, { isEverything: true });
    const [exported] = await auditEvents(core, { limit: 1 });
    assert.deepEqual(
      [exported?.action, exported?.actor],
      ['audit-exported', 'spiffe://gatehouse.internal/operator/admin'],
    );
    await assertAuditHolds(core);
    const [verified] = await auditEvents(core, { limit: 1 });
    assert.deepEqual([verified?.action, verified?.outcome], ['audit-verified', 'success']);
  });

  it('is searched by action, RA, serial number and time, newest first', async () => {
    const { serialNumber } = await issue(gate, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
    const [one, ...more] = await auditEvents(core, { serialNumber });
    assert.deepEqual([one?.action, more], ['certificate-issued', []]);
    const ofGate = await auditEvents(core, { registrationAuthority: 'gate' });
    assert.deepEqual([...new Set(ofGate.map(({ action }) => action))].sort(), [
      'certificate-issued',
      'join-token-created',
      'ra-added',
      'ra-joined',
    ]);
    assert.deepEqual(
      ofGate.map(({ sequence }) => sequence),
      ofGate.map(({ sequence }) => sequence).sort((a, b) => b - a),
    );
    const later = new Date((one?.at?.getTime() ?? 0) + 1);
    assert.deepEqual(await auditEvents(core, { serialNumber, after: later }), []);
    assert.equal((await auditEvents(core, { limit: 2 })).length, 2);
    await refused(auditEvents(core, { action: 'nonsense' }), 'malformed', /nonsense/);
  });

  it('has an ordered end before the next start, and goes on in the same chain', async () => {
    await core.restart();
    const actions = (await auditEvents(core, { isEverything: true })).map(({ action }) => action);
    const stopped = actions.lastIndexOf('core-stopped');
    assert.equal(actions[stopped + 1], 'core-started');
    await assertAuditHolds(core);
  });

  it('has each profile that is new, changed or gone since the last start', async () => {
    const path = join(core.directory, 'profiles/our-clients.yaml');
    const builtin = readFileSync(join(import.meta.dirname, '../../src/profiles/builtin/tls-client.yaml'), 'utf8');
    const ours = builtin.replace('name: tls-client', 'name: our-clients');
    const seen: string[] = [];
    for (const text of [ours, ours.replace('default: 90d', 'default: 30d')]) {
      writeFileSync(path, text);
      await core.restart();
      const [event] = (await auditEvents(core)).filter(({ profile }) => profile === 'our-clients');
      seen.push(event?.action ?? '');
    }
    assert.deepEqual(seen, ['profile-created', 'profile-changed']);
  });

  it('of which somebody took a seal out is found out', async () => {
    const file = join(core.directory, 'audit/seals.jsonl');
    const seals = readFileSync(file, 'utf8').trimEnd().split('\n');
    writeFileSync(file, `${[...seals.slice(0, 1), ...seals.slice(2)].join('\n')}\n`);
    const found = await unary<VerifyAuditResponse>((callback) =>
      core.operator.administration.verifyAudit({}, callback),
    );
    writeFileSync(file, `${seals.join('\n')}\n`);
    assert.equal(found.firstBreak?.kind, 'seal');
    const [event] = await auditEvents(core, { action: 'audit-verified', limit: 1 });
    assert.notEqual(event?.outcome, 'success');
  });
});
