// Chains audit records: the MAC of each covers the MAC before it, so that none can be changed, dropped or moved unseen
// (CORE.md, Audit). Its keys are derived from the keep's audit key and go to no one but the store's own thread; whoever
// has only the database can neither forge nor repair a record.

import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { type AuditFields, encodeAuditFields, wellFormed } from './canonical.ts';
import type { AuditEventDraft, AuditRecord } from './event.ts';

/** Where a chain stands. */
export type AuditHead = {
  readonly instance: string;
  /** Sequence number of the last record; 0 before the first. */
  readonly sequence: number;
  /** MAC of the last record; zeros before the first. */
  readonly mac: Uint8Array;
};

/** The secrets of a chain, derived from the audit key. */
export type AuditKeys = { readonly record: KeyObject; readonly head: KeyObject };

/** Makes and checks records and heads of the chains of one keep. */
export type AuditChain = {
  /** For a thread of the core that writes records too. */
  readonly keys: AuditKeys;
  /** The record that follows `head`. */
  next(head: AuditHead, draft: AuditEventDraft, at: Date): AuditRecord;
  /** Whether the record is what was written after the record with `previousMac`. */
  holds(previousMac: Uint8Array, record: AuditRecord): boolean;
  /** HMAC-SHA-256 over a head, by a key of its own: a head cannot be made from a record. */
  authenticateHead(head: AuditHead): Uint8Array;
  /** Whether `authenticator` belongs to the head. */
  headHolds(head: AuditHead, authenticator: Uint8Array): boolean;
};

/** What the first record of a chain follows. */
export function emptyHead(instance: string): AuditHead {
  return { instance, sequence: 0, mac: new Uint8Array(32) };
}

/**
 * Creates the chain of a keep.
 *
 * @param options.key the audit key, private Ed25519 (ca/audit.key.pem); HMAC keys are derived from it by HKDF-SHA-256,
 * RFC 5869
 * @throws {TypeError} when the key is of another kind
 */
export function createAuditChain(options: { readonly key: KeyObject }): AuditChain {
  return createAuditChainFromKeys({
    record: deriveKey(options.key, 'gatehouse audit record 1'),
    head: deriveKey(options.key, 'gatehouse audit head 1'),
  });
}

/** The same chain from {@link AuditChain.keys}. */
export function createAuditChainFromKeys(keys: AuditKeys): AuditChain {
  function macOf(previousMac: Uint8Array, fields: AuditFields): Buffer {
    return createHmac('sha256', keys.record).update(previousMac).update(encodeAuditFields(fields)).digest();
  }

  function authenticateHead(head: AuditHead): Buffer {
    return createHmac('sha256', keys.head).update(`${head.sequence} ${head.instance} `).update(head.mac).digest();
  }

  return {
    keys,
    next: (head, draft, at) => {
      const fields = fieldsOf(head, draft, at);
      return { ...fields, mac: macOf(head.mac, fields) };
    },
    holds: (previousMac, record) => isSame(macOf(previousMac, record), record.mac),
    authenticateHead,
    headHolds: (head, authenticator) => isSame(authenticateHead(head), authenticator),
  };
}

function fieldsOf(head: AuditHead, draft: AuditEventDraft, at: Date): AuditFields {
  return {
    instance: head.instance,
    sequence: head.sequence + 1,
    at: at.getTime(),
    actor: wellFormed(draft.actor),
    action: draft.action,
    registrationAuthority: optional(draft.registrationAuthority),
    requester: optional(draft.requester),
    profile: optional(draft.profile),
    serialNumber: optional(draft.serialNumber),
    outcome: draft.outcome,
    body: draft.body === undefined ? null : canonicalJson(draft.body),
  };
}

function optional(value: string | undefined): string | null {
  return value === undefined ? null : wellFormed(value);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function deriveKey(key: KeyObject, purpose: string): KeyObject {
  if (key.type !== 'private' || key.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('the audit key must be a private Ed25519 key');
  }
  const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  return createSecretKey(Buffer.from(hkdfSync('sha256', seed, new Uint8Array(0), purpose, 32)));
}
