// The section `status` of gatehouse.yaml. Every key is explained here. What is published, and for how long it is valid, is
// not decided here but in `core.status`: this gate serves what the keep signed.

import { plainGateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { rateSchema } from '@gatehouse/gateway-kit/rate-limit';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';

/** Schema of the section. */
export const statusSchema = z.strictObject({
  ...plainGateShape(6960),
  /** Where the copy of what the keep signed is kept, relative to the folder of gatehouse.yaml. It may be lost. */
  copy: z.string().min(1).default('status'),
  /**
   * MiB of memory for pre-signed responses, some 600 octets each with P-256; what does not fit is read from the copy on the
   * disk, which costs a few microseconds.
   */
  memory: z.int().min(4).max(65_536).default(256),
  /** Requests that only the keep can answer: nonces, several certificates at once, serial numbers that are not known. */
  live: z
    .strictObject({
      /** How many of them one address may send; above that the answer is tryLater. */
      address: rateSchema.prefault({ perSecond: 50, burst: 100 }),
      /** How many are with the keep at once; above that the answer is tryLater. */
      atOnce: z.int().min(1).max(1024).default(64),
      /** How long the keep may take. */
      timeout: durationSchema.prefault('5s'),
      /** How long an answer about a serial number that is not known is given again without asking. */
      cacheLife: durationSchema.prefault('30s'),
      /** How many such answers are remembered. */
      cacheSize: z.int().min(0).max(1_000_000).default(10_000),
    })
    .prefault({}),
  /** For how long HTTP caches may keep an answer; never beyond a moment before its nextUpdate (RFC 5019 §6). */
  caching: z
    .strictObject({
      /** OCSP responses; until their nextUpdate unless told. Caches hide a revocation for so long. */
      ocsp: durationSchema.optional(),
      /** CRLs, complete ones and deltas. */
      crl: durationSchema.prefault('1h'),
      /** Certificates of issuers, and the chain. */
      certificates: durationSchema.prefault('1d'),
    })
    .prefault({}),
  /** Large CRLs that are sent at once; above that the answer is 503. */
  downloads: z.int().min(1).max(10_000).default(256),
});

/** The section as the gate uses it: durations in milliseconds, paths as written. */
export type StatusConfiguration = z.output<typeof statusSchema>;
