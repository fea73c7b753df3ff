/**
 * What the core verifies the control of names by: its settings, and the rule of each profile with its policy. Both are made
 * at start, so that a profile whose rule could not be kept stops the core, not a client.
 */

import type { Place } from '@gatehouse/proto/distance';
import type { ValidationRules } from '@gatehouse/proto/domain-validation';
import { durationFromMs } from '@gatehouse/proto/duration';
import type { ValidationMethod } from '@gatehouse/proto/perspective-statement';
import { suggestion } from '@gatehouse/runtime/configuration/nearest';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Profile } from '../profiles/profile.ts';
import type { PersistDraft } from '../profiles/vocabulary.ts';
import { allowedFailures, type Policy, rowAt } from './policies/policy.ts';
import { createPrivatePolicy, privatePolicySchema } from './policies/private.ts';
import { publicBr } from './policies/public-br.ts';
import { type ValidationConfiguration, validationConfigurationSchema } from './validation-configuration.ts';

/** EX_CONFIG of sysexits.h. */
const configurationExitCode = 78;

/** What holds for all profiles. */
export type ValidationSettings = {
  /** Lower case. */
  readonly issuerDomainNames: readonly string[];
  /** Without slash at the end. */
  readonly acmeBaseUrls: readonly string[];
  readonly policies: ReadonlyMap<string, Policy>;
  /** By profile; instead of what the profile says. */
  readonly overrides: ValidationConfiguration['profiles'];
  /** Where the gates stand, by the name of their RA. */
  readonly primaries: ReadonlyMap<string, Place>;
  /** How long evidence outlives its certificate. */
  readonly keepAfterExpiryMs: number;
};

/** How the names of a profile are validated. */
export type ProfileValidation = {
  readonly methods: ReadonlySet<ValidationMethod>;
  readonly reuseMs: number;
  /** Draft of dns-persist-01 whose records count. */
  readonly dnsPersist: PersistDraft;
} & ({ readonly mode: 'off' } | { readonly mode: 'enforce' | 'monitor'; readonly policy: Policy });

/** Reads the configuration. Throws FatalError when it redefines what must not be. */
export function createValidationSettings(
  configuration: ValidationConfiguration = validationConfigurationSchema.parse({}),
): ValidationSettings {
  if (Object.hasOwn(configuration.policies, publicBr.name)) {
    throw refuse(`core.validation.policies.${publicBr.name} is built in and cannot be defined otherwise`);
  }
  const own = Object.entries(configuration.policies).map(([name, policy]) => createPrivatePolicy(name, policy));
  const builtin = [publicBr, createPrivatePolicy('private', privatePolicySchema.parse({}))];
  return {
    issuerDomainNames: configuration.issuerDomainNames,
    acmeBaseUrls: configuration.acmeBaseUrls,
    policies: new Map([...builtin, ...own].map((policy) => [policy.name, policy])),
    overrides: configuration.profiles,
    primaries: new Map(Object.entries(configuration.primaries)),
    keepAfterExpiryMs: configuration.evidence.keepAfterExpiry,
  };
}

/** Refuses settings for profiles that there are not, or that validate nothing. Throws FatalError. */
export function checkOverrides(
  { overrides }: ValidationSettings,
  profiles: ReadonlyMap<string, Pick<Profile, 'validation'>>,
): void {
  for (const name of Object.keys(overrides)) {
    const profile = profiles.get(name);
    if (profile === undefined) {
      throw refuse(
        `core.validation.profiles.${name}: there is no such profile${suggestion(name, [...profiles.keys()])}`,
      );
    }
    if (profile.validation === undefined) {
      throw refuse(
        `core.validation.profiles.${name}: the profile leaves validation to the RA; give it a validation key`,
      );
    }
  }
}

/**
 * The rule of a profile; undefined where it leaves validation to the RA. Throws FatalError for a policy that there is not,
 * or that is only enforced.
 */
export function bindValidation(
  { name, validation }: Pick<Profile, 'name' | 'validation'>,
  { policies, overrides }: ValidationSettings,
): ProfileValidation | undefined {
  if (validation === undefined) return undefined;
  const override = overrides[name];
  const policyName = override?.policy ?? validation.policy;
  const mode = override?.mode ?? validation.mode;
  const policy = policies.get(policyName);
  if (policy === undefined) {
    throw refuse(`profile ${name}: there is no policy ${policyName}${suggestion(policyName, [...policies.keys()])}`);
  }
  if (policy.isEnforceOnly && mode !== 'enforce') {
    throw refuse(`profile ${name}: policy ${policyName} is enforced or not used; mode ${mode} is not for it`);
  }
  const { reuseMs, dnsPersist } = validation;
  const common = { methods: new Set(validation.methods), reuseMs, dnsPersist };
  return mode === 'off' ? { ...common, mode } : { ...common, mode, policy };
}

/** What a gate has to know of a rule at `now`. */
export function describeValidation(
  validation: ProfileValidation,
  { issuerDomainNames }: Pick<ValidationSettings, 'issuerDomainNames'>,
  now: Date,
): ValidationRules {
  const { mode, methods, reuseMs, dnsPersist } = validation;
  const common = { mode, issuerDomainNames: [...issuerDomainNames], methods: [...methods], dnsPersist };
  if (validation.mode === 'off') {
    return {
      ...common,
      policy: '',
      version: '',
      remotes: 0,
      corroborations: 0,
      caa: 'off',
      dnssec: 'off',
      reuse: durationFromMs(reuseMs),
      requiredSites: [],
    };
  }
  const row = rowAt(validation.policy, now);
  return {
    ...common,
    policy: validation.policy.name,
    version: row.version,
    remotes: row.remotes,
    corroborations: row.remotes - allowedFailures(row, row.remotes),
    caa: row.caa,
    dnssec: row.dnssec,
    reuse: durationFromMs(Math.min(reuseMs, row.maximumReuseMs ?? Infinity)),
    requiredSites: row.requiredSites.map(({ zone, sites }) => ({ zone, sites: [...sites] })),
  };
}

function refuse(message: string): FatalError {
  return new FatalError(message, {
    hint: 'correct core.validation in gatehouse.yaml, or the profile',
    exitCode: configurationExitCode,
  });
}
