// How the value of each known attribute type of a name is written and how long it may be: RFC 5280 appendix A for its
// own types, X.520 and RFC 4519 for the rest. A table only; names.ts and certification-request.ts apply it.
import { stringTags } from './der/strings.ts';
import { attributeTypes } from './object-identifiers.ts';

/** `tag` is the string type that is written; lengths are in characters, `minimum` is 1 for all but countries. */
export type AttributeSyntax = {
  readonly shortName: string;
  readonly tag: number;
  readonly minimum: number;
  readonly maximum: number;
};

const { utf8String, printableString, ia5String } = stringTags;

const rows: Readonly<Record<keyof typeof attributeTypes, readonly [tag: number, maximum: number, minimum?: number]>> = {
  CN: [utf8String, 64], // ub-common-name
  SN: [utf8String, 32768], // ub-name
  serialNumber: [printableString, 64], // ub-serial-number
  C: [printableString, 2, 2], // X520countryName: SIZE (2)
  L: [utf8String, 128], // ub-locality-name
  ST: [utf8String, 128], // ub-state-name
  STREET: [utf8String, 128], // X.520 ub-street-address
  O: [utf8String, 64], // ub-organization-name
  OU: [utf8String, 64], // ub-organizational-unit-name
  title: [utf8String, 64], // ub-title
  description: [utf8String, 1024], // X.520 ub-description
  businessCategory: [utf8String, 128], // X.520 ub-business-category
  postalCode: [utf8String, 40], // X.520 ub-postal-code
  name: [utf8String, 32768], // ub-name
  GN: [utf8String, 32768], // ub-name
  initials: [utf8String, 32768], // ub-name
  generationQualifier: [utf8String, 32768], // ub-name
  dnQualifier: [printableString, 64], // X520dnQualifier has no bound; X.520 gives 64
  pseudonym: [utf8String, 128], // ub-pseudonym
  organizationIdentifier: [utf8String, 256], // X.520 names no bound; ETSI EN 319 412-1 stays far below
  UID: [utf8String, 256], // RFC 4519 §2.39 and RFC 4524: {256}
  DC: [ia5String, 63], // RFC 4519 §2.4: one DNS label
  emailAddress: [ia5String, 255], // ub-emailaddress-length
  unstructuredName: [utf8String, 255], // RFC 2985: pkcs-9-ub-unstructuredName
  unstructuredAddress: [utf8String, 255], // RFC 2985: pkcs-9-ub-unstructuredAddress
  jurisdictionL: [utf8String, 128], // as localityName
  jurisdictionST: [utf8String, 128], // as stateOrProvinceName
  jurisdictionC: [printableString, 2, 2], // as countryName
};

const syntaxes = new Map<string, AttributeSyntax>();
const typesByName = new Map<string, string>();
for (const [shortName, type] of Object.entries(attributeTypes)) {
  const [tag, maximum, minimum = 1] = rows[shortName as keyof typeof attributeTypes];
  syntaxes.set(type, { shortName, tag, minimum, maximum });
  typesByName.set(shortName.toLowerCase(), type);
}

// The long names of RFC 4519 and the ones openssl prints, for reading only.
const synonyms: Readonly<Record<string, keyof typeof attributeTypes>> = {
  commonname: 'CN',
  surname: 'SN',
  countryname: 'C',
  localityname: 'L',
  stateorprovincename: 'ST',
  s: 'ST',
  streetaddress: 'STREET',
  organizationname: 'O',
  organizationalunitname: 'OU',
  givenname: 'GN',
  userid: 'UID',
  domaincomponent: 'DC',
  email: 'emailAddress',
  e: 'emailAddress',
};
for (const [synonym, shortName] of Object.entries(synonyms)) typesByName.set(synonym, attributeTypes[shortName]);

/** Syntax of an attribute type, or undefined for one that is not in the table. */
export function attributeSyntax(type: string): AttributeSyntax | undefined {
  return syntaxes.get(type);
}

/** Object identifier of a short or long name in any case, or undefined. */
export function attributeTypeOf(name: string): string | undefined {
  return typesByName.get(name.toLowerCase());
}
