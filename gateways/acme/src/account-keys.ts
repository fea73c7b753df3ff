// Keys of accounts, ready to verify with: making a key object of a JWK costs more than verifying a signature, and an account
// comes again and again. Only what is immutable is remembered, a key by its thumbprint; whose it is is read each time.

import { parseJson } from '@gatehouse/pkix/jose/json';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import type { Account } from './state/accounts.ts';

/** Finds the key of an account. */
export type AccountKeys = {
  /** The current key. */
  of(account: Pick<Account, 'thumbprint' | 'jwk'>): PublicJwk;
};

/** Creates the memory. @param maximum keys that are remembered; the one that was least recently used is forgotten */
export function createAccountKeys(maximum = 10_000): AccountKeys {
  const keys = new Map<string, PublicJwk>();
  return {
    of: ({ thumbprint, jwk }) => {
      const known = keys.get(thumbprint);
      if (known !== undefined) {
        keys.delete(thumbprint);
        keys.set(thumbprint, known);
        return known;
      }
      const read = readJwk(parseJson(jwk));
      if (keys.size >= maximum) {
        const [oldest] = keys.keys();
        if (oldest !== undefined) keys.delete(oldest);
      }
      keys.set(thumbprint, read);
      return read;
    },
  };
}
