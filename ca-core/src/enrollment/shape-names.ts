/**
 * Decides which names a certificate will hold: what was asked for and what the RA assigned, as far as the profile lets
 * it through, in the encodings of RFC 5280. Whether this RA may have them certified is judged afterwards (name-scope.ts);
 * nothing that is refused here is ever repaired into something else.
 */
import { formatGeneralName, type GeneralName, maximumGeneralNames } from '@gatehouse/pkix/general-names';
import { checkUpperBounds, type Name, NameError, parseName } from '@gatehouse/pkix/names';
import type { NameAssignment } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Profile } from '../profiles/profile.ts';
import { checkAlternativeNames } from './alternative-names.ts';
import { hostOfCommonName, placeCommonName } from './common-name.ts';
import { readGeneralNameMessage } from './general-name-message.ts';
import { shapeSubject } from './shape-subject.ts';

/** Names as a request has them. */
export type RequestedNames = { readonly subject: Name; readonly names: readonly GeneralName[] };

/** Names as the certificate will have them. */
export type ShapedNames = {
  readonly subject: Name;
  /** DNS names in lower case. */
  readonly names: readonly GeneralName[];
  /** Types (dotted) of subject attributes whose values the profile dictates: nobody asked for them. */
  readonly dictatedAttributes: ReadonlySet<string>;
};

/**
 * Shapes the names of a certificate.
 *
 * @param assignment names that the RA adds, or gives instead of the requested ones
 * @throws {CoreError} `rejected-name` that names the offender, with one entry per refused alternative name;
 *   `malformed` when the RA's assignment cannot be read
 */
export function shapeNames(profile: Profile, requested: RequestedNames, assignment?: NameAssignment): ShapedNames {
  const requestedSubject = assignment?.subject === undefined ? requested.subject : parseAssigned(assignment.subject);
  const asked = distinct([
    ...(assignment?.replacesRequested === true ? [] : requested.names),
    ...(assignment?.subjectAlternativeNames ?? []).map(readGeneralNameMessage),
  ]);
  const named = asked.length > 0 ? asked : namesFromCommonName(profile, requestedSubject);
  checkAlternativeNames(profile, named);

  const shaped = shapeSubject(profile, requestedSubject, named);
  const subject = profile.names.commonNameAmongNames ? placeCommonName(shaped.subject, named) : shaped.subject;
  refuseUnboundedValues(subject);
  // RFC 5280 §4.1.2.6: a certificate without subject lives by its alternative names.
  if (subject.length === 0 && named.length === 0) {
    throw new CoreError('rejected-name', 'the request names nothing: neither subject nor alternative names remain');
  }
  return { subject, names: named, dictatedAttributes: shaped.dictatedAttributes };
}

function parseAssigned(text: string): Name {
  try {
    return parseName(text);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new CoreError('malformed', `the subject that the RA assigned cannot be read: ${error.detail}`, {
      cause: error,
    });
  }
}

/** In the order of the request, each once; DNS names in lower case, which is what they are compared in (RFC 4343). */
function distinct(names: readonly GeneralName[]): readonly GeneralName[] {
  if (names.length > maximumGeneralNames) {
    throw new CoreError('rejected-name', `${names.length} names where ${maximumGeneralNames} are allowed`);
  }
  const byText = new Map<string, GeneralName>();
  for (const name of names) {
    const plain: GeneralName = name.kind === 'dns' ? { kind: 'dns', value: name.value.toLowerCase() } : name;
    const text = formatGeneralName(plain);
    if (!byText.has(text)) byText.set(text, plain);
  }
  return [...byText.values()];
}

function namesFromCommonName(profile: Profile, subject: Name): readonly GeneralName[] {
  if (!profile.names.commonNameToName) return [];
  const host = hostOfCommonName(subject);
  return host !== undefined && profile.names.allowed.includes(host.kind) ? [host] : [];
}

/** RFC 5280 appendix A bounds the length of each attribute; a longer one is not cut. */
function refuseUnboundedValues(subject: Name): void {
  try {
    checkUpperBounds(subject);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new CoreError('rejected-name', error.detail, { cause: error });
  }
}
