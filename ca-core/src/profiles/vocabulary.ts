/**
 * The words that a profile may use, each list in one table, so that schema, messages and documentation agree. Words of
 * a standard are spelled as the standard spells them; nothing here decides what a profile may combine.
 */
import { attributeTypes, extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';

/** Kinds of subject alternative name, RFC 5280 §4.2.1.6. */
export const nameKinds = ['dns', 'ip', 'uri', 'email', 'directory', 'other'] as const;
export type NameKind = (typeof nameKinds)[number];

/** Bits of keyUsage, RFC 5280 §4.2.1.3. */
export const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsageName = (typeof keyUsageNames)[number];

/** Curves, by the names of FIPS 186-5. */
export const curveNames = ['P-256', 'P-384', 'P-521'] as const;
export type CurveName = (typeof curveNames)[number];

/** Parameter sets of FIPS 204. */
export const mlDsaParameterSets = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const;
export type MlDsaParameterSet = (typeof mlDsaParameterSets)[number];

/**
 * What becomes of the status of a profile's certificates: on CRLs and in OCSP; never told, which they say themselves
 * (RFC 9608); or told nowhere by us.
 */
export const profileStatuses = ['published', 'no-rev-avail', 'unpublished'] as const;
export type ProfileStatus = (typeof profileStatuses)[number];

/** Kinds of requester, as RequesterKind of the contract in lower case. */
export const requesterKindNames = [
  'user',
  'certificate',
  'device',
  'token',
  'account',
  'workload',
  'operator',
  'registration-authority',
] as const;

/**
 * What becomes of a certificate whose names are not validated as its profile's policy demands: it is refused, it is issued
 * and the failure recorded, or nobody looks.
 */
export const validationModes = ['enforce', 'monitor', 'off'] as const;
export type ValidationMode = (typeof validationModes)[number];

/** Drafts of dns-persist-01 that differ in what a record names: an account's URL alone, or together with its key. */
export const persistDrafts = ['draft-02', 'draft-01'] as const;
export type PersistDraft = (typeof persistDrafts)[number];

/** Attributes of which a subject may hold several, each in an RDN of its own (RFC 4519 §2.4, §2.20, §2.34). */
export const repeatableAttributes: ReadonlySet<string> = new Set([
  attributeTypes.DC,
  attributeTypes.OU,
  attributeTypes.STREET,
]);

/** Sources of lints. */
export const lintSets = ['rfc5280', 'cabf-br'] as const;

/** Object identifiers that a profile may call by name. */
export const namedIdentifiers = {
  attribute: attributeTypes,
  purpose: keyPurposes,
  extension: extensionIds,
} as const satisfies Record<string, Readonly<Record<string, string>>>;

const shortNames: ReadonlyMap<string, string> = new Map(
  Object.entries(attributeTypes).map(([name, oid]) => [oid, name]),
);

/** `CN` for `2.5.4.3`; the dotted form for a type without a short name. */
export function attributeShortName(type: string): string {
  return shortNames.get(type) ?? type;
}
