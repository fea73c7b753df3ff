// RFC 6761 §6.3: whoever resolves names knows `localhost` and everything below it by itself: loopback addresses and nothing
// else, and no resolver is asked. Whether a perspective may connect to them is the address policy's to say; unless it was
// opened for trying out, it may not.

import type { QueriedType } from './dns/message.ts';
import type { DnsAnswer, DnsLookup, DnsResolver, DnsValues } from './dns/resolver.ts';
import { isInZone } from './dns/upstream.ts';

/** A resolver that passes on questions about all other names. */
export function answersForLocalhost(others: DnsResolver): DnsResolver {
  return {
    query: (name, type, signal) =>
      isInZone(name, 'localhost') ? Promise.resolve(answer(name, type)) : others.query(name, type, signal),
  };
}

const values: { readonly [Type in QueriedType]: readonly DnsValues[Type][] } = {
  A: ['127.0.0.1'],
  AAAA: ['::1'],
  TXT: [],
  CAA: [],
};

function answer<Type extends QueriedType>(name: string, type: Type): DnsAnswer<DnsValues[Type]> {
  const lookup: DnsLookup = { name, type, rcode: 'NOERROR', isAuthenticated: false, resolver: 'RFC 6761' };
  const found: readonly DnsValues[Type][] = values[type];
  return found.length === 0 ? { outcome: 'none', lookup } : { outcome: 'found', values: found, lookup };
}
