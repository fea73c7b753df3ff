import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openServerIdentity, type ServerIdentityOptions } from '@gatehouse/gateway-kit/server-identity';
import { readCertificationRequest, requestedNames } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Enrollment, EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { createTestAuthority, hour } from '@gatehouse/ra-client/testing/certificate-builder';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { createManualClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';

const root = createTestAuthority('root');
const issuing = createTestAuthority('issuing', root);
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-identity-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;

function fixture(overrides: Partial<ServerIdentityOptions> = {}, life = 24 * hour) {
  const enrollments: Enrollment[] = [];
  const enroll = async (enrollment: Enrollment): Promise<EnrollmentOutcome> => {
    enrollments.push(enrollment);
    assert.equal(enrollment.subjectKey.kind, 'certification-request');
    const request = readCertificationRequest(
      enrollment.subjectKey.kind === 'certification-request' ? enrollment.subjectKey.der : Buffer.alloc(0),
    );
    const notBefore = new Date(Date.now() - 1_000);
    const notAfter = new Date(notBefore.getTime() + life);
    const certificate = issuing.issue({
      publicKey: request.subjectPublicKeyInfo,
      names: requestedNames(request),
      notBefore,
      notAfter,
    });
    const chain = [issuing.certificate, root.certificate];
    return {
      kind: 'issued',
      requestId: 'r',
      certificate,
      chain,
      serialNumber: '01',
      notBefore,
      notAfter,
      isRepeated: false,
    };
  };
  const options: ServerIdentityOptions = {
    file: join(directory, `tls-${files++}.pem`),
    names: ['est.example', '127.0.0.1', '0:0:0:0:0:0:0:1'],
    core: { enroll },
    registrationAuthority: 'est',
    log: silentLog,
    ...overrides,
  };
  return { options, enrollments };
}

describe('RFC 7030 §3.6.1: the gate’s own certificate', () => {
  it('carries every name and address, and is shown with its intermediates but without the root', async () => {
    const { options, enrollments } = fixture();
    const identity = await openServerIdentity(options);
    const shown = identity.current().certificateChain.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    assert.equal(shown.length, 2);
    const own = new X509Certificate(shown[0] ?? '');
    assert.equal(own.checkHost('est.example'), 'est.example');
    assert.equal(own.checkIP('::1'), '::1');
    assert.equal(enrollments[0]?.profile, 'gateway-tls');
    assert.deepEqual(enrollments[0]?.requester, { kind: 'registration-authority', id: 'est' });
    assert.equal(statSync(options.file).mode & 0o777, 0o600);
    identity.close();
  });

  it('is taken from its file at the next start', async () => {
    const { options, enrollments } = fixture();
    (await openServerIdentity(options)).close();
    const again = await openServerIdentity(options);
    assert.equal(enrollments.length, 1);
    assert.match(readFileSync(options.file, 'latin1'), /^-----BEGIN PRIVATE KEY-----/);
    again.close();
  });

  it('is replaced when the configured names are other ones', async () => {
    const { options, enrollments } = fixture();
    (await openServerIdentity(options)).close();
    (await openServerIdentity({ ...options, names: ['est.example'] })).close();
    assert.equal(enrollments.length, 2);
  });

  it('is replaced when it has ended, or its file is damaged', async () => {
    const { options, enrollments } = fixture();
    (await openServerIdentity(options)).close();
    const later = createManualClock(new Date(Date.now() + 48 * hour));
    (await openServerIdentity({ ...options, clock: later })).close();
    assert.equal(enrollments.length, 2);
    writeFileSync(options.file, 'damaged');
    (await openServerIdentity(options)).close();
    assert.equal(enrollments.length, 3);
  });

  it('is not read from a file that others can read', async () => {
    const { options } = fixture();
    (await openServerIdentity(options)).close();
    chmodSync(options.file, 0o640);
    await assert.rejects(openServerIdentity(options), FatalError);
  });

  it('is renewed when half of its life is over, with a fresh key, and everyone is told', async () => {
    const { options, enrollments } = fixture();
    const first = await openServerIdentity(options);
    const before = first.current();
    first.close();
    const clock = createManualClock(new Date(Date.now() + 12 * hour));
    const identity = await openServerIdentity({ ...options, clock });
    assert.equal(enrollments.length, 1);
    const renewed = await new Promise<{ privateKey: string }>((resolve) => identity.onChange(resolve));
    assert.equal(enrollments.length, 2);
    assert.notEqual(renewed.privateKey, before.privateKey);
    assert.equal(identity.current().privateKey, renewed.privateKey);
    assert.notEqual(enrollments[0]?.idempotencyKey, enrollments[1]?.idempotencyKey);
    identity.close();
  });

  it('stays when its renewal fails', async () => {
    const { options } = fixture();
    (await openServerIdentity(options)).close();
    const warned = Promise.withResolvers<void>();
    const log = silentLog.child({});
    log.warn = () => warned.resolve();
    const enroll = () => Promise.reject(new CoreError('unavailable', 'away'));
    const clock = createManualClock(new Date(Date.now() + 12 * hour));
    const identity = await openServerIdentity({ ...options, core: { enroll }, clock, log });
    await warned.promise;
    assert.match(identity.current().certificateChain, /BEGIN CERTIFICATE/);
    identity.close();
  });

  it('is waited for while the core is away', async () => {
    const { options } = fixture();
    let attempts = 0;
    const enroll = (enrollment: Enrollment) =>
      ++attempts === 1 ? Promise.reject(new CoreError('unavailable', 'away')) : options.core.enroll(enrollment);
    const identity = await openServerIdentity({ ...options, core: { enroll } });
    assert.equal(attempts, 2);
    identity.close();
  });

  it('is not waited for when the core refuses, or a person would have to approve', async () => {
    const refusing = () => Promise.reject(new CoreError('out-of-scope', 'est.example is not yours'));
    await assert.rejects(openServerIdentity(fixture({ core: { enroll: refusing } }).options), { code: 'out-of-scope' });
    const pending = async () => ({ kind: 'pending', requestId: 'r', retryAfterSeconds: 5 }) as const;
    await assert.rejects(openServerIdentity(fixture({ core: { enroll: pending } }).options), {
      code: 'profile-refuses',
    });
  });

  it('ends waiting when the process stops', async () => {
    const stop = new AbortController();
    const enroll = () => {
      setImmediate(() => stop.abort());
      return Promise.reject(new CoreError('unavailable', 'away'));
    };
    await assert.rejects(openServerIdentity(fixture({ core: { enroll }, signal: stop.signal }).options), {
      name: 'AbortError',
    });
  });

  it('refuses a name that is none, and says where it stands', async () => {
    await assert.rejects(openServerIdentity(fixture({ names: ['not a name'] }).options), (error: FatalError) => {
      assert.ok(error instanceof FatalError);
      assert.match(error.message, /'not a name'/);
      assert.match(error.hint ?? '', /names/);
      return true;
    });
  });
});
