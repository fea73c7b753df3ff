// Keys that nobody may have certified, and keys that a profile does not take.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { BlockKeyResponse } from '@gatehouse/proto/administration';
import type { Credential, RevokeResponse } from '@gatehouse/proto/certificate-authority';
import { CertificateState, RevocationReason } from '@gatehouse/proto/types';
import { systemClock } from '@gatehouse/runtime/clock';
import { loadAuthorities } from '../../../src/authorities/load-authorities.ts';
import { loadEncryptedKey } from '../../../src/keys/software-key.ts';
import { requestOf } from '../../openssl.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  lastAuditEvent,
  newKey,
  refused,
  requester,
} from '../../support/enrollment.ts';
import { startTestCore, unary } from '../../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const registration = { profiles: ['tls-server', 'device-identity', 'sub-ca'], dns: ['example.com'], subject: ['*'] };
const credential = await core.addRegistrationAuthority({ name: 'gate', ...registration });
const { authority: gate } = core.connect(credential);
const names = ['DNS:a.example.com'];

const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

function secret(name: string): string {
  return readFileSync(join(core.directory, 'secrets', name), 'utf8').trimEnd();
}

function keyFile(name: string): KeyObject {
  const passphrase = secret(name === 'root' ? 'root-passphrase' : 'passphrase');
  return loadEncryptedKey(join(core.directory, 'ca', `${name}.key.pem`), passphrase);
}

function enrollKey(key: KeyObject, profile = 'device-identity') {
  return enroll(gate, enrollRequest(certificationRequest({ key, names }), { profile }));
}

describe('RFC 9483 §4.1: one key, one role', () => {
  for (const name of ['root', 'issuing', 'service']) {
    it(`refuses the key of the ${name} CA as subject key`, async () => {
      await refused(enrollKey(keyFile(name)), 'bad-key', /belongs to the CA/);
    });
  }

  it('refuses the key of the audit log as subject key', async () => {
    const { auditKey } = loadAuthorities({
      directory: core.directory,
      passphrase: secret('passphrase'),
      clock: systemClock,
    });
    await refused(enrollKey(auditKey), 'bad-key', /belongs to the CA/);
  });

  it('refuses the key of an RA’s credential as subject key', async () => {
    await refused(enrollKey(createPrivateKey(credential)), 'bad-key', /registration authority/);
  });

  it('refuses the key of an operator’s credential as subject key', async () => {
    const operator = readFileSync(join(core.directory, 'operators/admin.pem'), 'utf8');
    await refused(enrollKey(createPrivateKey(operator)), 'bad-key', /operator/);
  });

  it('still refuses the key of a credential that was renewed since', async () => {
    const renewing = await core.addRegistrationAuthority({ name: 'renewing', ...registration });
    const { authority } = core.connect(renewing);
    await unary<Credential>((callback) =>
      authority.renewCredential({ certificationRequest: certificationRequest() }, callback),
    );
    await refused(enrollKey(createPrivateKey(renewing)), 'bad-key', /registration authority/);
  });
});

describe('a blocked key is never certified again', () => {
  const block = (key: Uint8Array, reason = 'seen in a firmware image') =>
    unary<BlockKeyResponse>((callback) =>
      core.operator.administration.blockKey({ key: Buffer.from(key), reason }, callback),
    );

  it('when it was blocked itself', async () => {
    const key = newKey();
    await issue(gate, enrollRequest(certificationRequest({ key, names })));
    await block(spki(key));
    const [event] = await auditEvents(core, { action: 'key-blocked', limit: 1 });
    assert.match(event?.body ?? '', /firmware image/);
    await refused(enrollKey(key, 'tls-server'), 'bad-key', /blocked/);
  });

  it('when its fingerprint was blocked before anybody had seen it', async () => {
    const key = newKey();
    await block(createHash('sha256').update(spki(key)).digest());
    await refused(enrollKey(key), 'bad-key', /blocked/);
    const event = await lastAuditEvent(core);
    assert.deepEqual([event.action, event.outcome], ['enrollment-refused', 'bad-key']);
  });

  it('blocking twice is no mistake', async () => {
    const key = newKey();
    await block(spki(key));
    await block(spki(key), 'again');
  });

  it('what is neither key nor fingerprint cannot be blocked', async () => {
    for (const nothing of ['', 'ff', '3000', 'aa'.repeat(31)]) {
      await refused(block(Buffer.from(nothing, 'hex')), 'malformed', /SubjectPublicKeyInfo/);
    }
  });

  it('RFC 5280 §5.3.1: when a certificate of it was revoked for keyCompromise', async () => {
    const key = newKey();
    const { serialNumber } = await issue(gate, enrollRequest(certificationRequest({ key, names })));
    const { certificate } = await unary<RevokeResponse>((callback) =>
      gate.revoke(
        {
          serialNumber,
          reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
          invalidityDate: undefined,
          requester,
        },
        callback,
      ),
    );
    assert.equal(certificate?.state, CertificateState.CERTIFICATE_STATE_REVOKED);
    await refused(enrollKey(key), 'bad-key', /blocked/);
  });

  it('not when it was revoked for another reason', async () => {
    const key = newKey();
    const { serialNumber } = await issue(gate, enrollRequest(certificationRequest({ key, names })));
    const reason = RevocationReason.REVOCATION_REASON_SUPERSEDED;
    await unary<RevokeResponse>((callback) =>
      gate.revoke({ serialNumber, reason, invalidityDate: undefined, requester }, callback),
    );
    await enrollKey(key);
  });
});

describe('keys that a profile does not take', () => {
  const cases: readonly (readonly [string, KeyObject, string, RegExp])[] = [
    ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'tls-server', /1024/],
    ['RSA of 2048 bits for a CA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'sub-ca', /3072/],
    ['Ed25519 for a CA', generateKeyPairSync('ed25519').privateKey, 'sub-ca', /Ed25519|ed25519/],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'device-identity', /./],
    ['Ed448', generateKeyPairSync('ed448').privateKey, 'device-identity', /./],
  ];
  for (const [what, key, profile, detail] of cases) {
    it(`refuses ${what}`, async () => {
      const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
      const csr = requestOf(pem, '/CN=device 1');
      await refused(enroll(gate, enrollRequest(csr, { profile })), 'bad-key', detail);
    });
  }
});

it('the audit chain holds', () => assertAuditHolds(core));
