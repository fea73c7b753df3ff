/**
 * The `validation` part of the core's configuration: by which names this CA is known in DNS, whose finalize requests are
 * ours, by which policies names are validated, and for how long the proof is kept.
 */
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { profileNameForm } from '../profiles/schema.ts';
import { validationModes } from '../profiles/vocabulary.ts';
import { privatePolicySchema } from './policies/private.ts';

const name = z.string().regex(profileNameForm, 'must be lower-case letters, digits and hyphens, at most 63');

const issuerDomainName = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be a DNS name in lower case, without final dot',
  );

const baseUrl = z
  .string()
  .max(512)
  .refine(isBaseUrl, 'must be an absolute https:// URL without user, query and fragment')
  .transform((url) => url.replace(/\/+$/, ''));

const place = z.strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) });

/** Schema of `core.validation`. */
export const validationConfigurationSchema = z.strictObject({
  issuerDomainNames: z
    .array(issuerDomainName)
    .max(10)
    .default([])
    .describe('Issuer Domain Names by which CAA records and dns-persist-01 records name this CA (RFC 8659 §4.2)'),
  acmeBaseUrls: z
    .array(baseUrl)
    .max(32)
    .default([])
    .describe('what the URLs of the ACME gates begin with: finalize requests for others are refused'),
  policies: z.record(name, privatePolicySchema).default({}).describe('policies beside public-br and private'),
  profiles: z
    .record(name, z.strictObject({ mode: z.enum(validationModes).optional(), policy: name.optional() }))
    .default({})
    .describe('mode and policy of profiles that validate names, instead of those in the profile'),
  primaries: z
    .record(name, place)
    .default({})
    .describe('where the gates stand, by the name of their RA: public-br counts only perspectives 500 km from there'),
  evidence: z
    .strictObject({
      keepAfterExpiry: durationSchema
        .prefault('2y')
        .describe('evidence is kept for so long after its certificate ends'),
    })
    .prefault({}),
});

/** The section, defaults filled in. */
export type ValidationConfiguration = z.output<typeof validationConfigurationSchema>;

/** RFC 8555 §6.1: ACME is spoken over HTTPS. */
function isBaseUrl(text: string): boolean {
  if (!/^https:\/\/[\x21-\x7e]+$/.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.username === '' && url.password === '' && url.search === '' && !text.includes('#');
}
