/**
 * A profile bound to the authority that signs for it, with everything that is the same in each of its certificates
 * encoded once. Binding happens at start, so that a profile that could not issue stops the core, not a client.
 */

import type { Profile as ProfileMessage } from '@gatehouse/proto/certificate-authority';
import { formatDuration } from '@gatehouse/runtime/duration';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Authority } from '../authorities/authority.ts';
import { type AuthorityTemplateFacts, createAuthorityTemplate } from '../authorities/authority-template.ts';
import {
  bindValidation,
  checkOverrides,
  createValidationSettings,
  describeValidation,
  type ProfileValidation,
  type ValidationSettings,
} from '../evidence/validation.ts';
import { describeProfile } from '../profiles/describe-profile.ts';
import type { Profile } from '../profiles/profile.ts';
import type { StatusConfiguration } from '../revocation/status-configuration.ts';
import {
  type CrlAssignment,
  createStatusLocations,
  noCrl,
  type StatusLocations,
} from '../revocation/status-locations.ts';
import type { CertificateTemplate } from '../x509/certificate-template.ts';

/** A profile and what signs for it. */
export type IssuingProfile = {
  readonly profile: Profile;
  readonly authority: Authority;
  readonly template: CertificateTemplate;
  /** The CRL of a new certificate, by its serial number. */
  assignCrl(serialNumber: Uint8Array): CrlAssignment;
  /** How the control of names is verified; undefined where that is left to the RA. */
  readonly validation: ProfileValidation | undefined;
  /** What a gate may know of it at `now`: policies change by date. */
  describe(now: Date): ProfileMessage;
};

/** Where status is published; without a base URL certificates name no place. */
export type StatusPublication = Pick<StatusConfiguration, 'baseUrl' | 'issuing'>;

/**
 * Binds every profile.
 *
 * @param status undefined: certificates name no place where their status is found
 * @param validation as without a configuration when it is left out
 * @throws {FatalError} for a profile that its authority could not issue
 */
export function bindProfiles(
  profiles: ReadonlyMap<string, Profile>,
  authorities: { readonly issuing: Authority; readonly service: Authority },
  now: Date,
  status?: StatusPublication,
  validation: ValidationSettings = createValidationSettings(),
): ReadonlyMap<string, IssuingProfile> {
  const locations =
    status?.baseUrl === undefined
      ? undefined
      : createStatusLocations(status.baseUrl, authorities.issuing, status.issuing.crl.shards);
  checkOverrides(validation, profiles);
  return new Map(
    [...profiles].map(([name, profile]) => [
      name,
      bindProfile(profile, authorities[profile.authority], now, locations, validation),
    ]),
  );
}

function bindProfile(
  profile: Profile,
  authority: Authority,
  now: Date,
  locations: StatusLocations | undefined,
  settings: ValidationSettings,
): IssuingProfile {
  const { certificate } = authority;
  const remainingMs = certificate.notAfter.getTime() - now.getTime();
  if (profile.validity.defaultMs > remainingMs) {
    throw new FatalError(
      `profile ${profile.name} wants ${formatDuration(profile.validity.defaultMs)}, longer than its issuer will live`,
      {
        hint: `shorten validity.default, or renew the ${authority.name} CA (ends ${certificate.notAfter.toISOString()})`,
      },
    );
  }
  const { isCa } = profile.basicConstraints;
  const validation = bindValidation(profile, settings);
  const namesCrl = profile.status === 'published' && profile.crlDistributionPoints.length === 0;
  return {
    profile,
    authority,
    template: templateFor(authority, profile, locations),
    assignCrl:
      locations !== undefined && namesCrl ? (serialNumber) => locations.assignCrl(serialNumber, isCa) : () => noCrl,
    validation,
    describe: (at) => describeProfile(profile, validation && describeValidation(validation, settings, at)),
  };
}

function templateFor(
  authority: Authority,
  profile: Profile,
  locations: StatusLocations | undefined,
): CertificateTemplate {
  try {
    return createAuthorityTemplate(authority, { ...profile, ...statusFacts(profile, locations) });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new FatalError(`profile ${profile.name} contradicts itself or its issuer: ${cause.message}`, {
      hint: 'correct the profile; gatehouse profile validate FILE checks it',
      cause,
    });
  }
}

/** What all certificates of a profile say about their status. URLs of the profile itself go before the configured ones. */
function statusFacts(
  { status, authorityInformationAccess: own }: Profile,
  locations: StatusLocations | undefined,
): Pick<AuthorityTemplateFacts, 'authorityInformationAccess' | 'isWithoutRevocation'> {
  const configured = status === 'unpublished' ? undefined : locations;
  const isWithoutRevocation = status === 'no-rev-avail';
  return {
    authorityInformationAccess: {
      // RFC 9608 §3: whose status is never published names no responder; its issuer may still be fetched.
      ocsp: isWithoutRevocation ? [] : choose(own.ocsp, configured?.ocsp),
      caIssuers: choose(own.caIssuers, configured?.caIssuers),
    },
    isWithoutRevocation,
  };
}

function choose(own: readonly string[], configured: string | undefined): readonly string[] {
  return own.length > 0 || configured === undefined ? own : [configured];
}
