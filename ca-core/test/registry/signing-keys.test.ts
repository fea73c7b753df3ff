// Keys of statements over the wire: registered with proof, one role each, retired by their holder, revoked by operators.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { BlockKeyResponse, JoinToken, RevokeSigningKeyRequest } from '@gatehouse/proto/administration';
import type { Credential } from '@gatehouse/proto/certificate-authority';
import type { Perspective, SigningKey } from '@gatehouse/proto/domain-validation';
import { createManualClock } from '@gatehouse/runtime/clock';
import { callerUri } from '../../src/registry/caller.ts';
import { maximumActiveKeys } from '../../src/registry/signing-keys.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  newKey,
  refused,
} from '../support/enrollment.ts';
import {
  addPerspective,
  joinPerspective,
  listPerspectives,
  registerSigningKey,
  retireSigningKey,
  signingKeyProof,
} from '../support/perspectives.ts';
import { type Connection, joinWith, startTestCore, unary } from '../support/running-core.ts';

const clock = createManualClock(new Date());
const core = await startTestCore([], { clock });
after(() => core.stop());
const address = '127.0.0.1:5290';
const dublin = { connection: await joinPerspective(core, 'dublin'), uri: callerUri('perspective', 'dublin') };
const cork = { connection: await joinPerspective(core, 'cork'), uri: callerUri('perspective', 'cork') };
const gateCredential = await core.addRegistrationAuthority({ name: 'acme', profiles: ['tls-server'], dns: ['*'] });
const gate = { connection: core.connect(gateCredential), uri: callerUri('gate', 'acme') };
const keyIdOf = (key: ReturnType<typeof newKey>) => jwkOfKey(key).thumbprint;

function register(holder: { readonly connection: Connection; readonly uri: string }, key = newKey(), at = address) {
  const proof = signingKeyProof(key, holder.uri, clock.now());
  return registerSigningKey(holder.connection, { proof, address: at, build: '0.1.0' });
}

function revoke(keyId: string, reason = 'stolen'): Promise<SigningKey> {
  const request: RevokeSigningKeyRequest = { keyId, reason };
  return unary((callback) => core.operator.administration.revokeSigningKey(request, callback));
}

async function find(name: string): Promise<Perspective | undefined> {
  return (await listPerspectives(core.operator)).find((one) => one.name === name);
}

describe('a key that is registered', () => {
  it('is listed with its holder, and tells gates where that is', async () => {
    const key = newKey();
    const registered = await register(dublin, key);
    assert.equal(registered.keyId, keyIdOf(key));
    assert.equal(registered.holder, dublin.uri);
    assert.deepEqual(registered.activeFrom, clock.now());
    assert.deepEqual([registered.retiredAt, registered.revokedAt], [undefined, undefined]);
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
    assert.deepEqual(registered.subjectPublicKeyInfo, spki);
    for (const connection of [gate.connection, cork.connection, core.operator]) {
      const perspective = (await listPerspectives(connection)).find(({ name }) => name === 'dublin');
      assert.deepEqual([perspective?.address, perspective?.build], [address, '0.1.0']);
      assert.deepEqual(perspective?.keys, [registered]);
    }
    const [event] = await auditEvents(core, { action: 'signing-key-registered', limit: 1 });
    assert.equal(event?.actor, dublin.uri);
    assert.equal(JSON.parse(event?.body ?? '').keyId, keyIdOf(key));
  });

  it('stays as it is when it is registered again, and nothing is written', async () => {
    const key = newKey();
    const first = await register(dublin, key);
    const count = (await auditEvents(core, { action: 'signing-key-registered' })).length;
    clock.advance(5000);
    assert.deepEqual(await register(dublin, key), first);
    assert.equal((await auditEvents(core, { action: 'signing-key-registered' })).length, count);
    await register(dublin, key, '127.0.0.1:5291');
    assert.equal((await find('dublin'))?.address, '127.0.0.1:5291');
    assert.equal((await auditEvents(core, { action: 'signing-key-registered' })).length, count + 1);
  });

  it('is active from the time of its holder’s clock when that is behind', async () => {
    const key = newKey();
    const issuedAt = new Date(clock.now().getTime() - 30_000);
    const proof = signingKeyProof(key, cork.uri, issuedAt);
    const { activeFrom } = await registerSigningKey(cork.connection, { proof, address });
    assert.deepEqual(activeFrom, issuedAt);
  });

  it('is registered once when it is registered five times at once', async () => {
    const key = newKey();
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => register(cork, key)));
    for (const other of others) assert.deepEqual(other, first);
    const keys = (await find('cork'))?.keys ?? [];
    assert.equal(keys.filter(({ keyId }) => keyId === keyIdOf(key)).length, 1);
  });

  it('of a gate is known, and stands under no perspective', async () => {
    const { keyId, holder } = await register(gate, newKey(), '');
    assert.equal(holder, gate.uri);
    const listed = (await listPerspectives(core.operator)).flatMap(({ keys }) => keys);
    assert.ok(!listed.some((key) => key.keyId === keyId));
    const [event] = await auditEvents(core, { action: 'signing-key-registered', limit: 1 });
    assert.equal(event?.registrationAuthority, 'acme');
  });
});

