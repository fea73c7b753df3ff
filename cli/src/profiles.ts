/** What `gatehouse profile list` and `show` do: the profiles as the running core has them. */
import { displayName } from '@gatehouse/pkix/names';
import { type KeyRule, NameKind } from '@gatehouse/proto/certificate-authority';
import { durationToMs } from '@gatehouse/proto/duration';
import type { Profile } from '@gatehouse/ra-client/client';
import { formatDuration } from '@gatehouse/runtime/duration';
import { keyPurposeName } from './key-purposes.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { formatFields, print, printJson, printTable } from './output.ts';

/** Lists all profiles. */
export async function listProfiles(options: OperatorOptions): Promise<void> {
  const profiles = await asOperator(options, (core) => core.listProfiles());
  if (options.json === true) {
    printJson(profiles.map(describe));
    return;
  }
  printTable(
    profiles,
    [
      ['name', ({ name }) => name],
      ['names', ({ allowedNames }) => allowedNames.map(kindName).join(',') || '-'],
      ['validity', (profile) => `${lifeOf(profile.defaultValidity)} (at most ${lifeOf(profile.maximumValidity)})`],
      ['approval', ({ needsApproval }) => (needsApproval ? 'by a person' : '-')],
      ['description', ({ description }) => description],
    ],
    'there is no profile',
  );
}

/** Shows one profile. */
export async function showProfile(name: string, options: OperatorOptions): Promise<void> {
  const profile = await asOperator(options, (core) => core.getProfile(name));
  if (options.json === true) {
    printJson(describe(profile));
    return;
  }
  print(
    formatFields([
      ['Profile', profile.name],
      ['Description', profile.description],
      ['Subject', profile.subject.map(formatAttribute).join(', ')],
      ['Names allowed', profile.allowedNames.map(kindName).join(', ')],
      ['Names required', profile.requiredNames.map(kindName).join(', ')],
      ['Keys', profile.keys.map(formatKeyRule).join(', ')],
      ['Key usage', profile.keyUsage.join(', ')],
      ['Extended key usage', profile.extendedKeyUsage.map(keyPurposeName).join(', ')],
      ['Validity', `${lifeOf(profile.defaultValidity)}, at most ${lifeOf(profile.maximumValidity)}`],
      ['CA certificate', profile.isCa ? 'yes' : undefined],
      ['Approval', profile.needsApproval ? 'by a person' : undefined],
      ['Evidence', profile.evidence.join(', ')],
      ['Copied extensions', profile.copiedExtensions.join(', ')],
      ['Status', profile.status],
      ['New names on renewal', profile.allowsNameChange ? 'allowed' : 'refused'],
    ]),
  );
}

function describe(profile: Profile): unknown {
  const { subject, allowedNames, requiredNames, defaultValidity, maximumValidity, ...rest } = profile;
  return {
    ...rest,
    subject: subject.map(({ type, value, isRequired }) => ({
      type: displayName(type),
      value: value === '' ? undefined : value,
      isRequired,
    })),
    allowedNames: allowedNames.map(kindName),
    requiredNames: requiredNames.map(kindName),
    extendedKeyUsage: profile.extendedKeyUsage.map(keyPurposeName),
    defaultValidity: lifeOf(defaultValidity),
    maximumValidity: lifeOf(maximumValidity),
  };
}

const kindNames: Readonly<Record<NameKind, string>> = {
  [NameKind.NAME_KIND_UNSPECIFIED]: 'unspecified',
  [NameKind.NAME_KIND_DNS]: 'dns',
  [NameKind.NAME_KIND_IP]: 'ip',
  [NameKind.NAME_KIND_URI]: 'uri',
  [NameKind.NAME_KIND_EMAIL]: 'email',
  [NameKind.NAME_KIND_DIRECTORY]: 'directory',
  [NameKind.NAME_KIND_OTHER]: 'other',
  [NameKind.UNRECOGNIZED]: 'unknown',
};

function kindName(kind: NameKind): string {
  return kindNames[kind];
}

function lifeOf(duration: Profile['defaultValidity']): string {
  return duration === undefined ? '-' : formatDuration(durationToMs(duration));
}

function formatAttribute({ type, value, isRequired }: Profile['subject'][number]): string {
  const name = displayName(type);
  if (value !== '') return `${name}=${value}`;
  return isRequired ? `${name} (required)` : name;
}

function formatKeyRule({ kind, parameters, minimumBits, maximumBits }: KeyRule): string {
  switch (kind) {
    case 'rsa':
      return `RSA ${minimumBits} to ${maximumBits} bits`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return parameters.join(', ');
  }
}
