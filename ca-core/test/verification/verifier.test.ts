// The verifier's thread answers as this one would, to whoever asked, and nobody waits for it when it is gone.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { type CertificationRequest, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import type { Verification } from '@gatehouse/pkix/signature-algorithms';
import { startVerifier, type Verifier } from '../../src/verification/verifier.ts';
import { isCoreError } from '../core-error.ts';
import { certificationRequest } from '../support/enrollment.ts';
import { contentsFor, createTestAuthority, issueTestCertificate } from '../x509/builders.ts';

const authority = createTestAuthority('ecdsa-p256');
const second = createTestAuthority('ecdsa-p384');
const stranger = createTestAuthority('ecdsa-p256');
const issuers = [authority.certificate, second.certificate];

type Started = { readonly verifier: Verifier; readonly worker: Worker; readonly ended: string[] };

/** A verifier whose thread is ready; its worker is the newest of the process. */
async function start(): Promise<Started> {
  const ended: string[] = [];
  const created = once(process, 'worker');
  const verifier = startVerifier(issuers, (reason) => ended.push(reason));
  const [worker] = await created;
  await once(worker, 'message');
  return { verifier, worker, ended };
}

const shared = await start();
after(() => shared.verifier.close());

function good(): CertificationRequest {
  return readCertificationRequest(certificationRequest({ names: ['DNS:a.example.com'] }));
}

function bad(): CertificationRequest {
  const der = certificationRequest({ names: ['DNS:a.example.com'] });
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return readCertificationRequest(der);
}

function issued(by = authority) {
  const { subjectPublicKeyInfo } = good();
  const { der, tbs } = issueTestCertificate(by, {}, contentsFor(subjectPublicKeyInfo));
  return { certificate: der, tbs, issuer: by.certificate };
}

/** Both ways of asking: alone, on this thread, and with others, on the verifier's own. */
const ways = [
  ['on this thread', false],
  ['on its own thread', true],
] as const;

for (const [where, isBusy] of ways) {
  describe(`a request, verified ${where}`, () => {
    it('that its key has signed holds', async () => {
      assert.deepEqual(await shared.verifier.verifyRequest(good(), isBusy), { ok: true });
    });

    it('that its key has not signed does not, and the reason is told', async () => {
      const verification = await shared.verifier.verifyRequest(bad(), isBusy);
      assert.ok(!verification.ok && verification.reason.length > 0);
    });
  });

  describe(`a certificate, checked ${where}`, () => {
    it('that is the intended one holds, by the issuer that was asked for', async () => {
      await shared.verifier.checkIssued(issued(), isBusy);
      await shared.verifier.checkIssued(issued(second), isBusy);
    });

    it('that another issuer has signed does not', async () => {
      const swapped = { ...issued(), issuer: second.certificate };
      await assert.rejects(async () => shared.verifier.checkIssued(swapped, isBusy), isCoreError('internal'));
    });

    it('that is not the intended one does not', async () => {
      const other = { ...issued(), tbs: issued().tbs };
      await assert.rejects(async () => shared.verifier.checkIssued(other, isBusy), isCoreError('internal'));
    });

    it('of an issuer that the verifier was not started with does not', async () => {
      await assert.rejects(async () => shared.verifier.checkIssued(issued(stranger), isBusy), isCoreError('internal'));
    });
  });
}

describe('many at once', () => {
  it('are each told their own outcome', async () => {
    const kinds = Array.from({ length: 60 }, (_, index) => index % 3);
    const outcomes = await Promise.all(
      kinds.map(async (kind) => {
        if (kind === 2) return shared.verifier.checkIssued(issued(), true);
        return shared.verifier.verifyRequest(kind === 0 ? good() : bad(), true);
      }),
    );
    for (const [index, outcome] of outcomes.entries()) {
      const ok = (outcome as Verification | undefined)?.ok;
      assert.equal(ok, kinds[index] === 2 ? undefined : kinds[index] === 0);
    }
  });

  it('a lone one is answered at once, without a trip', () => {
    assert.ok(!(shared.verifier.verifyRequest(good(), false) instanceof Promise));
  });
});

describe('a thread that ends', () => {
  it('leaves nobody waiting: who was under way is answered by this thread, and so is who comes later', async () => {
    const { verifier, worker, ended } = await start();
    const requests = [good(), bad(), good()];
    const waiting = requests.map((request) => verifier.verifyRequest(request, true));
    await worker.terminate();
    const outcomes = await Promise.all(waiting);
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false, true],
    );
    assert.equal(ended.length, 1);
    assert.deepEqual(await verifier.verifyRequest(good(), true), { ok: true });
    assert.equal((await verifier.verifyRequest(bad(), true)).ok, false);
    await verifier.checkIssued(issued(), true);
    await verifier.close();
  });

  it('is followed by another', async () => {
    const { verifier, worker } = await start();
    const created = once(process, 'worker');
    await worker.terminate();
    const [next] = await created;
    await once(next, 'message');
    assert.deepEqual(await verifier.verifyRequest(good(), true), { ok: true });
    assert.equal((await verifier.verifyRequest(bad(), true)).ok, false);
    await verifier.close();
  });

  it('because it failed says why, once', async () => {
    const { verifier, worker, ended } = await start();
    // Nothing that a verifier sends cannot be unpacked; this is what a defect would look like.
    // Not `once` of node:events: it rejects with 'error', and 'exit' may follow before anybody could listen again.
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage(Uint8Array.of(0xff, 0, 0));
    const waiting = verifier.verifyRequest(good(), true);
    await gone;
    assert.deepEqual(await waiting, { ok: true });
    assert.equal(ended.length, 1, ended.join('; '));
    await verifier.close();
  });

  it('because it was closed is no failure', async () => {
    const { verifier, ended } = await start();
    await verifier.close();
    assert.deepEqual(ended, []);
    assert.deepEqual(await verifier.verifyRequest(good(), true), { ok: true });
  });
});

describe('keys of every kind are verified the same on both threads', () => {
  const keys = {
    'RSA 2048': generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    Ed25519: generateKeyPairSync('ed25519').privateKey,
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
    'ML-DSA-65': generateKeyPairSync('ml-dsa-65').privateKey,
  };
  for (const [name, key] of Object.entries(keys)) {
    it(name, async () => {
      const request = readCertificationRequest(certificationRequest({ key, subject: 'CN=a' }));
      for (const [, isBusy] of ways)
        assert.deepEqual(await shared.verifier.verifyRequest(request, isBusy), { ok: true });
    });
  }
});