describe('a key is refused', () => {
  it('with the proof of another holder, or for another holder', async () => {
    const key = newKey();
    const proof = signingKeyProof(key, cork.uri, clock.now());
    await refused(registerSigningKey(dublin.connection, { proof, address }), 'unauthorized', /another holder/);
    await register(cork, key);
    await refused(register(dublin, key), 'bad-key', /another holder/);
  });

  it('when it is in a credential, in the CA or blocked', async () => {
    await refused(register(gate, createPrivateKey(gateCredential), ''), 'bad-key', /belongs to/);
    const blocked = newKey();
    const spki = createPublicKey(blocked).export({ type: 'spki', format: 'der' });
    await unary<BlockKeyResponse>((callback) =>
      core.operator.administration.blockKey({ key: spki, reason: 'lost' }, callback),
    );
    await refused(register(gate, blocked, ''), 'bad-key', /blocked/);
  });

  for (const at of ['', 'nowhere', '0.0.0.0:5290', 'unix:1']) {
    it(`with the address ${JSON.stringify(at)} of a perspective`, async () => {
      await refused(register(dublin, newKey(), at), 'malformed', /host:port/);
    });
  }

  it('with an address of a gate, which is asked by nobody', async () => {
    await refused(register(gate), 'malformed', /address/);
  });

  it('with a version that no table could show', async () => {
    const proof = signingKeyProof(newKey(), dublin.uri, clock.now());
    await refused(registerSigningKey(dublin.connection, { proof, address, build: 'a\nb' }), 'malformed', /version/);
  });

  it('when its holder has too many that are active, until it retires one', async () => {
    const many = { connection: await joinPerspective(core, 'many'), uri: callerUri('perspective', 'many') };
    const keys: SigningKey[] = [];
    for (let i = 0; i < maximumActiveKeys; i++) keys.push(await register(many));
    await refused(register(many), 'conflict', /8 active keys/);
    await retireSigningKey(many.connection, keys[0]?.keyId ?? '');
    await register(many);
  });

  it('when its holder moves without end, each time with a line in the audit log', async () => {
    const lost = { connection: await joinPerspective(core, 'lost'), uri: callerUri('perspective', 'lost') };
    const key = newKey();
    for (let i = 0; i < 60; i++) await register(lost, key, `127.0.0.1:${1000 + i}`);
    await refused(register(lost, key, '127.0.0.1:999'), 'rate-limited', /moves faster/);
    await register(lost, key, '127.0.0.1:1059');
  });

  it('when its holder makes one after the other without end', async () => {
    const mad = { connection: await joinPerspective(core, 'mad'), uri: callerUri('perspective', 'mad') };
    for (let i = 0; i < 16; i++) await retireSigningKey(mad.connection, (await register(mad)).keyId);
    const error = await refused(register(mad), 'rate-limited', /faster/);
    assert.ok((error.retryAfterSeconds ?? 0) > 0);
  });
});

describe('a key that signs statements', () => {
  it('is not certified, neither for a name nor for a caller', async () => {
    const key = newKey();
    await register(gate, key, '');
    const csr = certificationRequest({ key, names: ['DNS:a.example'] });
    await refused(enroll(gate.connection.authority, enrollRequest(csr)), 'bad-key', /signs statements/);
    const certificationRequestOf = certificationRequest({ key });
    await refused(
      unary<Credential>((callback) =>
        gate.connection.authority.renewCredential({ certificationRequest: certificationRequestOf }, callback),
      ),
      'bad-key',
      /signs statements/,
    );
  });
});

