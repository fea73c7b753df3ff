import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate as settled } from 'node:timers/promises';
import { estPolicyShape, type Label } from '@gatehouse/gateway-kit/est/configuration';
import { readRequest } from '@gatehouse/gateway-kit/est/enrollment';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { EnrollmentExchange } from '@gatehouse/gateway-kit/est/exchange';
import type { EnrollmentGate } from '@gatehouse/gateway-kit/est/gate';
import { createHeldKeys } from '@gatehouse/gateway-kit/est/held-keys';
import type { CountedUses, Identity } from '@gatehouse/gateway-kit/est/identity';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { generateServerKey, type IssuedKey } from '@gatehouse/gateway-kit/est/server-key-generation';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { octetString } from '@gatehouse/pkix/der/writer';
import { pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Enrollment, EnrollmentOutcome } from '@gatehouse/ra-client/enrollment';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { z } from 'zod';

const request = readRequest(newRequest({ subject: 'CN=device' }));
const label = ((): Label => {
  const found = collectLabels(z.strictObject(estPolicyShape).parse({ labels: { l: { profile: 'p' } } })).find('l');
  assert.ok(found !== undefined);
  return found;
})();

/** A gate with a keep that remembers answers by key; what it answers is the test's to change. */
function setUp({ uses }: { uses?: CountedUses } = {}) {
  const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));
  const answers = new Map<string, EnrollmentOutcome>();
  const revoked: string[] = [];
  const keep = {
    outcome: 'issued' as 'issued' | 'pending' | CoreError,
    failure: undefined as CoreError | undefined,
    onEnroll: async () => {},
  };
  const enroll = async ({ idempotencyKey, subjectKey }: Enrollment): Promise<EnrollmentOutcome> => {
    await keep.onEnroll();
    const known = answers.get(idempotencyKey);
    if (known?.kind === 'issued') return { ...known, isRepeated: true };
    if (keep.outcome instanceof CoreError) throw keep.outcome;
    if (keep.outcome === 'pending') return { kind: 'pending', requestId: idempotencyKey, retryAfterSeconds: 30 };
    const serialNumber = String(answers.size + 1).padStart(4, '0');
    // The CSR stands for the certificate: both hold the public key.
    const certificate = subjectKey.kind === 'certification-request' ? subjectKey.der : new Uint8Array(0);
    const times = { notBefore: clock.now(), notAfter: clock.now() };
    const issued = { requestId: idempotencyKey, certificate, chain: [], serialNumber, isRepeated: false, ...times };
    answers.set(idempotencyKey, { kind: 'issued', ...issued });
    return { kind: 'issued', ...issued };
  };
  const gate = {
    protocol: 'coap',
    windows: { retryWindow: 600_000, collectWindow: 600_000 },
    clock,
    core: {
      enroll,
      revoke: async ({ serialNumber }: { serialNumber: string }) => {
        if (keep.failure !== undefined) throw keep.failure;
        revoked.push(serialNumber);
      },
    },
    profiles: {
      get: async () => ({
        name: 'p',
        subject: [],
        requiredNames: [],
        keys: [{ kind: 'ec', parameters: ['P-256'], minimumBits: 0, maximumBits: 0 }],
      }),
    },
    heldKeys: createHeldKeys(clock, 600_000),
    keyEncryptionKeys: { findKey: () => undefined, certificates: () => [] },
  } as unknown as EnrollmentGate;
  const exchange: EnrollmentExchange = {
    requestId: 'r',
    log: createLog({ name: 'test', level: 'silent' }),
    operation: 'serverkeygen',
    label,
    peer: {
      remoteAddress: '192.0.2.1',
      tlsVersion: 'DTLSv1.2',
      cipher: '',
      chain: [],
      channelBinding: { tlsUnique: undefined, exporter: () => undefined },
    },
    note: () => {},
  };
  const identity: Identity = {
    requester: { kind: 'device', id: 'd', display: 'd', address: '192.0.2.1' },
    key: ['device d'],
    client: undefined,
    names: () => [],
    isRegistrationAuthority: false,
    evidence: [],
    uses,
  };
  const ask = () => generateServerKey(gate, exchange, identity, request);
  return {
    keep,
    clock,
    revoked,
    ask,
    askIssued: async (): Promise<IssuedKey> => {
      const outcome = await ask();
      assert.ok(outcome.kind === 'issued');
      return outcome;
    },
    askWith: (der: Uint8Array) => generateServerKey(gate, exchange, identity, readRequest(der)),
    issued: () => answers.size,
  };
}

