// What the holder of a client certificate may do here beyond renewing it: by the mappings of the configuration for our
// own CA's certificates, by the anchor for foreign ones. Without either, a certificate enrols its own names and no more.

import type { Certificate } from '@gatehouse/pkix/certificate';
import { subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { areGeneralNamesEqual, formatGeneralName } from '@gatehouse/pkix/general-names';
import { areNamesEqual, attributeValues, displayName } from '@gatehouse/pkix/names';
import { attributeTypes, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { type ClientCertificate, isForClients, type OwnCertificate } from './client-certificate.ts';
import type { CertificateMapping, Label } from './configuration.ts';
import type { EnrollmentExchange } from './exchange.ts';
import { compileConfiguredPatterns, type NamePatterns, type NamePolicy, type RequestedNames } from './name-policy.ts';

/** What a certificate allows for one label and operation. */
export type CertificateRight = { readonly names: NamePolicy; readonly isRegistrationAuthority: boolean };

/** Mappings of own certificates, ready for use. */
export type CertificateRights = readonly CompiledMapping[];

type CompiledMapping = {
  readonly labels: readonly string[];
  readonly operations: readonly string[];
  readonly isRegistrationAuthority: boolean;
  readonly names: NamePolicy;
  /** One policy for each pattern: all must match some attribute of the subject. */
  readonly subject: readonly NamePolicy[];
};

type Authorization =
  | { readonly ok: true; readonly right: CertificateRight }
  | { readonly ok: false; readonly reason: string };

/** Compiles the mappings. @throws {FatalError} for a pattern that means nothing */
export function compileCertificateRights(mappings: readonly CertificateMapping[]): CertificateRights {
  const nothing = { dnsSuffixes: [], ipRanges: [], uriPrefixes: [], emailDomains: [], subjectAttributes: [] };
  return mappings.map((mapping, index) => {
    const compile = (patterns: NamePatterns) => compileConfiguredPatterns(`certificates[${index}]`, patterns);
    return {
      labels: mapping.labels,
      operations: mapping.operations,
      isRegistrationAuthority: mapping.isRegistrationAuthority,
      names: compile(mapping.names),
      subject: mapping.subject.map((pattern) => compile({ ...nothing, subjectAttributes: [pattern] })),
    };
  });
}

/** What the certificate allows for the label and operation of the exchange. */
export function authorizeCertificate(
  rights: CertificateRights,
  { label, operation }: Pick<EnrollmentExchange, 'label' | 'operation'>,
  client: ClientCertificate,
): Authorization {
  const held = holdsOnly(client);
  if (client.kind === 'foreign') {
    // An IDevID proves where a device comes from, never that a certificate of ours is its to renew.
    if (operation === 'simplereenroll') {
      return { ok: false, reason: 'a certificate of another CA cannot renew a certificate of this one' };
    }
    return allow({ names: client.anchor.policyFor(client.certificate) ?? held, isRegistrationAuthority: false });
  }
  const mapping = rights.find((candidate) => covers(candidate, label, operation, client.certificate));
  const isRegistrationAuthority =
    mapping?.isRegistrationAuthority === true && client.purposes?.includes(keyPurposes.cmcRA) === true;
  const names = mapping === undefined ? held : either(held, mapping.names);
  const isOwnProfile = isProfileOf(label, client.record.profile);
  if (operation === 'simplereenroll') {
    if (isRegistrationAuthority || isOwnProfile) return allow({ names, isRegistrationAuthority });
    return {
      ok: false,
      reason: `certificates of profile ${client.record.profile} are not renewed under label ${label.name}`,
    };
  }
  return authorizeEnrollment(client, { names, isRegistrationAuthority }, mapping !== undefined || isOwnProfile, label);
}

/** Whether certificates of this profile are renewed under the label. */
export function isProfileOf(label: Label, profile: string): boolean {
  return profile === label.profile || label.renewal.profiles.includes(profile);
}

function authorizeEnrollment(
  { purposes, record }: OwnCertificate,
  right: CertificateRight,
  isKnownHere: boolean,
  label: Label,
): Authorization {
  if (!isForClients(purposes)) return { ok: false, reason: 'the client certificate is not for clients' };
  if (isKnownHere) return allow(right);
  return { ok: false, reason: `certificates of profile ${record.profile} may not enrol under label ${label.name}` };
}

const allow = (right: CertificateRight): Authorization => ({ ok: true, right });

function covers(mapping: CompiledMapping, label: Label, operation: string, { subject }: Certificate): boolean {
  const isListed = mapping.labels.includes('*') || mapping.labels.includes(label.name);
  // A renewal by an RA needs the right to renew; a certificate's own renewal needs no mapping.
  if (!isListed || !mapping.operations.includes(operation)) return false;
  const attributes = subject.flat();
  return mapping.subject.every((policy) =>
    attributes.some((attribute) => policy({ subject: [[attribute]], names: [] }, label.name).length === 0),
  );
}

function either(first: NamePolicy, second: NamePolicy): NamePolicy {
  return (requested, label) => {
    const refused = new Set(first(requested, label));
    return refused.size === 0 ? [] : second(requested, label).filter((name) => refused.has(name));
  };
}

// The names that the certificate itself carries, compared as RFC 5280 §7.1 compares. A maker may call a host by a common name
// alone. What we issued names hosts where they were judged as hosts: a common name that its holder chose must not become one.
function holdsOnly({ kind, certificate }: ClientCertificate): NamePolicy {
  const heldAttributes = certificate.subject.flat();
  const heldNames = subjectAlternativeNames(certificate);
  const commonNames = attributeValues(certificate.subject, attributeTypes.CN);
  return ({ subject, names }: RequestedNames) => [
    ...subject
      .flat()
      .filter(
        (attribute) =>
          !heldAttributes.some((held) => areNamesEqual([[held]], [[attribute]])) &&
          !(attribute.type === attributeTypes.CN && holdsAsName(heldNames, attribute.value)),
      )
      .map(({ type, value }) => `${displayName(type)}=${value}`),
    ...names
      .filter(
        (name) =>
          !heldNames.some((held) => areGeneralNamesEqual(held, name)) &&
          !(kind === 'foreign' && name.kind === 'dns' && commonNames.includes(name.value)),
      )
      .map(formatGeneralName),
  ];
}

function holdsAsName(names: readonly { readonly kind: string; readonly value?: unknown }[], value: string): boolean {
  return names.some(
    (name) => (name.kind === 'dns' || name.kind === 'ip') && String(name.value).toLowerCase() === value.toLowerCase(),
  );
}
