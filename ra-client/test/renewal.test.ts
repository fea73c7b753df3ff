import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import type { JoinRequest, RenewCredentialRequest } from '@gatehouse/proto/certificate-authority';
import { connectCore } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import type { Enrollment } from '@gatehouse/ra-client/enrollment';
import { pauseAfterFailures, renewalTime, renewInTime } from '@gatehouse/ra-client/renewal-schedule';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { hour } from './support/certificate-builder.ts';
import { createServiceAuthority, issued, onEnroll, silentLog, startTestCore } from './support/test-core.ts';

const authority = createServiceAuthority();
const enrollment: Enrollment = {
  idempotencyKey: 'key-00001',
  profile: 'tls-server',
  subjectKey: { kind: 'certification-request', der: Buffer.from('csr') },
  requester: { kind: 'user', id: 'alice' },
};

function renewing(path = 'ra/est', notAfter?: Date) {
  return ({ certificationRequest }: RenewCredentialRequest | JoinRequest) => {
    const { subjectPublicKeyInfo } = readCertificationRequest(certificationRequest);
    return authority.wireCredential(path, subjectPublicKeyInfo, notAfter === undefined ? {} : { notAfter });
  };
}

describe('Issue 2 §2: an RA credential renews itself before half of its life is over', () => {
  it('is due between 35 % and 48 % of any life', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), fc.float({ min: 0, max: 1, noNaN: true }), (life, jitter) => {
        const due = renewalTime({ notBefore: new Date(0), notAfter: new Date(life) }, jitter);
        assert.ok(due >= life * 0.35 && due < life / 2);
      }),
    );
  });

  it('is renewed at once when half of its life is over at the start, with a fresh key', async () => {
    const old = authority.credential('ra/est', {
      notBefore: new Date(Date.now() - 10 * hour),
      notAfter: new Date(Date.now() + hour),
    });
    const credential = holdCredential(old);
    const core = await startTestCore(authority, { renewCredential: renewing() });
    const renewed = new Promise((resolve) => credential.onChange(resolve));
    const client = connectCore({ addresses: [core.address], credential, log: silentLog });
    await renewed;
    assert.notDeepEqual(
      credential.current().privateKey.export({ type: 'pkcs8', format: 'der' }),
      old.privateKey.export({ type: 'pkcs8', format: 'der' }),
    );
    assert.equal(credential.current().party.uri, old.party.uri);
    await client.close(0);
    core.stop();
  });

  it('is not renewed while it is young', async () => {
    const clock = createManualClock(new Date());
    let renewals = 0;
    const life = { notBefore: clock.now(), notAfter: new Date(clock.now().getTime() + 10 * hour) };
    const renewal = renewInTime({
      clock,
      life: () => life,
      renew: async () => void renewals++,
      onFailure: (error) => assert.fail(String(error)),
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(renewals, 0);
    renewal.close();
  });

  it('does not drop calls in flight when it is swapped, and uses the new one for new calls', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    let calls = 0;
    const core = await startTestCore(authority, {
      enroll: onEnroll(async () => {
        if (calls++ > 0) return issued();
        started.resolve();
        await gate.promise;
        return issued({ requestId: 'slow' });
      }),
    });
    const credential = holdCredential(authority.credential('ra/est'));
    const client = connectCore({ addresses: [core.address], credential, log: silentLog, renewsCredential: false });
    const slow = client.enroll(enrollment);
    await started.promise;
    credential.replace(authority.credential('ra/est'));
    for (let i = 0; i < 20; i++) assert.equal((await client.enroll(enrollment)).requestId, 'request-1');
    gate.resolve();
    assert.equal((await slow).requestId, 'slow');
    await client.close(0);
    core.stop();
  });

  it('fails no call out of many while credentials are swapped under load', async () => {
    const core = await startTestCore(authority, { enroll: onEnroll(() => issued()) });
    const credential = holdCredential(authority.credential('ra/est'));
    const client = connectCore({
      addresses: [core.address],
      credential,
      log: silentLog,
      renewsCredential: false,
      retryWindowMs: 0,
    });
    // Three swaps while eight callers are at it; each of them calls until the last swap is over.
    let swaps = 3;
    const worker = async (): Promise<void> => {
      while (swaps > 0) await client.enroll(enrollment, { timeoutMs: 60_000 });
    };
    const swapper = async (): Promise<void> => {
      for (; swaps > 0; swaps--) {
        credential.replace(authority.credential('ra/est'));
        for (let i = 0; i < 5; i++) await client.enroll(enrollment, { timeoutMs: 60_000 });
      }
    };
    try {
      await Promise.all([swapper(), ...Array.from({ length: 8 }, worker)]);
    } finally {
      swaps = 0;
      await client.close(0);
      core.stop();
    }
  });

  it('keeps the old one and tries again after a pause when the core refuses', async () => {
    const clock = createManualClock(new Date());
    const failures: Date[] = [];
    const failed = Promise.withResolvers<void>();
    const renewal = renewInTime({
      clock,
      life: () => ({ notBefore: new Date(0), notAfter: clock.now() }),
      renew: async () => {
        throw new CoreError('unavailable', 'away');
      },
      onFailure: (_, nextAttempt) => {
        failures.push(nextAttempt);
        failed.resolve();
      },
    });
    await failed.promise;
    const waitMs = (failures[0]?.getTime() ?? 0) - clock.now().getTime();
    assert.ok(waitMs >= 3_750 && waitMs <= 6_250, String(waitMs));
    renewal.close();
  });

  it('pauses longer after each failure, five minutes at most', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => pauseAfterFailures(failures, 5_000)),
      [5_000, 10_000, 20_000, 40_000],
    );
    assert.equal(pauseAfterFailures(1_000, 5_000), 300_000);
  });

  it('refuses a renewed credential that names somebody else', async () => {
    const warned = Promise.withResolvers<{ err: CoreError }>();
    const log = silentLog.child({});
    log.warn = (line: unknown) => warned.resolve(line as { err: CoreError });
    const old = authority.credential('ra/est', {
      notBefore: new Date(Date.now() - 10 * hour),
      notAfter: new Date(Date.now() + hour),
    });
    const credential = holdCredential(old);
    const core = await startTestCore(authority, { renewCredential: renewing('ra/scep') });
    const client = connectCore({ addresses: [core.address], credential, log });
    assert.match((await warned.promise).err.message, /ra\/scep instead of .*ra\/est/);
    assert.equal(credential.current(), old);
    await client.close(0);
    core.stop();
  });
});
