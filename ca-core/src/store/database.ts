// The tables of the keep as Kysely sees them. Times are epoch milliseconds, UTC; fingerprints are 32 octets of SHA-256;
// serial numbers are lower-case hexadecimal.
// What is hashed for the audit log is what these columns hold. Columns are only ever added, by a migration; none
// changes its meaning.

import type { Generated } from 'kysely';

/** All tables by name. */
export type Database = {
  certificates: CertificateTable;
  certificate_names: CertificateNameTable;
  requests: RequestTable;
  revocations: RevocationTable;
  status_changes: StatusChangeTable;
  crl_numbers: CrlNumberTable;
  crls: CrlTable;
  bulk_revocations: BulkRevocationTable;
  intents: IntentTable;
  blocked_keys: BlockedKeyTable;
  registration_authorities: RegistrationAuthorityTable;
  join_tokens: JoinTokenTable;
  perspectives: PerspectiveTable;
  signing_keys: SigningKeyTable;
  certificate_evidence: CertificateEvidenceTable;
  operators: OperatorTable;
  audit_events: AuditEventTable;
  audit_heads: AuditHeadTable;
  meta: MetaTable;
};

/** Who asked, as the RA knows it: the columns of the contract's Requester. Empty text where nothing was said. */
type RequesterColumns = {
  /** Number of the contract's RequesterKind. */
  requester_kind: number;
  requester_id: string;
  requester_display: string;
  requester_address: string;
};

/**
 * Every certificate that was issued, credentials of RAs and operators included (authority `service`). Rows are never
 * deleted or changed.
 */
export type CertificateTable = RequesterColumns & {
  /** Order of issue; breaks ties between certificates of one millisecond. */
  position: Generated<number>;
  serial_number: string;
  /** Name of the issuing authority: `issuing`, `service`. */
  authority: string;
  profile: string;
  registration_authority: string;
  request_id: string;
  not_before: number;
  not_after: number;
  issued_at: number;
  key_fingerprint: Uint8Array;
  tbs_sha256: Uint8Array;
  /** RFC 4514. */
  subject: string;
  /** Serial number of the certificate that it renewed. */
  renews: string | null;
  /** DER. */
  certificate: Uint8Array;
  /** CRL that its distribution point names: `issuing-3`. Decided at issuance, never computed again; empty: none. */
  crl_scope: Generated<string>;
};

/**
 * Subject alternative names and common names, lower case and without their kind, for exact look-up in the order of
 * issue.
 */
export type CertificateNameTable = { name: string; issued_at: number; position: number };

/** Every enrollment that was not refused: the idempotency record. */
export type RequestTable = RequesterColumns & {
  id: string;
  registration_authority: string;
  idempotency_key: string;
  /** What the key stood for: a repetition with other content is a conflict. */
  content_sha256: Uint8Array;
  profile: string;
  state: RequestState;
  /** Set when issued. */
  serial_number: string | null;
  requested_at: number;
  /** EnrollRequest in protobuf; only while it waits for a person, to be judged again. */
  payload: Uint8Array | null;
  /**
   * For the person that decides: RFC 4514, and a JSON list of names such as `DNS:a.example`. Null when issued at once.
   */
  subject: string | null;
  names: string | null;
  decided_at: number | null;
  decided_by: string | null;
  reason: string | null;
};

/** What became of an enrollment. */
export type RequestState = 'issued' | 'pending' | 'rejected';

/** Certificates that do not stand. A release from hold deletes the row. */
export type RevocationTable = {
  serial_number: string;
  state: RevocationState;
  /** CRLReason, RFC 5280 §5.3.1. */
  reason: number;
  revoked_at: number;
  invalidity_date: number | null;
  /** URI of the caller that asked. */
  actor: string;
  /** Copies of the certificate's columns. */
  authority: Generated<string>;
  crl_scope: Generated<string>;
  not_after: Generated<number>;
};

/** Revoked for good, or on hold. */
export type RevocationState = 'revoked' | 'held';

/** Every change of a certificate's status, in order, until no CRL starts from before it any more. */
export type StatusChangeTable = {
  position: Generated<number>;
  serial_number: string;
  authority: string;
  crl_scope: string;
  not_after: number;
  state: RevocationState | 'released';
  at: number;
};

