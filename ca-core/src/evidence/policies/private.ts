/**
 * Policies of the operator's own, for names that the public rules are not about: k of n remote perspectives, told apart by
 * their sites (mpic.md §4). One that no remote perspective has a say in is refused when it is read.
 */
import { z } from 'zod';
import { profileNameForm } from '../../profiles/schema.ts';
import type { Policy } from './policy.ts';

/** More remote perspectives than a statement can name. */
const mostRemotes = 16;

const label = z.string().regex(profileNameForm, 'must be lower-case letters, digits and hyphens, at most 63');
const demand = z.enum(['on', 'off', 'where-signed']);

const dnsZone = z
  .string()
  .max(253)
  .regex(
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be a DNS name in lower case, without '*.' and final dot",
  );

const form = z.strictObject({
  remotes: z
    .int()
    .min(1, 'must be at least 1: the perspective inside of a gate never counts, and would decide alone')
    .max(mostRemotes)
    .default(2)
    .describe('Remote perspectives that each attempt uses at least, at distinct sites'),
  corroborations: z
    .int()
    .min(1, 'must be at least 1: the perspective inside of a gate never counts, and would decide alone')
    .max(mostRemotes)
    .optional()
    .describe('How many of them must have found the same; absent: all but one, from six on all but two'),
  caa: demand.default('on').describe('RFC 8659'),
  dnssec: demand
    .default('where-signed')
    .describe(
      'on: only answers that are proven count; where-signed: who does not see a proof that others see is wrong',
    ),
  requiredSites: z
    .array(z.strictObject({ zone: dnsZone, sites: z.array(label).min(1).max(mostRemotes) }))
    .max(1024)
    .default([])
    .describe('Names below a zone must be seen from these sites'),
});

/** Schema of one policy of `core.validation.policies`. */
export const privatePolicySchema = form.superRefine(({ remotes, corroborations, requiredSites }, context) => {
  if (corroborations !== undefined && corroborations > remotes) {
    context.addIssue({ code: 'custom', path: ['corroborations'], message: 'is more than remotes' });
  }
  for (const [index, { sites }] of requiredSites.entries()) {
    if (sites.length <= remotes) continue;
    context.addIssue({
      code: 'custom',
      path: ['requiredSites', index, 'sites'],
      message: `are more than the ${remotes} remotes of an attempt`,
    });
  }
});

/** A policy as it is configured. */
export type PrivatePolicyConfiguration = z.output<typeof privatePolicySchema>;

/** The policy of this name. */
export function createPrivatePolicy(name: string, configuration: PrivatePolicyConfiguration): Policy {
  const { remotes, caa, dnssec, requiredSites } = configuration;
  const corroborations = configuration.corroborations ?? usualCorroborations(remotes);
  return {
    name,
    isEnforceOnly: false,
    rows: [
      {
        from: 0,
        version: name,
        remotes,
        // An attempt that uses more perspectives may not fail more often: else a gate would ask until some agree.
        failures: [{ used: 0, allowed: remotes - corroborations }],
        registries: 0,
        distinctBy: { kind: 'site' },
        caa,
        dnssec,
        dnssecOf: 'remotes',
        needsPrimary: false,
        requiredSites,
      },
    ],
  };
}

/** As in BR §3.2.2.9, and the one that there is. */
function usualCorroborations(remotes: number): number {
  if (remotes === 1) return 1;
  return remotes >= 6 ? remotes - 2 : remotes - 1;
}
