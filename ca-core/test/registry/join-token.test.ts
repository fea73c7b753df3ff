// Join tokens: one credential, once, in time, for the RA they were made for.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { callerUri, identifyCaller } from '../../src/registry/caller.ts';
import {
  type JoinTokenContents,
  joinTokenPrefix,
  makeJoinToken,
  redeemJoinToken,
} from '../../src/registry/join-token.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import { findCertificate, isCredentialKey } from '../../src/store/certificates.ts';
import { findJoinToken, type JoinTokenKind, joinTokenRetentionMs } from '../../src/store/join-tokens.ts';
import { isCoreError } from '../core-error.ts';
import { openTestStore } from '../store/test-store.ts';
import { createTestAuthority, newSubjectKey } from './test-authority.ts';

const test = await openTestStore('in memory');
after(() => test.remove());
const { store, clock } = test;
const registry = createRegistry(store, clock);
const service = createTestAuthority(clock);
const issuer = { service, instancePrefix: store.instance.serialNumberPrefix, clock };
const parts = { ...issuer, store, registry };
const actor = callerUri('operator', 'admin');
const hourMs = 3_600_000;
const scope = { dnsSuffixes: [], ipRanges: [], uriPrefixes: [], emailDomains: [], subjectAttributes: [] };

for (const name of ['est', 'gone']) {
  const createdAt = clock.now();
  const ra = { name, profiles: [], scope, maximumValidityMs: undefined, ratePerSecond: 0, createdAt };
  await registry.addRegistrationAuthority(ra, actor);
}

for (const name of ['dublin', 'away']) {
  const labels = { site: name, rir: '', latitude: undefined, longitude: undefined };
  await registry.addPerspective({ name, ...labels, createdAt: clock.now() }, actor);
}

async function newToken(name = 'est', kind: JoinTokenKind = 'gate') {
  const made = makeJoinToken(issuer, { kind, name, lifeMs: hourMs, coreAddresses: ['core:5280'], actor });
  await store.commit(made.set);
  const contents = readContents(made.token);
  return { ...made, contents, caller: identifyCaller(Buffer.from(contents.certificate, 'base64')) };
}

function readContents(token: string): JoinTokenContents {
  return JSON.parse(Buffer.from(token.slice(joinTokenPrefix.length), 'base64url').toString());
}

function redeem(caller: Parameters<typeof redeemJoinToken>[1]['caller'], subjectPublicKeyInfo = newSubjectKey()) {
  return redeemJoinToken(parts, { caller, subjectPublicKeyInfo, lifeMs: 24 * hourMs, requestId: 'r' });
}

function lastActions(count: number): readonly string[] {
  const { instance, sequence } = store.auditHead();
  return readAuditRecords(store, instance, sequence - count, count).map(({ action }) => action);
}

