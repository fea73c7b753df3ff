/**
 * The `status` part of the core's configuration: where relying parties find CRLs and OCSP, and how those are made. What is
 * written into certificates cannot be taken back: a base URL or a number of shards holds for what is issued from now on.
 */
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { httpUrl } from '../profiles/identifiers.ts';

const period = (byDefault: string, what: string) => durationSchema.prefault(byDefault).describe(what);

/** How often a kind of CRL is made, and how long it outlives its successor's time. nextUpdate is the sum of both. */
const rhythm = (everyDefault: string, overlapDefault: string) =>
  z
    .strictObject({
      period: period(everyDefault, 'a new one is made at the latest after this time'),
      overlap: period(overlapDefault, 'it is valid for this long after its successor is due'),
    })
    .prefault({});

const crl = z
  .strictObject({
    shards: z
      .int()
      .min(0)
      .max(4096)
      .default(1)
      .describe(
        'CRLs among which new certificates are divided; 0: they name the complete CRL. It may grow, old shards go on',
      ),
    full: rhythm('1d', '2d').describe('the complete CRL'),
    shard: rhythm('1d', '2d').describe('CRLs of the shards'),
    ca: rhythm('1d', '2d').describe('the CRL of CA certificates'),
    delta: rhythm('1h', '1h').describe('delta CRLs'),
  })
  .prefault({});

const ocsp = z
  .strictObject({
    validity: period('1d', 'from thisUpdate to nextUpdate; responses are signed again after half of it'),
    keyLife: period('14d', 'life of a delegated signing key; it is replaced at half of it'),
    nonce: z
      .enum(['ignore', 'sign'])
      .default('ignore')
      .describe('RFC 9654: whether a request with a nonce is signed live, or answered from what is signed already'),
    nonIssued: z
      .enum(['unknown', 'revoked'])
      .default('unknown')
      .describe('the answer for serial numbers that were never issued; revoked: RFC 6960 §2.2, extended revoke'),
    archiveCutoff: durationSchema
      .optional()
      .describe('RFC 6960 §4.4.4: how long after its end a certificate is still answered for'),
    liveSignaturesPerSecond: z
      .number()
      .min(0)
      .default(200)
      .describe('responses that are signed on request, for each gate'),
  })
  .prefault({});

/** What the URLs of the status gate begin with. Paths are put behind it with a slash of their own. */
export const statusUrlSchema = httpUrl
  .refine((url) => !url.includes('?'), 'must not have a query: paths are put behind it')
  .transform((url) => url.replace(/\/+$/, ''));

/** Schema of `core.status`. */
export const statusConfigurationSchema = z.strictObject({
  baseUrl: statusUrlSchema
    .nullish()
    .transform((url) => url ?? undefined)
    .describe('URL of the status gate as relying parties reach it, plain http; without it certificates name none'),
  issuing: z.strictObject({ crl, ocsp }).prefault({}).describe('for the issuing CA'),
});

/** The section, defaults filled in. */
export type StatusConfiguration = z.infer<typeof statusConfigurationSchema>;

/** How CRLs of one authority are made. Durations are milliseconds. */
export type CrlConfiguration = StatusConfiguration['issuing']['crl'];

/** How OCSP responses of one authority are made. Durations are milliseconds. */
export type OcspConfiguration = StatusConfiguration['issuing']['ocsp'];
