// Perspectives and signing keys as the contract shows them.

import type { Perspective, SigningKey } from '@gatehouse/proto/domain-validation';
import type { PerspectiveRecord, PerspectiveRegistry, SigningKeyRecord } from './perspectives.ts';

/** A perspective with all keys that it ever had. */
export function perspectiveMessage(registry: PerspectiveRegistry, perspective: PerspectiveRecord): Perspective {
  const { uri, ...message } = perspective;
  return { ...message, keys: registry.listSigningKeys(uri).map(signingKeyMessage) };
}

/** A key. */
export function signingKeyMessage(record: SigningKeyRecord): SigningKey {
  const { keyId, holder, activeFrom, retiredAt, revokedAt } = record;
  const subjectPublicKeyInfo = Buffer.from(record.subjectPublicKeyInfo);
  return { keyId, holder, subjectPublicKeyInfo, activeFrom, retiredAt, revokedAt };
}
