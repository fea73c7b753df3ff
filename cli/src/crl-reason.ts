/** Reasons for a revocation (RFC 5280 §5.3.1) by the names that operators write. */
import { RevocationReason } from '@gatehouse/proto/types';
import { reasonName } from './certificate-view.ts';

/** `key-compromise` for 1; the number itself where the RFC has no name. */
export function crlReasonName(reason: number): string {
  const known = Object.values(RevocationReason).find((one) => one === reason);
  return known === undefined ? String(reason) : reasonName(known);
}