describe('a join token', () => {
  it('holds all that an RA needs to find and to know the core', async () => {
    const { token, contents, caller, id, expiresAt } = await newToken();
    assert.ok(token.startsWith('gh-join.'));
    assert.match(token, /^[\w.-]+$/);
    assert.deepEqual([contents.v, contents.core], [1, ['core:5280']]);
    assert.deepEqual(Buffer.from(contents.anchor, 'base64'), Buffer.from(service.certificate.der));
    assert.deepEqual([caller.kind, caller.name], ['join', id]);
    const certificate = readCertificate(Buffer.from(contents.certificate, 'base64'));
    assert.ok(Math.abs(certificate.notAfter.getTime() - expiresAt.getTime()) < 2000);
  });

  it('leaves neither its key nor itself in the store', async () => {
    const { contents } = await newToken();
    const { instance, sequence } = store.auditHead();
    const [record] = readAuditRecords(store, instance, sequence - 1, 1);
    assert.equal(record?.action, 'join-token-created');
    assert.ok(!JSON.stringify(record).includes(contents.key.slice(0, 20)));
  });

  it('buys a credential that names the RA, is recorded, and counts for it', async () => {
    const { caller, id } = await newToken();
    const subjectPublicKeyInfo = newSubjectKey();
    const issued = await redeem(caller, subjectPublicKeyInfo);
    assert.deepEqual([issued.kind, issued.name], ['gate', 'est']);
    const certificate = readCertificate(issued.certificate);
    assert.deepEqual(subjectAlternativeNames(certificate), [{ kind: 'uri', value: callerUri('gate', 'est') }]);
    assert.equal(findCertificate(store, issued.serialNumber)?.authority, 'service');
    assert.equal(isCredentialKey(store, issued.keyFingerprint), true);
    assert.deepEqual(registry.registrationAuthority('est').credentialExpiresAt, issued.notAfter);
    assert.ok(findJoinToken(store, id)?.usedAt);
    assert.deepEqual(lastActions(1), ['ra-joined']);
    registry.admitCall(identifyCaller(issued.certificate));
  });

  it('works once', async () => {
    const { caller } = await newToken();
    await redeem(caller);
    await assert.rejects(redeem(caller), isCoreError('unauthorized'));
    assert.deepEqual(lastActions(1), ['join-token-refused']);
  });

  it('works once when it is used twice at the same time', async () => {
    const { caller } = await newToken();
    const results = await Promise.allSettled([redeem(caller), redeem(caller), redeem(caller)]);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('does not work late', async () => {
    const { caller } = await newToken();
    clock.advance(hourMs + 1);
    await assert.rejects(redeem(caller), isCoreError('unauthorized'));
  });

  it('does not work for an RA that was disabled meanwhile', async () => {
    const { caller } = await newToken('gone');
    await registry.disableRegistrationAuthority('gone', actor);
    await assert.rejects(redeem(caller), isCoreError('unauthorized'));
  });

  it('does not work when the core never made it, or when the caller is none', async () => {
    const { caller } = await newToken();
    await assert.rejects(redeem({ ...caller, name: 'f'.repeat(32) }), isCoreError('unauthorized'));
    await assert.rejects(redeem({ ...caller, kind: 'gate' }), isCoreError('unauthorized'));
  });

  it('does not buy a credential for a key that another credential has, and is not used up by that', async () => {
    const subjectPublicKeyInfo = newSubjectKey();
    await redeem((await newToken()).caller, subjectPublicKeyInfo);
    const { caller } = await newToken();
    await assert.rejects(redeem(caller, subjectPublicKeyInfo), isCoreError('bad-key'));
    await redeem(caller);
  });

  it('is forgotten some time after its end, when the next one is made', async () => {
    const { id } = await newToken();
    clock.advance(joinTokenRetentionMs);
    await newToken();
    assert.ok(findJoinToken(store, id));
    clock.advance(hourMs + 1000);
    await newToken();
    assert.equal(findJoinToken(store, id), undefined);
  });
});

describe('a join token of a perspective', () => {
  it('buys a credential that names the perspective, for both sides of TLS, and counts for it', async () => {
    const { caller } = await newToken('dublin', 'perspective');
    const issued = await redeem(caller);
    assert.deepEqual([issued.kind, issued.name], ['perspective', 'dublin']);
    const certificate = readCertificate(issued.certificate);
    assert.deepEqual(subjectAlternativeNames(certificate), [
      { kind: 'uri', value: callerUri('perspective', 'dublin') },
    ]);
    const { keyUsage } = new X509Certificate(issued.certificate);
    assert.deepEqual(keyUsage, [keyPurposes.serverAuth, keyPurposes.clientAuth]);
    assert.deepEqual(registry.perspective('dublin').credentialExpiresAt, issued.notAfter);
    assert.deepEqual(lastActions(1), ['perspective-joined']);
    registry.admitCall(identifyCaller(issued.certificate));
  });

  it('says nothing of an RA of the same name in the log', async () => {
    await newToken('est', 'perspective');
    const { instance, sequence } = store.auditHead();
    const [record] = readAuditRecords(store, instance, sequence - 1, 1);
    assert.equal(record?.registrationAuthority, null);
    assert.equal(JSON.parse(record?.body ?? '{}').perspective, 'est');
  });

  it('does not let an RA of the same name join, nor the other way round', async () => {
    const { caller } = await newToken('est', 'perspective');
    await assert.rejects(redeem(caller), isCoreError('unauthorized'));
    const gate = await newToken('dublin');
    await assert.rejects(redeem(gate.caller), isCoreError('unauthorized'));
  });

  it('does not work for a perspective that was disabled meanwhile', async () => {
    const { caller } = await newToken('away', 'perspective');
    await registry.disablePerspective('away', actor);
    await assert.rejects(redeem(caller), isCoreError('unauthorized'));
    assert.deepEqual(lastActions(1), ['join-token-refused']);
  });
});
