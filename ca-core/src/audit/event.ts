// The vocabulary of the audit log: what is worth an event and which facts an event holds.
// An event names who did what to which certificate and how it ended; it must never hold a secret, a private key or a
// password.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { CoreErrorType } from '@gatehouse/proto/core-error';

/** Everything that the keep records, with the moment it stands for. */
export const auditActions = {
  'core-started': 'the core began to accept calls',
  'core-stopped': 'the core ended in good order',
  'self-test': 'a signer was tested at start or at an interval',
  'caller-refused': 'a caller was unknown, disabled, or asked for what its kind may not',
  'operator-added': 'an operator was made known',
  'operator-disabled': 'an operator was shut out',
  'ra-added': 'a registration authority was registered',
  'ra-disabled': 'a registration authority was shut out',
  'ra-joined': 'a registration authority bought its first credential with a join token',
  'ra-renewed': 'a registration authority, a perspective or an operator renewed its credential',
  'perspective-added': 'a perspective was registered',
  'perspective-disabled': 'a perspective was shut out, and its keys retired',
  'perspective-joined': 'a perspective bought its first credential with a join token',
  'signing-key-registered': 'a perspective or a gate registered a key for statements, or where it is reached with it',
  'signing-key-retired': 'the holder of a key for statements signs with it no more',
  'signing-key-revoked': 'an operator revoked a key for statements: nothing that it signed counts',
  'join-token-created': 'a join token was made',
  'join-token-refused': 'a join token was shown twice or late',
  'profile-created': 'a profile was seen for the first time',
  'profile-changed': 'a profile reads differently from the last start',
  'profile-disabled': 'a profile of the last start is gone',
  'enrollment-pending': 'an enrollment waits for a person',
  'enrollment-approved': 'a person approved an enrollment',
  'enrollment-rejected': 'a person rejected an enrollment',
  'enrollment-refused': 'the core refused an enrollment by its rules',
  'possession-refused': 'a proof of possession did not hold',
  'evidence-refused': 'evidence was missing or did not hold',
  'evidence-deleted': 'evidence of certificates was deleted, because its time was over',
  'signing-intended': 'a certificate is about to be signed by a token',
  'certificate-issued': 'a certificate was signed and recorded',
  'status-change-requested':
    'somebody asked to revoke, hold or release a certificate that there is, and was or was not heard',
  'status-changed': 'a certificate was revoked, held or released',
  'bulk-revocation-started': 'an operator began to revoke, hold or release many certificates at once',
  'bulk-revocation-ended': 'all of these certificates were gone through, or an operator stopped it before',
  'crl-generated': 'a CRL or delta CRL was signed',
  'ocsp-key-made': 'a key for OCSP responses was made',
  'key-generated': 'a key of the keep was generated',
  'key-imported': 'a key of the keep was imported',
  'key-activated': 'a key of the keep went into use',
  'key-destroyed': 'a key of the keep was destroyed',
  'key-blocked': 'a subject key was blocked',
  'configuration-changed': 'the configuration reads differently from the last start',
  'audit-verified': 'the chain was walked, with what was found',
  'audit-exported': 'the log was exported',
  'backup-made': 'a backup was made',
  'backup-restored': 'a backup was restored',
} as const satisfies Record<string, string>;

/** One of {@link auditActions}. */
export type AuditAction = keyof typeof auditActions;

/** Whether the text names an action of the log. */
export function isAuditAction(text: string): text is AuditAction {
  return Object.hasOwn(auditActions, text);
}

/** How what an event tells of ended. */
export type AuditOutcome = 'success' | CoreErrorType;

/** An event as its author knows it; the store adds the time, the place in the chain and the MAC. */
export type AuditEventDraft = {
  readonly action: AuditAction;
  /** URI of the caller, or of the core itself. */
  readonly actor: string;
  /** Name of the RA that it concerns. */
  readonly registrationAuthority?: string | undefined;
  /** `kind:id` of the requester as the RA knows it. */
  readonly requester?: string | undefined;
  readonly profile?: string | undefined;
  /** Lower-case hexadecimal. */
  readonly serialNumber?: string | undefined;
  readonly outcome: AuditOutcome;
  /** Further facts. */
  readonly body?: JsonObject | undefined;
};

/** An event as it is stored: what the MAC is computed over is exactly this. */
export type AuditRecord = {
  /** Instance whose chain it belongs to. */
  readonly instance: string;
  /** Counted from 1 in its chain without gaps. */
  readonly sequence: number;
  /** Epoch milliseconds, UTC. */
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly registrationAuthority: string | null;
  readonly requester: string | null;
  readonly profile: string | null;
  readonly serialNumber: string | null;
  readonly outcome: string;
  /** Canonical JSON, or nothing. */
  readonly body: string | null;
  /** HMAC-SHA-256, 32 octets. */
  readonly mac: Uint8Array;
};
