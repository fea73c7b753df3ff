// Lints over issuer and subject: string types, repertoires and upper bounds of RFC 5280 §4.1.2.4, §4.1.2.6 and appendix A.
import { isAscii, stringTags } from '@gatehouse/pkix/der/strings';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import type { Lint } from '../lint.ts';
import { type AttributeView, attributeText, membersOfSet, type NameView } from '../name-view.ts';
import { quote } from '../quote.ts';
import type { LintSubject } from '../subject.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

/** Attributes that are one string type by definition; all others are a DirectoryString. RFC 5280 appendix A.1. */
const fixedStringTypes: ReadonlyMap<string, number> = new Map([
  [attributeTypes.C, stringTags.printableString],
  [attributeTypes.serialNumber, stringTags.printableString],
  [attributeTypes.dnQualifier, stringTags.printableString],
  [attributeTypes.jurisdictionC, stringTags.printableString],
  [attributeTypes.DC, stringTags.ia5String],
  [attributeTypes.emailAddress, stringTags.ia5String],
  [attributeTypes.unstructuredName, stringTags.ia5String],
]);

/** RFC 2985 §5.4.1: unstructuredName is IA5String or a DirectoryString. */
const alsoDirectoryStrings: ReadonlySet<string> = new Set([attributeTypes.unstructuredName]);

/** Upper bounds in characters. RFC 5280 appendix A.1; the Baseline Requirements §7.1.4.2 for the addresses. */
const upperBounds: ReadonlyMap<string, number> = new Map([
  [attributeTypes.CN, 64],
  [attributeTypes.O, 64],
  [attributeTypes.OU, 64],
  [attributeTypes.L, 128],
  [attributeTypes.ST, 128],
  [attributeTypes.title, 64],
  [attributeTypes.serialNumber, 64],
  [attributeTypes.pseudonym, 128],
  [attributeTypes.emailAddress, 255],
  [attributeTypes.name, 32_768],
  [attributeTypes.SN, 32_768],
  [attributeTypes.GN, 32_768],
  [attributeTypes.initials, 32_768],
  [attributeTypes.generationQualifier, 32_768],
]);

const stringTypeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(stringTags).map(([name, tag]) => [tag, name]),
);

/** X.680 §41.4: the PrintableString repertoire. */
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** The first complaint of `judge` over the attributes of issuer and subject. */
function judgeAttributes(
  { issuer, subject }: LintSubject,
  judge: (attribute: AttributeView) => string | undefined,
): string | undefined {
  for (const attribute of subject.attributes) {
    const complaint = judge(attribute);
    if (complaint !== undefined) return `subject: ${complaint}`;
  }
  for (const attribute of issuer.attributes) {
    const complaint = judge(attribute);
    if (complaint !== undefined) return `issuer: ${complaint}`;
  }
  return undefined;
}

function judgeNames(
  { issuer, subject }: LintSubject,
  judge: (name: NameView) => string | undefined,
): string | undefined {
  const complaint = judge(subject);
  if (complaint !== undefined) return `subject: ${complaint}`;
  const other = judge(issuer);
  return other === undefined ? undefined : `issuer: ${other}`;
}

function isDirectoryString(tag: number): boolean {
  return tag === stringTags.utf8String || tag === stringTags.printableString;
}

function judgeStringType({ type, value: { tag } }: AttributeView): string | undefined {
  const fixed = fixedStringTypes.get(type);
  const isRight =
    fixed === undefined
      ? isDirectoryString(tag)
      : tag === fixed || (alsoDirectoryStrings.has(type) && isDirectoryString(tag));
  return isRight ? undefined : `attribute ${type} is ${stringTypeNames.get(tag) ?? `of tag ${tag.toString(16)}`}`;
}

// An octet count within the bound needs no counting of characters.
function judgeUpperBound(attribute: AttributeView): string | undefined {
  const bound = upperBounds.get(attribute.type);
  if (bound === undefined || attribute.value.contents.length <= bound) return undefined;
  let characters = 0;
  for (const _ of attributeText(attribute)) characters++;
  return characters > bound
    ? `attribute ${attribute.type} has ${characters} characters, at most ${bound} are allowed`
    : undefined;
}

function judgeRepertoire(attribute: AttributeView): string | undefined {
  const { type, value } = attribute;
  switch (value.tag) {
    case stringTags.printableString:
      return printable.test(value.text) ? undefined : `attribute ${type} is no PrintableString: ${quote(value.text)}`;
    case stringTags.utf8String:
    case stringTags.ia5String:
    case stringTags.bmpString:
    case stringTags.universalString:
      // Throws DerError, which is the finding. ASCII is right in the first two, and the most frequent case.
      if (value.tag > stringTags.ia5String || !isAscii(value.text)) attributeText(attribute);
      return undefined;
    default:
      return undefined;
  }
}

