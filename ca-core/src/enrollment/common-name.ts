/**
 * The common name where it stands for a host: old clients ask by it alone, and old relying parties read it. It must
 * never say anything that the alternative names do not say (BR §7.1.4.3).
 */
import { isHostName, shorten } from '@gatehouse/pkix/general-name-syntax';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import { attribute, attributeValues, type Name } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import { endsInNumber } from './alternative-names.ts';

type HostName = Extract<GeneralName, { readonly kind: 'dns' | 'ip' }>;

/** A text as the DNS name or IP address that it is, in the form of an alternative name; undefined when it is neither. */
export function readHost(text: string): HostName | undefined {
  const address = parseIpAddress(text);
  if (address !== undefined) return { kind: 'ip', value: formatIpAddress(address) ?? text };
  const host = text.startsWith('*.') ? text.slice(2) : text;
  if (text.length > 253 || !isHostName(host) || endsInNumber(host)) return undefined;
  return { kind: 'dns', value: text.toLowerCase() };
}

/** The host that the only common name of a subject is, or undefined. */
export function hostOfCommonName(subject: Name): HostName | undefined {
  const [commonName, ...others] = attributeValues(subject, attributeTypes.CN);
  return commonName === undefined || others.length > 0 ? undefined : readHost(commonName);
}

/** The subject with its common names spelled like the names they repeat. Throws CoreError `rejected-name` for others. */
export function placeCommonName(subject: Name, names: readonly GeneralName[]): Name {
  return subject.map((relativeName) =>
    relativeName.map((each) => {
      if (each.type !== attributeTypes.CN) return each;
      const host = readHost(each.value);
      const name = names.find((candidate) => candidate.kind === host?.kind && candidate.value === host?.value);
      if (host === undefined || name === undefined) {
        throw new CoreError(
          'rejected-name',
          `the common name '${shorten(each.value)}' is not among the alternative names`,
        );
      }
      // BR §7.1.4.3: a character-for-character copy.
      return host.value === each.value ? each : attribute(attributeTypes.CN, host.value);
    }),
  );
}