/** The last CRL number that was taken in a scope, whether a CRL came of it or not. */
export type CrlNumberTable = { scope: string; number: number };

/** CRLs that were signed and are not over: the newest of each kind is served, older full ones are bases of deltas. */
export type CrlTable = {
  scope: string;
  /** RFC 5280 §5.2.3. */
  number: number;
  /** RFC 5280 §5.2.4; null for a full CRL. */
  base_number: number | null;
  this_update: number;
  next_update: number;
  /** Last position of status_changes that it takes into account. */
  change_position: number;
  /** Revoked certificates on it. */
  entries: number;
  /** Octets. */
  size: number;
  sha256: Uint8Array;
};

/** Revocations of many certificates at once. */
export type BulkRevocationTable = {
  id: string;
  idempotency_key: string;
  /** BulkRevocationQuery as JSON. */
  query: string;
  /** CRLReason, RFC 5280 §5.3.1. */
  reason: number;
  invalidity_date: number | null;
  state: 'running' | 'done' | 'stopped';
  matching: number;
  changed: number;
  passed_over: number;
  /** Positions of certificates: the last that was looked at, and the last that is meant. */
  last_position: number;
  end_position: number;
  started_at: number;
  ended_at: number | null;
  /** URI of the operator. */
  actor: string;
};

/** Certificates that a token is about to sign; one without a certificate after a minute is an orphan. */
export type IntentTable = { serial_number: string; tbs_sha256: Uint8Array; request_id: string; created_at: number };

/** Keys that are never certified again. */
export type BlockedKeyTable = { fingerprint: Uint8Array; reason: string; blocked_at: number };

/** Who may ask for what. */
export type RegistrationAuthorityTable = {
  name: string;
  /** JSON list of profile names. */
  profiles: string;
  /** NameScope as JSON. */
  scope: string;
  maximum_validity_ms: number | null;
  /** Enrollments per second; 0 without limit. */
  rate_per_second: number;
  is_disabled: number;
  created_at: number;
  credential_expires_at: number | null;
};

/** Join tokens by the id in their certificate. */
export type JoinTokenTable = {
  id: string;
  /** Name of the RA, or of the perspective, that it is for. */
  registration_authority: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
  kind: Generated<JoinTokenKind>;
};

/** Whose first credential a token buys. */
export type JoinTokenKind = 'gate' | 'perspective';

/** Vantage points of domain validation, with the labels that the operator gave them. */
export type PerspectiveTable = {
  name: string;
  site: string;
  /** Service region of a Regional Internet Registry; empty in private networks. */
  rir: string;
  /** Degrees. */
  latitude: number | null;
  longitude: number | null;
  /** `host:port` and version of the program, as it registered them; empty before. */
  address: string;
  build: string;
  is_disabled: number;
  created_at: number;
  credential_expires_at: number | null;
};

/** Keys that sign statements about names. Rows are never deleted: evidence names them for years. */
export type SigningKeyTable = {
  /** RFC 7638 thumbprint, base64url. */
  key_id: string;
  /** URI of the perspective or gate. */
  holder: string;
  /** DER. */
  subject_public_key_info: Uint8Array;
  active_from: number;
  retired_at: number | null;
  revoked_at: number | null;
  /** Why an operator revoked it; empty otherwise. */
  reason: string;
};

/** What proved the control of the names in a certificate. */
export type CertificateEvidenceTable = {
  serial_number: string;
  /** RecordedEvidence in protobuf, without the keys, as a Zstandard frame (RFC 8878). */
  evidence: Uint8Array;
  recorded_at: number;
  kept_until: number;
};

/** Operators by name. */
export type OperatorTable = { name: string; is_disabled: number; created_at: number };

/** The audit log: one chain an instance. */
export type AuditEventTable = {
  instance: string;
  sequence: number;
  at: number;
  actor: string;
  action: string;
  registration_authority: string | null;
  requester: string | null;
  profile: string | null;
  serial_number: string | null;
  outcome: string;
  /** Canonical JSON. */
  body: string | null;
  mac: Uint8Array;
};

/** The last record of each chain, authenticated by a key of its own. */
export type AuditHeadTable = { instance: string; sequence: number; mac: Uint8Array; authenticator: Uint8Array };

/** Facts of the database itself. */
export type MetaTable = { key: string; value: string };