describe('a key that its holder retires', () => {
  it('is over for good', async () => {
    const key = newKey();
    const { keyId } = await register(cork, key);
    clock.advance(1000);
    const retired = await retireSigningKey(cork.connection, keyId);
    assert.deepEqual(retired.retiredAt, clock.now());
    clock.advance(1000);
    assert.deepEqual(await retireSigningKey(cork.connection, keyId), retired);
    await refused(register(cork, key), 'conflict', /retired/);
    const [event] = await auditEvents(core, { action: 'signing-key-retired', limit: 1 });
    assert.equal(JSON.parse(event?.body ?? '').keyId, keyId);
  });

  it('must be its own', async () => {
    const { keyId } = await register(cork);
    await refused(retireSigningKey(dublin.connection, keyId), 'not-found');
    await refused(retireSigningKey(dublin.connection, 'unknown'), 'not-found', /unknown/);
  });
});

describe('a key that an operator revokes', () => {
  it('is revoked for good, retired or not, with the reason in the log', async () => {
    const key = newKey();
    const { keyId } = await register(cork, key);
    await retireSigningKey(cork.connection, keyId);
    const revoked = await revoke(keyId, 'disk was stolen');
    assert.deepEqual(revoked.revokedAt, clock.now());
    await refused(register(cork, key), 'bad-key', /revoked/);
    await refused(revoke(keyId), 'conflict', /revoked already/);
    const [event] = await auditEvents(core, { action: 'signing-key-revoked', limit: 1 });
    assert.deepEqual(JSON.parse(event?.body ?? ''), { keyId, holder: cork.uri, reason: 'disk was stolen' });
  });

  it('may be a gate’s', async () => {
    const { keyId } = await register(gate, newKey(), '');
    assert.ok((await revoke(keyId)).revokedAt);
  });

  it('must be there, and the reason short', async () => {
    await refused(revoke('unknown'), 'not-found', /unknown/);
    const { keyId } = await register(gate, newKey(), '');
    await refused(revoke(keyId, 'ä'.repeat(129)), 'malformed', /256/);
  });
});

describe('a perspective that is disabled', () => {
  it('loses its open connections and its keys, and nobody buys a credential for it', async () => {
    const gone = { connection: await joinPerspective(core, 'gone'), uri: callerUri('perspective', 'gone') };
    await register(gone);
    const { token } = await unary<JoinToken>((callback) =>
      core.operator.administration.createPerspectiveJoinToken({ name: 'gone', tokenLife: undefined }, callback),
    );
    const disconnected = new Promise<void>((resolve) => {
      const channel = gone.connection.validation.getChannel();
      const state = channel.getConnectivityState(false);
      channel.watchConnectivityState(state, Date.now() + 10_000, () => resolve());
    });
    const disabled = await unary<Perspective>((callback) =>
      core.operator.administration.disablePerspective({ name: 'gone' }, callback),
    );
    assert.equal(disabled.isDisabled, true);
    assert.ok(disabled.keys.every(({ retiredAt }) => retiredAt !== undefined));
    await disconnected;
    await refused(register(gone), 'unauthorized', /disabled/);
    await refused(joinWith(core.running.address, token), 'unauthorized', /disabled/);
    await refused(
      unary<JoinToken>((callback) =>
        core.operator.administration.createPerspectiveJoinToken({ name: 'gone', tokenLife: undefined }, callback),
      ),
      'conflict',
      /disabled/,
    );
  });

  it('must be there', async () => {
    await refused(
      unary<Perspective>((callback) => core.operator.administration.disablePerspective({ name: 'none' }, callback)),
      'not-found',
    );
  });
});

describe('registering a perspective', () => {
  it('with a name that is taken or labels that are none is refused', async () => {
    await refused(addPerspective(core, 'dublin'), 'conflict', /dublin/);
    await refused(addPerspective(core, 'new', { rir: 'MARS' }), 'malformed', /ARIN/);
    await refused(
      unary<JoinToken>((callback) =>
        core.operator.administration.addPerspective({ perspective: undefined, tokenLife: undefined }, callback),
      ),
      'malformed',
    );
    await refused(
      unary<JoinToken>((callback) =>
        core.operator.administration.createPerspectiveJoinToken({ name: 'none', tokenLife: undefined }, callback),
      ),
      'not-found',
    );
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
