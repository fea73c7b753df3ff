// The section `coap` of gatehouse.yaml. Every key is explained here, and what is refused here is refused at the start. The
// policy of EST (labels, trust anchors, …) is that of the section `est`, unless a key of it stands here.

import { ownEstPolicyShape } from '@gatehouse/gateway-kit/est/configuration';
import { gateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { rateSchema } from '@gatehouse/gateway-kit/rate-limit';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { defaultDtlsLimits, leastMtu } from './dtls/transport.ts';

const count = z.number().int().min(1);
const { sessions, sessionsPerAddress, halfOpen, handshakesPerAddress } = defaultDtlsLimits;

const limitsSchema = z.strictObject({
  /** DTLS sessions altogether; beyond it handshakes go first, then the session that was silent longest. */
  sessions: count.default(sessions),
  /** The same of one address (one /64 for IPv6). */
  sessionsPerAddress: count.default(sessionsPerAddress),
  /** Handshakes in progress. */
  halfOpen: count.default(halfOpen),
  handshakeTimeout: durationSchema.prefault('60s'),
  /** After this silence a session is closed; a device that comes back makes another. */
  idleTimeout: durationSchema.prefault('5m'),
  /** Handshakes of one address. */
  handshakesPerAddress: rateSchema.prefault(handshakesPerAddress),
  /** Requests in work at once; the others hear when to come again. */
  requests: count.default(256),
  /** The same of one address, which cannot take all places while the keep is slow. */
  requestsPerAddress: count.default(128),
  /** Requests of one address. */
  address: rateSchema.optional(),
  /** Requests of one requester. */
  requester: rateSchema.optional(),
});

const { listen, management, core, names } = gateShape(5684);

/** Schema of the section. */
export const coapSchema = z.strictObject({
  listen,
  management,
  core,
  names,
  ...ownEstPolicyShape,
  /** Segment of the short paths, `/est/sen`, beside `/.well-known/est/sen` (RFC 9148 §4.1). */
  root: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,31}$/, 'must be one segment of a path')
    .default('est'),
  /** Whether `/.well-known/core` tells what there is (RFC 6690). */
  discovery: z.boolean().default(true),
  /** How much a client may take. */
  limits: limitsSchema.prefault({}),
  /**
   * Octets of an IP packet, headers included, that reach every client whole. 1280 for the Internet; the least, 304, with
   * `blockSize: 64`, where a packet travels in many frames and one of them is often lost (6LoWPAN).
   */
  mtu: z.number().int().min(leastMtu).max(65_535).default(1_280),
  /** Octets of a block of a response where the client has no wish of its own (RFC 7959 §2.2). */
  blockSize: z.union([16, 32, 64, 128, 256, 512, 1024].map((size) => z.literal(size))).default(512),
  /** Largest body of a request, octets. */
  maximumBody: z.number().int().min(1_024).max(1_048_576).default(16_384),
  /** Octets that the transfers of all clients hold together. */
  blockMemory: z
    .number()
    .int()
    .min(65_536)
    .default(2 * 1024 * 1024),
  /** How long a transfer stands still before it is forgotten: EXCHANGE_LIFETIME (RFC 7252 §4.8.2). */
  blockLife: durationSchema.prefault('247s'),
  echo: z
    .strictObject({
      /**
       * After this silence of a session its next request must first prove that its sender still is where its datagrams come
       * from (RFC 9175 §2.3); without it no proof is asked for.
       */
      afterIdle: durationSchema.optional(),
    })
    .prefault({}),
});

/** The section as the gate uses it: durations in milliseconds, paths as written. */
export type CoapConfiguration = z.output<typeof coapSchema>;
