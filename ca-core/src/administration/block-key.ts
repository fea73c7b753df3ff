/** Blocks a key for good, by itself or by its fingerprint. */

import { describePublicKey, PublicKeyError, publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import type { BlockKeyRequest } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Keep } from '../keep.ts';
import { blockKey as blockKeyOperation } from '../store/blocked-keys.ts';

const fingerprintLength = 32;

/** Throws CoreError `malformed` for what is neither a key nor a fingerprint. Blocking twice changes nothing. */
export async function blockKey(keep: Keep, actor: string, request: BlockKeyRequest): Promise<void> {
  const fingerprint = request.key.length === fingerprintLength ? request.key : fingerprintOf(request.key);
  await keep.store.commit({
    operations: [blockKeyOperation({ fingerprint, reason: request.reason, blockedAt: keep.clock.now() })],
    events: [
      {
        action: 'key-blocked',
        actor,
        outcome: 'success',
        body: { fingerprint: Buffer.from(fingerprint).toString('hex'), reason: request.reason },
      },
    ],
  });
}

function fingerprintOf(subjectPublicKeyInfo: Uint8Array): Uint8Array {
  try {
    describePublicKey(subjectPublicKeyInfo);
  } catch (cause) {
    if (!(cause instanceof PublicKeyError)) throw cause;
    throw new CoreError('malformed', 'neither a SubjectPublicKeyInfo nor a SHA-256 fingerprint', { cause });
  }
  return publicKeyFingerprint(subjectPublicKeyInfo);
}
