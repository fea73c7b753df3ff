// Lints over subjectAltName, RFC 5280 §4.2.1.6: when it must be there and critical, and the syntax of each kind of name.
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import type { Lint } from '../lint.ts';
import { quote } from '../quote.ts';
import type { LintSubject } from '../subject.ts';

const rfc5280 = { source: 'rfc5280', effective: '2008-05-01', severity: 'error', appliesTo: 'all' } as const;

/** Context tags of GeneralName, RFC 5280 §4.2.1.6. */
export const generalNameTags = {
  otherName: 0xa0,
  rfc822Name: 0x81,
  dNSName: 0x82,
  x400Address: 0xa3,
  directoryName: 0xa4,
  ediPartyName: 0xa5,
  uniformResourceIdentifier: 0x86,
  iPAddress: 0x87,
  registeredID: 0x88,
} as const;

const knownTags: ReadonlySet<number> = new Set(Object.values(generalNameTags));

// RFC 1034 §3.5 with the leading digits of RFC 1123 §2.1; the underscore is the Baseline Requirements' matter, and the
// asterisk stands for a whole left-most label (RFC 9525 §6.3).
const dnsName =
  /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;

// RFC 5321 §4.1.2: Mailbox, with a quoted local part admitted.
const mailbox =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[ !#-[\]-~]|\\[ -~])*")@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Za-z.:-]+\])$/;

/** The first complaint of `judge` over the names of a kind. */
export function judgeNamesOfKind(
  { subjectAlternativeName }: LintSubject,
  tag: number,
  judge: (text: string, contents: Uint8Array) => string | undefined,
): string | undefined {
  if (subjectAlternativeName === undefined) return undefined;
  for (const name of subjectAlternativeName) {
    if (name.tag !== tag) continue;
    const complaint = judge(name.text, name.contents);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function judgeDnsName(text: string): string | undefined {
  if (text.length > 253) return `dNSName ${quote(text)} is longer than 253 octets`;
  return dnsName.test(text) ? undefined : `dNSName ${quote(text)} is not in the preferred name syntax`;
}

// RFC 3986 §3 and RFC 5280 §4.2.1.6: absolute, and with a host where there is an authority.
function judgeUri(text: string): string | undefined {
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:(.*)$/s.exec(text);
  if (scheme === null) return `URI ${quote(text)} is not absolute`;
  const rest = scheme[1] ?? '';
  if (rest === '') return `URI ${quote(text)} has no scheme-specific part`;
  if (/[^!-~]/.test(text) || /["<>\\^`{|}]/.test(text))
    return `URI ${quote(text)} holds a character that must be escaped`;
  if (!rest.startsWith('//')) return undefined;
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1] ?? '';
  const host = authority.replace(/^[^@]*@/, '').replace(/:[0-9]*$/, '');
  return host === '' ? `URI ${quote(text)} has no host` : undefined;
}

function judgeAscii({ subjectAlternativeName }: LintSubject): string | undefined {
  for (const { tag, contents, text } of subjectAlternativeName ?? []) {
    const isIa5 =
      tag === generalNameTags.dNSName ||
      tag === generalNameTags.rfc822Name ||
      tag === generalNameTags.uniformResourceIdentifier;
    if (!isIa5) continue;
    for (let i = 0; i < contents.length; i++) {
      const octet = contents[i] ?? 0;
      if (octet < 0x20 || octet > 0x7e) return `name ${quote(text)} holds octet ${octet.toString(16).padStart(2, '0')}`;
    }
  }
  return undefined;
}

/** Lints of RFC 5280 §4.2.1.6. */
export const subjectAlternativeNameLints: readonly Lint[] = [
  {
    ...rfc5280,
    id: 'rfc5280-subject-alternative-name-not-empty',
    citation: 'RFC 5280 §4.2.1.6 (SIZE (1..MAX))',
    description: 'A subject alternative name holds at least one name.',
    check: ({ subjectAlternativeName }) =>
      subjectAlternativeName?.length === 0 ? 'subjectAltName is empty' : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-empty-subject-has-critical-alternative-name',
    citation: 'RFC 5280 §4.1.2.6, §4.2.1.6',
    appliesTo: 'end-entity',
    description: 'With an empty subject, subjectAltName is present and critical.',
    check: (certificate) => {
      if (certificate.subject.attributes.length > 0) return undefined;
      const extension = certificate.extension(extensionIds.subjectAlternativeName);
      if (extension === undefined) return 'the subject is empty and there is no subjectAltName';
      return extension.isCritical ? undefined : 'the subject is empty and subjectAltName is not critical';
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-subject-alternative-name-not-critical',
    citation: 'RFC 5280 §4.2.1.6',
    severity: 'warning',
    description: 'Beside a subject, subjectAltName should not be critical.',
    check: (certificate) =>
      certificate.subject.attributes.length > 0 &&
      certificate.extension(extensionIds.subjectAlternativeName)?.isCritical === true
        ? 'subjectAltName is critical beside a subject'
        : undefined,
  },
  {
    ...rfc5280,
    id: 'rfc5280-general-name-kind',
    citation: 'RFC 5280 §4.2.1.6',
    description: 'Each alternative name is one of the kinds of GeneralName.',
    check: ({ subjectAlternativeName }) => {
      const unknown = subjectAlternativeName?.find(({ tag }) => !knownTags.has(tag));
      return unknown === undefined ? undefined : `a name has tag ${unknown.tag.toString(16)}`;
    },
  },
  {
    ...rfc5280,
    id: 'rfc5280-general-name-ascii',
    citation: 'RFC 5280 §4.2.1.6, §7.2 to §7.5',
    description: 'DNS names, mail addresses and URIs hold printable ASCII only; NUL is not printable.',
    check: judgeAscii,
  },
  {
    ...rfc5280,
    id: 'rfc5280-dns-name-syntax',
    citation: 'RFC 5280 §4.2.1.6 (RFC 1034 §3.5, RFC 1123 §2.1)',
    description: 'A dNSName is in the preferred name syntax, with labels of at most 63 and 253 octets in all.',
    check: (certificate) => judgeNamesOfKind(certificate, generalNameTags.dNSName, judgeDnsName),
  },
  {
    ...rfc5280,
    id: 'rfc5280-mail-address-syntax',
    citation: 'RFC 5280 §4.2.1.6 (RFC 5321 §4.1.2)',
    description: 'An rfc822Name is a mailbox without phrase, comment or angle brackets.',
    check: (certificate) =>
      judgeNamesOfKind(certificate, generalNameTags.rfc822Name, (text) =>
        text.length <= 254 && mailbox.test(text) ? undefined : `rfc822Name ${quote(text)} is not a mailbox`,
      ),
  },
  {
    ...rfc5280,
    id: 'rfc5280-uri-absolute',
    citation: 'RFC 5280 §4.2.1.6 (RFC 3986 §3)',
    description: 'A uniformResourceIdentifier is absolute, escaped, and has a host where it has an authority.',
    check: (certificate) => judgeNamesOfKind(certificate, generalNameTags.uniformResourceIdentifier, judgeUri),
  },
  {
    ...rfc5280,
    id: 'rfc5280-ip-address-length',
    citation: 'RFC 5280 §4.2.1.6',
    description: 'An iPAddress has 4 or 16 octets.',
    check: (certificate) =>
      judgeNamesOfKind(certificate, generalNameTags.iPAddress, (_, { length }) =>
        length === 4 || length === 16 ? undefined : `an iPAddress has ${length} octets`,
      ),
  },
];
