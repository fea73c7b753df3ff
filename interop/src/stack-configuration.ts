// What the stack of a run has beside what `gatehouse up` makes for everybody: labels with the demands that real
// deployments make of their clients, a profile that waits for a person, and a user for HTTP Digest.

import { randomBytes } from 'node:crypto';

/** Labels by name, as they would stand under est.labels in gatehouse.yaml. */
export const labels = {
  /** RFC 7030 §3.5: the CSR must be bound to its TLS connection. */
  bound: { profile: 'device-identity', channelBinding: { policy: 'required' } },
  /** RFC 7030 §3.3.2 and §3.2.3 together. */
  both: { profile: 'device-identity', authentication: { requires: 'both' } },
  /** No password is good for it. */
  certificate: { profile: 'device-identity', authentication: { requires: 'certificate' } },
  /** RFC 7616 beside RFC 7617: the client chooses. */
  digest: { profile: 'device-identity', authentication: { schemes: ['digest', 'basic'] } },
  /** csrattrs for those alone who say who they are, RFC 7030 §4.5. */
  guarded: { profile: 'device-identity', authentication: { csrAttributes: true } },
  /** Clients that send no Content-Type. */
  untyped: { profile: 'device-identity', acceptsMissingContentType: true },
  /** Clients that demand Content-Transfer-Encoding (RFC 7030 §4.1.3), which others ignore (RFC 8951 §3.1). */
  encoded: { profile: 'tls-server', sendsContentTransferEncoding: true },
  /** Certificates that are over before word of a revocation would be anywhere, RFC 9608. */
  'short-lived': { profile: 'tls-server-short-lived' },
  /** A label as Aruba ClearPass forms them. */
  'ca:7': { profile: 'tls-client' },
} as const;

/** Labels of a stack with a CoAP gate, which has the policy of EST: those that mean something to devices. */
export const coapLabels = {
  /** RFC 9148 §3: the CSR must be bound to its DTLS session. */
  bound: { profile: 'device-identity', channelBinding: { policy: 'required' } },
  /** There are no passwords over CoAP, so nobody gets in. */
  password: { profile: 'device-identity', authentication: { requires: 'credentials' } },
  /** No keys from the gate. */
  'enroll-only': { profile: 'device-identity', operations: ['cacerts', 'simpleenroll', 'simplereenroll'] },
} as const;

/** Under which devices of the manufacturers may enrol. */
export const coapOperationLabels = ['device-identity', 'tls-server-client', ...Object.keys(coapLabels)] as const;

/** The label whose requests wait for approval; the default one of an approving stack. `up` has it, its profile is the operator's own here. */
export const approvalLabel = 'tls-server-client';

/** Takes the place of the built-in profile of this name: a person decides. */
export const approvalProfile = {
  name: 'tls-server-client',
  text: `\
name: tls-server-client
description: TLS certificate for peers that are server and client, after approval
subject:
  rule: from-request
  attributes:
    - { type: CN, presence: optional }
  others: drop
names:
  allowed: [dns]
  atLeastOne: true
keys:
  - { kind: ec, curves: [P-256, P-384] }
  - { kind: rsa, minimumBits: 2048, maximumBits: 4096 }
keyUsage: [digitalSignature]
rsaKeyUsage: [keyEncipherment]
extendedKeyUsage: [serverAuth, clientAuth]
validity: { default: 30d, maximum: 90d, backdate: 5m }
approval: required
lints: { sets: [rfc5280], refuseAt: error }
`,
} as const;

/** Where certificates are divided among CRLs, RFC 5280 §5.2.5. */
export const shardedStatus = ['core.status.issuing.crl.shards=4'] as const;

/**
 * The other choices about OCSP: nonces are answered (RFC 9654), and what was never issued is revoked (RFC 6960 §2.2). They
 * are those of the approving stack, so that the common one has what everybody begins with.
 */
export const liveStatus = [
  'core.status.issuing.ocsp.nonce=sign',
  'core.status.issuing.ocsp.nonIssued=revoked',
] as const;

/** Made by `gatehouse est user add --digest`. */
export const digestUser = { username: 'digest-device', password: randomBytes(15).toString('base64url') } as const;

/** A key that a client shares with the gate, for keys that the gate makes for it; 256 bits, hexadecimal. RFC 7030 §4.4.1.1. */
export const sharedKey = { id: 'interop', key: randomBytes(32).toString('hex'), file: 'est/interop.key' } as const;