function judgeControlCharacters({ type, value: { tag, contents } }: AttributeView): string | undefined {
  // BMPString and UniversalString have NUL octets by their nature; their type is another lint's finding.
  if (tag === stringTags.bmpString || tag === stringTags.universalString) return undefined;
  for (let i = 0; i < contents.length; i++) {
    const octet = contents[i] ?? 0;
    if (octet < 0x20 || octet === 0x7f)
      return `attribute ${type} holds control character ${octet.toString(16).padStart(2, '0')}`;
  }
  return undefined;
}

function judgeCountry({ type, value }: AttributeView): string | undefined {
  if (type !== attributeTypes.C && type !== attributeTypes.jurisdictionC) return undefined;
  return /^[A-Za-z]{2}$/.test(value.text) ? undefined : `countryName ${quote(value.text)} is not two letters`;
}

function judgeEmptySet({ relativeDistinguishedNames }: NameView): string | undefined {
  return relativeDistinguishedNames.some(({ contents }) => contents.length === 0)
    ? 'a RelativeDistinguishedName is empty'
    : undefined;
}

// X.690 §11.6: the members of a SET OF stand in ascending order of their encodings.
function judgeSetOrder({ attributes, relativeDistinguishedNames }: NameView): string | undefined {
  if (attributes.length <= relativeDistinguishedNames.length) return undefined;
  for (const rdn of relativeDistinguishedNames) {
    const members = membersOfSet(rdn);
    for (let i = 1; i < members.length; i++) {
      const [previous, current] = [members[i - 1], members[i]];
      if (previous !== undefined && current !== undefined && Buffer.compare(previous, current) > 0) {
        return 'the attributes of a RelativeDistinguishedName are not in DER order';
      }
    }
  }
  return undefined;
}

/** Lints of RFC 5280 §4.1.2.4, §4.1.2.6 and appendix A. */
export const distinguishedNameLints: readonly Lint[] = [
  {
    ...rfc5280,
    id: 'rfc5280-issuer-not-empty',
    citation: 'RFC 5280 §4.1.2.4',
    description: 'The issuer is a non-empty distinguished name.',
    check: ({ issuer }) => (issuer.attributes.length === 0 ? 'the issuer is empty' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-ca-subject-not-empty',
    citation: 'RFC 5280 §4.1.2.6',
    appliesTo: 'ca',
    description: 'The subject of a CA is a non-empty distinguished name.',
    check: ({ subject }) => (subject.attributes.length === 0 ? 'the subject of a CA certificate is empty' : undefined),
  },
  {
    ...rfc5280,
    id: 'rfc5280-relative-distinguished-name-not-empty',
    citation: 'RFC 5280 §4.1.2.4',
    description: 'A RelativeDistinguishedName has at least one attribute.',
    check: (certificate) => judgeNames(certificate, judgeEmptySet),
  },
  {
    ...rfc5280,
    id: 'rfc5280-relative-distinguished-name-order',
    citation: 'X.690 §11.6 (RFC 5280 §4.1)',
    description: 'The attributes of a RelativeDistinguishedName stand in the order of DER.',
    check: (certificate) => judgeNames(certificate, judgeSetOrder),
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-string-type',
    citation: 'RFC 5280 §4.1.2.4, appendix A.1',
    description: 'Attributes are PrintableString or UTF8String, or the one type that their definition fixes.',
    check: (certificate) => judgeAttributes(certificate, judgeStringType),
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-repertoire',
    citation: 'RFC 5280 §4.1.2.4, appendix B',
    description: 'Attributes hold only characters of their string type; UTF8String is valid UTF-8.',
    check: (certificate) => judgeAttributes(certificate, judgeRepertoire),
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-control-characters',
    // Two names that differ in control characters alone compare as equal, so that such a name can pass for another.
    citation: 'RFC 5280 §7.1 (RFC 4518 §2.2)',
    description: 'Attributes hold no control characters, NUL among them.',
    check: (certificate) => judgeAttributes(certificate, judgeControlCharacters),
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-attribute-not-empty',
    citation: 'RFC 5280 appendix A.1 (SIZE (1..MAX))',
    description: 'Attributes have at least one character.',
    check: (certificate) =>
      judgeAttributes(certificate, ({ type, value }) =>
        value.contents.length === 0 ? `attribute ${type} is empty` : undefined,
      ),
  },
  {
    ...rfc5280,
    id: 'rfc5280-name-upper-bounds',
    citation: 'RFC 5280 appendix A.1',
    description: 'Attributes are no longer than their upper bounds.',
    check: (certificate) => judgeAttributes(certificate, judgeUpperBound),
  },
  {
    ...rfc5280,
    id: 'rfc5280-country-name-length',
    citation: 'RFC 5280 appendix A.1 (X520countryName)',
    description: 'countryName is two letters.',
    check: (certificate) => judgeAttributes(certificate, judgeCountry),
  },
];
