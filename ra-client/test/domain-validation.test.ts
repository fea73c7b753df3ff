import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordedEvidence } from '@gatehouse/proto/administration';
import type { RegisterSigningKeyRequest, RetireSigningKeyRequest } from '@gatehouse/proto/domain-validation';
import { connectCore } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import type { DomainValidationClient, RegisteredPerspective, SigningKey } from '@gatehouse/ra-client/domain-validation';
import { type Answer, createServiceAuthority, silentLog, startTestCore } from './support/test-core.ts';

const authority = createServiceAuthority();
const key: SigningKey = {
  keyId: 'kid',
  holder: 'spiffe://gatehouse.internal/perspective/dublin',
  subjectPublicKeyInfo: Buffer.from('spki'),
  activeFrom: new Date('2026-11-21T12:00:00Z'),
  retiredAt: undefined,
  revokedAt: undefined,
};
const dublin: RegisteredPerspective = {
  name: 'dublin',
  site: 'plant-a',
  rir: 'RIPE',
  latitude: 53.35,
  longitude: undefined,
  isDisabled: false,
  address: '192.0.2.1:5290',
  keys: [key],
  createdAt: new Date('2026-11-20T12:00:00Z'),
  credentialExpiresAt: undefined,
  build: '0.1.0',
};

async function withCore(
  answers: Readonly<Record<string, Answer>>,
  body: (validation: DomainValidationClient) => Promise<void>,
): Promise<void> {
  const core = await startTestCore(authority, answers);
  const client = connectCore({
    addresses: [core.address],
    credential: holdCredential(authority.credential('perspective/dublin')),
    log: silentLog,
    renewsCredential: false,
    timeoutMs: 60_000,
  });
  try {
    await body(client.validation);
  } finally {
    await client.close(0);
    core.stop();
  }
}

describe('mpic.md §3.1: the registry of perspectives', () => {
  it('registers a key with its proof, and retires it', async () => {
    const asked: unknown[] = [];
    const answers = {
      registerSigningKey: (request: RegisterSigningKeyRequest) => {
        asked.push(request);
        return key;
      },
      retireSigningKey: (request: RetireSigningKeyRequest) => {
        asked.push(request);
        return { ...key, retiredAt: new Date('2026-11-22T12:00:00Z') };
      },
    };
    const registration = { proof: 'a.b.c', address: '192.0.2.1:5290', build: '0.1.0' };
    await withCore(answers, async (validation) => {
      assert.deepEqual(await validation.registerSigningKey(registration), key);
      assert.equal((await validation.retireSigningKey('kid')).retiredAt?.getTime(), Date.parse('2026-11-22T12:00:00Z'));
      assert.deepEqual(asked, [registration, { keyId: 'kid' }]);
    });
  });

  it('lists perspectives with their keys; a coordinate that is not known is absent', async () => {
    await withCore({ listPerspectives: () => ({ perspectives: [dublin] }) }, async (validation) => {
      assert.deepEqual(await validation.listPerspectives(), [dublin]);
    });
  });

  it('passes on the refusal of a proof', async () => {
    const registerSigningKey = () => {
      throw new CoreError('bad-key', 'the proof does not verify');
    };
    await withCore({ registerSigningKey }, async (validation) => {
      await assert.rejects(validation.registerSigningKey({ proof: '', address: '', build: '' }), { code: 'bad-key' });
    });
  });
});

describe('mpic.md §4: evidence for operators', () => {
  it('comes whole, also of a certificate with a hundred names', async () => {
    const statements = Array.from({ length: 800 }, () => Buffer.alloc(16_384, 'a'));
    const evidence = [{ type: 'perspective-results', payload: Buffer.alloc(0), certificates: [], statements }];
    const recorded: RecordedEvidence = {
      serialNumber: '4a01',
      evidence,
      keys: [key],
      recordedAt: new Date('2026-11-21T12:00:00Z'),
      keptUntil: new Date('2028-11-21T12:00:00Z'),
      verdicts: ['mpic name=a.example'],
    };
    const core = await startTestCore(authority, { getEvidence: () => recorded });
    const client = connectCore({
      addresses: [core.address],
      credential: holdCredential(authority.credential('operator/admin')),
      log: silentLog,
      timeoutMs: 60_000,
    });
    try {
      assert.deepEqual(await client.administration.getEvidence('4a01'), recorded);
    } finally {
      await client.close(0);
      core.stop();
    }
  });
});
