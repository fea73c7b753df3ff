// Accounts and their keys, RFC 8555 §7.1.2: read by id and by key, and the operations that change them.
// A row is read for each request and never cached: what another copy of the gate deactivated is deactivated here.

import type { Database } from './database.ts';

/** An account as it is now. */
export type Account = {
  readonly id: string;
  /** Absolute URL, as the client got it; it never changes. */
  readonly url: string;
  readonly status: Database['accounts']['status'];
  /** JWK of the current key, canonical JSON. */
  readonly jwk: string;
  /** RFC 7638 of the current key, base64url. */
  readonly thumbprint: string;
  readonly contact: readonly string[];
  readonly termsOfServiceAgreed: boolean;
  /** Key id of the external account. */
  readonly externalAccount: string | undefined;
  /** The externalAccountBinding as the client sent it, JSON. */
  readonly externalAccountBinding: string | undefined;
  readonly createdAt: number;
};