const publicKeyOf = ({ key }: IssuedKey): Buffer =>
  createPublicKey(createPrivateKey({ key: Buffer.from(key.der), format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  });

describe('RFC 7030 §4.4, RFC 9148 §4.8: a generated key on its way', () => {
  it('is that of the certificate, in clear where the CSR asks for nothing else', async () => {
    const issued = await setUp().askIssued();
    assert.equal(issued.key.isEncrypted, false);
    const { subjectPublicKeyInfo } = readCertificationRequest(issued.certificate);
    assert.deepEqual(publicKeyOf(issued), Buffer.from(subjectPublicKeyInfo));
  });

  it('is the same for the same request until it was delivered, and another one after that', async () => {
    const { askIssued, revoked, issued } = setUp();
    const first = await askIssued();
    const again = await askIssued();
    assert.deepEqual(publicKeyOf(again), publicKeyOf(first));
    assert.equal(again.serialNumber, first.serialNumber);
    again.delivered();
    // The answer that was overtaken is no loss: the client has the key.
    await first.undelivered();
    assert.deepEqual(revoked, []);
    const next = await askIssued();
    assert.notDeepEqual(publicKeyOf(next), publicKeyOf(first));
    assert.equal(issued(), 2);
  });

  it('is a copy for each answer: what one overwrites, the other still has', async () => {
    const { askIssued } = setUp();
    const first = await askIssued();
    const spki = publicKeyOf(first);
    first.key.der.fill(0);
    const second = await askIssued();
    assert.deepEqual(publicKeyOf(second), spki);
    first.delivered();
    assert.deepEqual(publicKeyOf(second), spki);
  });

  it('is revoked with its certificate when it was not delivered, once', async () => {
    const { askIssued, revoked } = setUp();
    const first = await askIssued();
    await first.undelivered();
    await first.undelivered();
    first.delivered();
    assert.deepEqual(revoked, [first.serialNumber]);
    assert.notEqual((await askIssued()).serialNumber, first.serialNumber);
  });

  it('is revoked when it was believed to be delivered and was not', async () => {
    const { askIssued, revoked } = setUp();
    const issued = await askIssued();
    issued.delivered();
    await issued.undelivered();
    assert.deepEqual(revoked, [issued.serialNumber]);
  });

  it('stays for the retry of a client that was lost: the last answer decides', async () => {
    const { askIssued, revoked } = setUp();
    const lost = await askIssued();
    const retry = await askIssued();
    await lost.undelivered();
    assert.deepEqual(revoked, []);
    assert.equal((await askIssued()).serialNumber, retry.serialNumber);
    await retry.undelivered();
    assert.deepEqual(revoked, [], 'the third answer is still on its way');
  });

  it('stays for a retry that asks the keep while the first answer is lost', async () => {
    const { askIssued, revoked, keep } = setUp();
    const lost = await askIssued();
    keep.onEnroll = () => lost.undelivered();
    const retry = await askIssued();
    assert.equal(retry.serialNumber, lost.serialNumber);
    assert.deepEqual(revoked, []);
  });

  it('waits for approval, and for a keep that did not answer; never after a refusal', async () => {
    const { ask, askIssued, keep, issued } = setUp();
    keep.outcome = 'pending';
    const pending = await ask();
    assert.ok(pending.kind === 'pending' && pending.retryAfterSeconds === 30);
    keep.outcome = new CoreError('unavailable', 'away');
    await assert.rejects(ask(), CoreError);
    keep.outcome = 'issued';
    const outcome = await askIssued();
    assert.equal(outcome.kind, 'issued');
    assert.equal(issued(), 1);
    outcome.delivered();
    keep.outcome = new CoreError('profile-refuses', 'no');
    await assert.rejects(ask(), CoreError);
  });

  it('is the same for a while after it was delivered, where that is not certain', async () => {
    const { askIssued, clock, revoked } = setUp();
    const first = await askIssued();
    first.delivered(60_000);
    clock.advance(59_999);
    const again = await askIssued();
    assert.equal(again.serialNumber, first.serialNumber);
    // That this answer is lost says nothing of the first.
    await again.undelivered();
    assert.deepEqual(revoked, []);
    clock.advance(1);
    assert.equal((await askIssued()).serialNumber, first.serialNumber);
    clock.advance(600_000);
    assert.notEqual((await askIssued()).serialNumber, first.serialNumber);
  });

  it('is forgotten when nobody says what became of it', async () => {
    const { askIssued, clock } = setUp();
    const first = await askIssued();
    clock.advance(600_000);
    assert.notEqual((await askIssued()).serialNumber, first.serialNumber);
  });

  it('is revoked when the keep is back that could not be asked, with pauses that grow', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { askIssued, keep, revoked } = setUp();
    const issued = await askIssued();
    keep.failure = new CoreError('unavailable', 'away');
    await issued.undelivered();
    t.mock.timers.tick(5_000);
    await settled();
    keep.failure = undefined;
    t.mock.timers.tick(9_000);
    await settled();
    assert.deepEqual(revoked, []);
    t.mock.timers.tick(1_000);
    await settled();
    assert.deepEqual(revoked, [issued.serialNumber]);
    t.mock.timers.tick(600_000);
    await settled();
    assert.deepEqual(revoked, [issued.serialNumber]);
  });

  it('never fails over a certificate that the keep does not let it revoke, and asks once', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { askIssued, keep, revoked } = setUp();
    const issued = await askIssued();
    keep.failure = new CoreError('unauthorized', 'no');
    await issued.undelivered();
    keep.failure = undefined;
    t.mock.timers.tick(600_000);
    await settled();
    assert.deepEqual(revoked, []);
  });

  it('costs a counted use once, which is given back with the revocation', async () => {
    const spent = new Set<string>();
    const uses: CountedUses = {
      spend: (key) => spent.has(key) || (spent.size < 1 && spent.add(key).size === 1),
      giveBack: (key) => void spent.delete(key),
    };
    const { askIssued, ask } = setUp({ uses });
    const first = await askIssued();
    const again = await askIssued();
    assert.equal(spent.size, 1);
    await first.undelivered();
    assert.equal(spent.size, 1);
    await again.undelivered();
    assert.equal(spent.size, 0);
    (await askIssued()).delivered();
    await assert.rejects(ask(), (error) => error instanceof EstError && error.code === 'not-allowed');
  });

  it('is not made when encryption is asked for that cannot be done', async () => {
    const { askWith, issued } = setUp();
    const attributes = [{ type: pkcs9Attributes.decryptKeyIdentifier, values: [octetString(Buffer.from('unknown'))] }];
    await assert.rejects(
      askWith(newRequest({ subject: 'CN=device', attributes })),
      (error) => error instanceof EstError && error.code === 'malformed',
    );
    assert.equal(issued(), 0);
  });
});
