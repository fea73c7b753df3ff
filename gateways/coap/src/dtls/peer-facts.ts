// How a peer is named in log lines.

import { normalizeAddress } from '@gatehouse/gateway-kit/peer';
import type { DtlsPeer } from './transport.ts';

/** Its address and port in one text. */
export function peerFacts({ address, port }: DtlsPeer): { readonly peer: string } {
  const normalized = normalizeAddress(address);
  return { peer: normalized.includes(':') ? `[${normalized}]:${port}` : `${normalized}:${port}` };
}
