/** What operators do with registration authorities: register, give a token, list, shut out. */
import type {
  AddRegistrationAuthorityRequest,
  CreateJoinTokenRequest,
  JoinToken,
  RegistrationAuthority as RegistrationAuthorityMessage,
} from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import { durationFromMs, durationToMs } from '@gatehouse/proto/duration';
import type { Keep } from '../keep.ts';
import { callerUri } from '../registry/caller.ts';
import type { RegistrationAuthority } from '../registry/registry.ts';
import { warnOfUnvalidatedNames } from '../registry/unvalidated-names.ts';
import { newJoinToken } from './new-join-token.ts';

/** Registers an RA. Throws CoreError `malformed`, `profile-unknown` or `conflict`. */
export async function addRegistrationAuthority(
  keep: Keep,
  actor: string,
  request: AddRegistrationAuthorityRequest,
): Promise<JoinToken> {
  const { registrationAuthority: wanted } = request;
  if (wanted === undefined) throw new CoreError('malformed', 'the registration authority is missing');
  for (const profile of wanted.profiles) {
    const authority = keep.profiles.get(profile)?.authority.name;
    if (authority === undefined) throw new CoreError('profile-unknown', `there is no profile ${profile}`);
    if (authority === 'service') throw new CoreError('malformed', `profile ${profile} cannot be enrolled by an RA`);
  }
  const token = newJoinToken(keep, actor, { kind: 'gate', name: wanted.name }, request.tokenLife);
  const added = await keep.registry.addRegistrationAuthority(
    {
      name: wanted.name,
      profiles: wanted.profiles,
      scope: wanted.scope ?? {
        dnsSuffixes: [],
        ipRanges: [],
        uriPrefixes: [],
        emailDomains: [],
        subjectAttributes: [],
      },
      maximumValidityMs: wanted.maximumValidity === undefined ? undefined : durationToMs(wanted.maximumValidity),
      ratePerSecond: wanted.ratePerSecond,
      createdAt: keep.clock.now(),
    },
    actor,
    token.set,
  );
  warnOfUnvalidatedNames(keep, added);
  return { token: token.token, expiresAt: token.expiresAt };
}

/** A further token for an RA that is registered. Throws CoreError `malformed`, `not-found` or `conflict`. */
export async function createJoinToken(keep: Keep, actor: string, request: CreateJoinTokenRequest): Promise<JoinToken> {
  const { name } = request;
  const ra = keep.registry.findRegistrationAuthority(name);
  if (ra === undefined) throw new CoreError('not-found', `there is no RA ${name}`);
  if (ra.isDisabled) throw new CoreError('conflict', `RA ${name} is disabled`);
  const token = newJoinToken(keep, actor, { kind: 'gate', name }, request.tokenLife);
  await keep.store.commit(token.set);
  return { token: token.token, expiresAt: token.expiresAt };
}

/** Shuts an RA out; its open connections end. Throws CoreError `not-found`. */
export async function disableRegistrationAuthority(
  keep: Keep,
  actor: string,
  name: string,
): Promise<RegistrationAuthorityMessage> {
  const disabled = await keep.registry.disableRegistrationAuthority(name, actor);
  keep.disconnect(callerUri('gate', name));
  return registrationAuthorityMessage(disabled);
}

/** An RA as the contract shows it. */
export function registrationAuthorityMessage(ra: RegistrationAuthority): RegistrationAuthorityMessage {
  const { dnsSuffixes, ipRanges, uriPrefixes, emailDomains, subjectAttributes } = ra.declaredScope;
  return {
    name: ra.name,
    profiles: [...ra.profiles],
    scope: {
      dnsSuffixes: [...dnsSuffixes],
      ipRanges: [...ipRanges],
      uriPrefixes: [...uriPrefixes],
      emailDomains: [...emailDomains],
      subjectAttributes: [...subjectAttributes],
    },
    maximumValidity: ra.maximumValidityMs === undefined ? undefined : durationFromMs(ra.maximumValidityMs),
    ratePerSecond: ra.ratePerSecond,
    isDisabled: ra.isDisabled,
    createdAt: ra.createdAt,
    credentialExpiresAt: ra.credentialExpiresAt,
  };
}
