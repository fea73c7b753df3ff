/**
 * What a perspective signs (BR §3.2.2.9): the payload of a compact JWS with `alg` ES256, `typ` {@link statementType} and
 * `kid` the RFC 7638 thumbprint of its key, as canonical JSON (RFC 8785) of at most {@link maximumStatementOctets}. The
 * perspective writes it, the gate carries it, the keep verifies it. A failure is signed like a success: who used whom is
 * decided before anybody is asked.
 */
import { z } from 'zod';

/** `typ` of the JWS, so that a key's signature of anything else never passes for a statement. */
export const statementType = 'gatehouse-perspective-statement+jws';

/** `typ` of the JWS by which a key is registered. */
export const signingKeyProofType = 'gatehouse-signing-key+jws';

/** Size of the compact JWS, octets. */
export const maximumStatementOctets = 16_384;

/** Validation methods, by their names in RFC 8555 §9.7.8 and its drafts. */
export const validationMethods = ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'] as const;

/** One of {@link validationMethods}. */
export type ValidationMethod = (typeof validationMethods)[number];

const text = (maximum: number) => z.string().max(maximum);
const base64url = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .regex(/^[A-Za-z0-9_-]+$/);
const time = z.iso.datetime({ precision: 3 });

const identifier = z.strictObject({
  type: z.enum(['dns', 'ip']),
  /** Without `*.`; lower-case A-labels, or RFC 5952. */
  value: text(253),
});

/** One DNS query as it was answered. */
const dnsAnswer = z.strictObject({
  name: text(255),
  type: text(16),
  /** RFC 1035 §4.1.1 mnemonic (`NOERROR`, `NXDOMAIN`, `SERVFAIL`, …), or what went wrong on the way: `TIMEOUT`. */
  rcode: text(32),
  /** RFC 4035 §3.2.3; true only where the resolver is trusted to say so. */
  isAuthenticated: z.boolean(),
  /** RFC 8914 code and text; absent without. */
  extendedError: text(256).optional(),
  /** Aliases that were followed. */
  aliases: z.array(text(255)).max(16).optional(),
  /** Seconds, the smallest of the answer. */
  ttl: z.int().min(0).optional(),
  /** Id of the resolver. */
  resolver: text(128),
});

const hop = z.strictObject({ url: text(2048), address: text(64), status: z.int() });

const caa = z.strictObject({
  decision: z.enum(['permitted', 'forbidden', 'error']),
  /** Name at which records were found; absent where there were none up to the root. */
  foundAt: text(255).optional(),
  /** Records as presentation text, RFC 8659 §4.1.1. */
  records: z.array(text(512)).max(64).optional(),
  /** Issuer Domain Names by which this CA was looked for. */
  issuerDomainNames: z.array(text(253)).max(10),
  /** `found`, `none` (proven or answered), `failed`. */
  lookup: z.enum(['found', 'none', 'failed']),
});

/** Form of the payload. */
export const statementPayloadSchema = z.strictObject({
  v: z.literal(1),
  /** URI of the holder of the key: `spiffe://gatehouse.internal/perspective/<name>`, or `…/ra/<name>` for the one in a gate. */
  perspective: text(256),
  /** Labels as registered; empty for the one in a gate. */
  site: text(63),
  rir: text(16),
  build: text(64),
  attempt: base64url(64),
  order: text(128),
  authorization: text(128),
  /** Names of the remote perspectives that the attempt uses, sorted. */
  perspectives: z.array(text(63)).max(16),
  check: z.enum(['dcv', 'caa']),
  identifier,
  isWildcard: z.boolean(),
  method: z.enum(validationMethods),
  /** URL of the account, and RFC 7638 thumbprint of its key. */
  account: text(512),
  thumbprint: base64url(43),
  /** Of the challenge; absent for CAA and dns-persist-01. */
  token: base64url(128).optional(),
  /** What was looked for: base64url(SHA-256(key authorization)); for dns-persist-01 the record that proved control. */
  expected: text(1024).optional(),
  result: z.enum(['pass', 'fail', 'error']),
  /** ACME error type without its prefix (RFC 8555 §6.7), and what happened; absent with `pass`. */
  problem: z.strictObject({ type: text(32), detail: text(1024) }).optional(),
  /** All addresses that the name resolved to, and the one that was connected to. */
  addresses: z.array(text(64)).max(32).optional(),
  used: text(64).optional(),
  redirects: z.array(hop).max(11).optional(),
  dns: z.array(dnsAnswer).max(64),
  caa: caa.optional(),
  /** dns-persist-01: until when the record lets its validation be used (RFC 3339), absent without `persistUntil`; and whether it covers subdomains. */
  persistUntil: time.optional(),
  coversSubdomains: z.boolean().optional(),
  started: time,
  finished: time,
});

/** What a statement says. */
export type StatementPayload = z.output<typeof statementPayloadSchema>;

/** Form of the payload by which a key is registered. */
export const signingKeyProofSchema = z.strictObject({ holder: text(256), issuedAt: time });
