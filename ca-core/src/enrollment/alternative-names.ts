/**
 * Which alternative names a profile lets into a certificate, whoever asks. All offenders are told at once, so that a
 * client need not find them one by one.
 */
import { formatGeneralName, type GeneralName } from '@gatehouse/pkix/general-names';
import { parseIpAddress } from '@gatehouse/pkix/ip-address';
import { CoreError, type NameRefusal } from '@gatehouse/proto/core-error';
import type { Profile } from '../profiles/profile.ts';
import type { NameKind } from '../profiles/vocabulary.ts';
import { writeGeneralNameMessage } from './general-name-message.ts';

/** Throws CoreError `rejected-name` with one refusal per name that the profile does not allow, or for a missing one. */
export function checkAlternativeNames(profile: Profile, names: readonly GeneralName[]): void {
  const refusals: NameRefusal[] = [];
  for (const name of names) {
    const fault = findFault(profile, name);
    if (fault === undefined) continue;
    const detail = `${formatGeneralName(name)} ${fault}`;
    refusals.push({ name: writeGeneralNameMessage(name), type: 'rejected-name', detail });
  }
  const [first] = refusals;
  if (first !== undefined) {
    const others = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more)`;
    throw new CoreError('rejected-name', `${first.detail}${others}`, { names: refusals });
  }
  refuseMissing(profile, names);
}

function findFault({ name: profileName, names: rule }: Profile, name: GeneralName): string | undefined {
  const isAllowed = name.kind !== 'registered-id' && rule.allowed.includes(name.kind);
  if (!isAllowed) {
    const allowed = rule.allowed.length === 0 ? 'none' : rule.allowed.join(', ');
    return `is of a kind that profile ${profileName} does not allow; allowed: ${allowed}`;
  }
  switch (name.kind) {
    case 'dns':
      if (name.value.startsWith('*.') && !rule.wildcards) return `is a wildcard, which profile ${profileName} refuses`;
      // Relying parties read such a name as an IPv4 address (URL Standard §3.5) and so would see another host.
      if (endsInNumber(name.value)) return 'ends in a number, as no DNS name does; ask for the address';
      return undefined;
    case 'ip':
      // RFC 4291 §2.5.5.2: two spellings of one host would escape rules that are written for the other.
      return isMappedAddress(name.value) ? 'is an IPv4-mapped address; ask for the IPv4 address' : undefined;
    default:
      return undefined;
  }
}

function refuseMissing({ name: profileName, names: rule }: Profile, names: readonly GeneralName[]): void {
  const missing = rule.required.filter((kind) => !names.some((name) => name.kind === kind));
  if (missing.length > 0) {
    throw new CoreError('rejected-name', `profile ${profileName} demands a name of kind ${listed(missing)}`);
  }
  if (rule.atLeastOne && names.length === 0) {
    throw new CoreError('rejected-name', `profile ${profileName} demands a name of kind ${rule.allowed.join(' or ')}`);
  }
}

function listed(kinds: readonly NameKind[]): string {
  return kinds.join(' and one of kind ');
}

/** Whether the last label of a DNS name is a decimal or hexadecimal number. */
export function endsInNumber(name: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(name);
}

/** Whether an address is IPv4 in the dress of IPv6, ::ffff:0:0/96. */
export function isMappedAddress(text: string): boolean {
  const octets = parseIpAddress(text);
  return octets?.length === 16 && octets.every((octet, i) => i >= 12 || octet === (i < 10 ? 0 : 0xff));
}
