// The section `est` of gatehouse.yaml: the policy of EST, which it shares with the CoAP gate and which the kit explains
// (est/configuration.ts), and what is particular to HTTPS. What is refused here is refused at the start.

import {
  checkEstPolicy,
  checkLabelNames,
  estPolicyShape,
  labelNamesSchema,
} from '@gatehouse/gateway-kit/est/configuration';
import { namePatternsSchema } from '@gatehouse/gateway-kit/est/name-policy';
import { gateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { proxiesSchema } from '@gatehouse/gateway-kit/proxy';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';

const tokenIssuerSchema = z.strictObject({
  /** `iss` of its tokens. */
  issuer: z.string().min(1),
  /** `aud` that stands for this gate. */
  audience: z.string().min(1),
  /** JWK Set: a file, or an https URL. */
  keys: z.string().min(1),
  labels: labelNamesSchema,
  names: namePatternsSchema.prefault({}),
});

/** Schema of the section. */
export const estSchema = z
  .strictObject({
    ...gateShape(7030),
    /** Realm of Basic and Digest; changing it voids stored Digest secrets. */
    realm: z
      .string()
      .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/, 'must be printable ASCII without quotes')
      .default('Gatehouse EST'),
    /** users.yaml; without it there are no users. */
    users: z.string().optional(),
    /** shared-secrets.yaml, for the controls of fullcmc that prove a shared secret; without it there are none. */
    sharedSecrets: z.string().optional(),
    /** Where spent uses of counted passwords are remembered. */
    spentUses: z.string().default('est/spent-uses.json'),
    ...estPolicyShape,
    tokenIssuers: z.array(tokenIssuerSchema).default([]),
    /** Proxies whose Client-Cert field (RFC 9440) is believed. */
    proxies: proxiesSchema,
    backOff: z
      .strictObject({
        /** Wrong passwords that cost nothing, for a user and for an address. */
        userFailures: z.number().int().min(1).default(10),
        addressFailures: z.number().int().min(1).default(30),
        firstDelay: durationSchema.prefault('1s'),
        maximumDelay: durationSchema.prefault('5m'),
        forgetAfter: durationSchema.prefault('15m'),
      })
      .prefault({}),
  })
  .superRefine((section, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    checkEstPolicy(section, complain);
    checkLabelNames(section, ['tokenIssuers'], section.tokenIssuers, complain);
  });

/** The section as the gate uses it: durations in milliseconds, paths as written. */
export type EstConfiguration = z.output<typeof estSchema>;

/** Settings of one issuer of bearer tokens. */
export type TokenIssuerSettings = z.output<typeof tokenIssuerSchema>;
