// CORE.md, Issuance, steps 7 and 8: with a token the intent is durable before the signature exists, and what was signed
// is what was meant, whoever signs.
import assert from 'node:assert/strict';
import { generateKeyPairSync, hash } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import type { IssuedAnswer } from '../../../src/enrollment/answer.ts';
import { enroll } from '../../../src/enrollment/pipeline.ts';
import { type Signer, SignerError } from '../../../src/keys/signer.ts';
import { createSoftwareSigner } from '../../../src/keys/software-signer.ts';
import { readAuditRecords } from '../../../src/store/audit-events.ts';
import { findCertificate } from '../../../src/store/certificates.ts';
import { countOrphanIntents, listOrphanIntents, orphanAgeMs } from '../../../src/store/intents.ts';
import { findRequestByIdempotencyKey } from '../../../src/store/requests.ts';
import { certificationRequest, enrollRequest, refused } from '../../support/enrollment.ts';
import { contextOf, openTestKeep } from '../../support/keep.ts';

/** How the token of the issuing CA answers, set by each test. */
const token = { sign: (signer: Signer, data: Uint8Array): Promise<Uint8Array> => Promise.resolve(signer.sign(data)) };
const works = token.sign;

const { keep, clock, close } = await openTestKeep((signer) => ({
  ...signer,
  isSynchronous: false,
  sign: (data) => token.sign(signer, data),
}));
after(close);
const { store } = keep;

const request = (): EnrollRequest => enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] }));

async function issue(asked: EnrollRequest): Promise<IssuedAnswer> {
  const answer = await enroll(keep, contextOf(keep), asked);
  return answer.kind === 'issued' ? answer : assert.fail('not issued');
}

/** Intents that are on the disk, however young. */
function intents() {
  return listOrphanIntents(store, new Date(clock.now().getTime() + orphanAgeMs + 1), 10);
}

function lastActions(count: number): readonly string[] {
  const { instance, sequence } = store.auditHead();
  return readAuditRecords(store, instance, sequence - count, count).map(({ action }) => action);
}

describe('a signer that answers later', () => {
  it('is asked only when the intent is on the disk, which the certificate then replaces', async () => {
    let seen: ReturnType<typeof intents> = [];
    let tbsSha256: string | undefined;
    token.sign = (signer, data) => {
      seen = intents();
      tbsSha256 = hash('sha256', data, 'hex');
      assert.deepEqual(lastActions(1), ['signing-intended']);
      return works(signer, data);
    };
    const { serialNumber, certificate, requestId } = await issue(request());
    const [intent, ...more] = seen;
    assert.deepEqual(more, []);
    assert.deepEqual([intent?.serialNumber, intent?.requestId], [serialNumber, requestId]);
    assert.equal(Buffer.from(intent?.tbsSha256 ?? []).toString('hex'), tbsSha256);
    assert.equal(hash('sha256', readCertificate(certificate).tbs, 'hex'), tbsSha256);
    assert.deepEqual(intents(), []);
    assert.deepEqual(lastActions(2), ['signing-intended', 'certificate-issued']);
  });

  it('is asked once for many that want the same', async () => {
    let count = 0;
    token.sign = (signer, data) => {
      count += 1;
      return works(signer, data);
    };
    const asked = request();
    const answers = await Promise.all(Array.from({ length: 20 }, () => issue(asked)));
    assert.equal(count, 1);
    assert.equal(new Set(answers.map(({ serialNumber }) => serialNumber)).size, 1);
  });

  it('may answer in another order than it was asked', async () => {
    const held: (() => void)[] = [];
    token.sign = async (signer, data) => {
      await new Promise<void>((resolve) => {
        held.push(resolve);
        if (held.length === 5) for (const release of held.reverse()) release();
      });
      return works(signer, data);
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => issue(request())));
    assert.equal(new Set(answers.map(({ serialNumber }) => serialNumber)).size, 5);
    assert.deepEqual(intents(), []);
  });

  for (const [what, fail] of [
    ['answers that it cannot sign', () => Promise.reject(new SignerError('the token was pulled out'))],
    [
      'fails at once',
      () => {
        throw new SignerError('the session has ended');
      },
    ],
  ] as const) {
    it(`that ${what} is unavailable, leaves the intent as an orphan, and nothing else`, async () => {
      token.sign = fail;
      const asked = request();
      const orphans = intents().length;
      const error = await refused(enroll(keep, contextOf(keep), asked), 'unavailable', /sign/);
      assert.ok((error.retryAfterSeconds ?? 0) > 0);
      assert.equal(intents().length, orphans + 1);
      assert.equal(countOrphanIntents(store, clock.now()), 0);
      const later = new Date(clock.now().getTime() + orphanAgeMs + 1);
      assert.equal(countOrphanIntents(store, later), orphans + 1);
      const [intent] = intents();
      assert.equal(findCertificate(store, intent?.serialNumber ?? ''), undefined);
      assert.equal(findRequestByIdempotencyKey(store, 'gate', asked.idempotencyKey), undefined);

      token.sign = works;
      await issue(asked);
    });
  }
});

describe('a signer that signs something else', () => {
  const lies: Readonly<Record<string, typeof works>> = {
    'other octets': (signer, data) => works(signer, Buffer.concat([data, Buffer.alloc(1)])),
    'with another key': (_signer, data) =>
      Promise.resolve(createSoftwareSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).sign(data)),
    nothing: () => Promise.resolve(new Uint8Array(0)),
    'no signature': () => Promise.resolve(Buffer.from('no signature')),
  };
  for (const [what, lie] of Object.entries(lies)) {
    it(`${what}: is caught, and nothing is recorded or released`, async () => {
      token.sign = lie;
      const asked = request();
      const before = intents().length;
      await refused(enroll(keep, contextOf(keep), asked), 'internal', /not the one that was intended/);
      assert.equal(findRequestByIdempotencyKey(store, 'gate', asked.idempotencyKey), undefined);
      const left = intents();
      assert.equal(left.length, before + 1);
      for (const { serialNumber } of left) assert.equal(findCertificate(store, serialNumber), undefined);
    });
  }

  it('is caught when many are checked beside this thread, too', async () => {
    token.sign = (signer, data) => works(signer, Buffer.concat([data, Buffer.alloc(1)]));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => issue(request())));
    for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'internal');
  });
});
