// The tables of the ACME gate as Kysely sees them: what RFC 8555 §7.1 calls resources, and what must be remembered
// between two copies of the gate. Times are epoch milliseconds, UTC; ids are unguessable base64url; JSON stands in text.
// What proves the control of a name is evidence for the keep; nothing in here grants a certificate by itself.

import type { Generated } from 'kysely';

/** All tables by name. */
export type Database = {
  secrets: SecretTable;
  nonces: NonceTable;
  accounts: AccountTable;
  account_keys: AccountKeyTable;
  external_account_keys: ExternalAccountKeyTable;
  orders: OrderTable;
  authorizations: AuthorizationTable;
  statements: StatementTable;
  certificates: CertificateTable;
  incidents: IncidentTable;
  rate_limits: RateLimitTable;
  paused_names: PausedNameTable;
};

/** Secrets that all copies of the gate share: the key of nonces, the key that chooses perspectives. Made by whoever is first. */
export type SecretTable = { name: string; value: Uint8Array; created_at: number };

/** Nonces that were redeemed, until they would be too old anyway (RFC 8555 §6.5). */
export type NonceTable = { nonce: string; expires_at: number };

/** RFC 8555 §7.1.2. The URL of an account is stored whole and never changes: CAA accounturi depends on it. */
export type AccountTable = {
  id: string;
  /** Absolute URL, as the client got it. */
  url: string;
  status: 'valid' | 'deactivated' | 'revoked';
  /** JWK of the current key, canonical JSON. */
  jwk: string;
  /** RFC 7638 of the current key, base64url. */
  thumbprint: string;
  /** JSON list of URLs. */
  contact: string;
  terms_of_service_agreed: number;
  /** Key id of the external account; null without. */
  external_account: string | null;
  /** The externalAccountBinding as the client sent it, JSON; null without. */
  external_account_binding: string | null;
  created_at: number;
  /** Address that created it. */
  created_from: string;
  deactivated_at: number | null;
};

/** Every key that an account ever had (dns-persist-01, and keys in use are refused). The current one is in accounts too. */
export type AccountKeyTable = {
  thumbprint: string;
  account_id: string;
  /** The outer JWS of the key change that brought it (RFC 8555 §7.3.5), JSON; null for the first key. */
  key_change: string | null;
  created_at: number;
  /** Null for the current one. */
  replaced_at: number | null;
};

/** RFC 8555 §7.3.4, with what a key allows. */
export type ExternalAccountKeyTable = {
  key_id: string;
  /** At least 32 octets. */
  secret: Uint8Array;
  /** For people. */
  description: string;
  /** JSON of ExternalAccountPolicy: names, profiles, pre-authorised names. */
  policy: string;
  is_single_use: number;
  /** Null without limit. */
  maximum_accounts: number | null;
  accounts: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
};

export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

/** RFC 8555 §7.1.3. */
export type OrderTable = {
  /** Order of creation, for the list of orders. */
  position: Generated<number>;
  id: string;
  account_id: string;
  status: OrderStatus;
  /** JSON list of identifiers as the order shows them. */
  identifiers: string;
  /** SHA-256 of the sorted identifiers, hexadecimal: rate limits for a set of names. */
  identifiers_digest: string;
  /** Name of the ACME profile. */
  profile: string;
  not_before: number | null;
  not_after: number | null;
  /** JSON list of authorization ids, in the order of the identifiers. */
  authorizations: string;
  /** Authorizations that are not valid yet. */
  pending_authorizations: number;
  /** RFC 9773 §5: certID, or null. */
  replaces: string | null;
  /** Problem document, JSON. */
  error: string | null;
  created_at: number;
  expires_at: number;
  /** The finalize request, flattened JWS as received, JSON: evidence for the keep. */
  finalize: string | null;
  /** JWK that signed it, canonical JSON. */
  finalize_jwk: string | null;
  /** PKCS#10, DER. */
  certification_request: Uint8Array | null;
  /** Id in certificates. */
  certificate_id: string | null;
  /** Which copy of the gate works on it, and until when it says so. */
  lease_owner: string | null;
  lease_until: number | null;
  /** How often issuance was tried; and not before when again. */
  attempts: number;
  next_attempt_at: number | null;
};

export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';

/**
 * RFC 8555 §7.1.4. All challenges of an authorization share one token; once one of them was attempted, it is the only one
 * that counts. A challenge is `processing` while the authorization is pending and it is the attempted one.
 */
export type AuthorizationTable = {
  id: string;
  account_id: string;
  /** The one order that waits for it; null for a pre-authorization. A valid one may serve further orders. */
  order_id: string | null;
  status: AuthorizationStatus;
  identifier_type: 'dns' | 'ip';
  /** Without `*.`. */
  identifier_value: string;
  is_wildcard: number;
  /** Name of the ACME profile that it was made for: its rules count. */
  profile: string;
  /** 256 bits, base64url. */
  token: string;
  /** JSON list of the challenge types that are offered. */
  methods: string;
  /** The attempted one; null before. */
  method: string | null;
  /** RFC 7638 of the key that signed the challenge POST; pinned for the job. */
  thumbprint: string | null;
  validated_at: number | null;
  /** Problem document of the challenge, JSON. */
  error: string | null;
  /** Key id of the external account that authorised it beforehand, instead of a validation. */
  external_account: string | null;
  created_at: number;
  expires_at: number;
  lease_owner: string | null;
  lease_until: number | null;
};

/** What perspectives signed about an authorization: the passing attempt of each check, and nothing older. */
export type StatementTable = {
  authorization_id: string;
  /** `dcv` or `caa`. */
  check: 'dcv' | 'caa';
  attempt: string;
  /** JSON list of compact JWS. */
  statements: string;
  /** When the last of them was made. */
  checked_at: number;
  /** Until when they may be used again. */
  good_until: number;
};

/** Certificates that this directory issued. */
export type CertificateTable = {
  id: string;
  account_id: string;
  order_id: string;
  /** Lower-case hexadecimal. */
  serial_number: string;
  /** RFC 9773 §4.1. */
  cert_id: string;
  /** DER, and the chain without it: JSON list of base64 DER, issuing CA first. */
  certificate: Uint8Array;
  chain: string;
  not_before: number;
  not_after: number;
  revoked_at: number | null;
  /** Certificate id of the one that replaced it, RFC 9773 §5. */
  replaced_by: string | null;
};

/** RFC 9773 §4.2: certificates that should be renewed now, said by an operator. */
export type IncidentTable = {
  id: string;
  /** JSON of what it is about: certificate ids, serial numbers, an account, or everything issued in a period. */
  selector: string;
  /** Shown to clients; null without. */
  explanation_url: string | null;
  window_start: number;
  window_end: number;
  created_at: number;
  ended_at: number | null;
};

/** GCRA: theoretical arrival time by key. */
export type RateLimitTable = { key: string; arrival_at: number };

/** Names that failed for days, until somebody unpauses them. */
export type PausedNameTable = {
  account_id: string;
  name: string;
  failures: number;
  paused_at: number | null;
  last_failed_at: number;
};
