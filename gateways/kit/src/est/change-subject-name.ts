// The attribute ChangeSubjectName of a CSR (RFC 6402 §2.8, RFC 7030 §4.2.2): the names that the client wants in its next
// certificate, while the CSR itself still carries those of the one being renewed.

import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { DerCursor, DerError, tags } from '@gatehouse/pkix/der/reader';
import { type GeneralName, readGeneralNames } from '@gatehouse/pkix/general-names';
import { type Name, NameError, readName } from '@gatehouse/pkix/names';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import { EstError } from './error.ts';

/** New names; what is undefined stays as it is. */
export type ChangeSubjectName = {
  readonly subject: Name | undefined;
  readonly names: readonly GeneralName[] | undefined;
};

/**
 * The attribute, or undefined when the CSR has none.
 *
 * @throws {EstError} `malformed`
 */
export function readChangeSubjectName(
  request: Pick<CertificationRequest, 'attributes'>,
): ChangeSubjectName | undefined {
  const attribute = request.attributes.find(({ type }) => type === cmcControls.changeSubjectName);
  if (attribute === undefined) return undefined;
  const [value] = attribute.values;
  if (value === undefined || attribute.values.length !== 1) {
    throw new EstError('malformed', 'changeSubjectName: not exactly one value');
  }
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof DerError || error instanceof NameError)) throw error;
    throw new EstError('malformed', `changeSubjectName: ${error.detail}`, { cause: error });
  }
}

// ChangeSubjectName ::= SEQUENCE { subject Name OPTIONAL, subjectAlt GeneralNames OPTIONAL }, one of them present. Both are
// SEQUENCE OF; what stands inside tells which: SETs make a Name, context tags make GeneralNames.
function read(value: Uint8Array): ChangeSubjectName {
  const outer = new DerCursor(value);
  const fields = outer.enter(tags.sequence);
  outer.expectEnd();
  let subject: Name | undefined;
  let names: readonly GeneralName[] | undefined;
  while (!fields.isAtEnd) {
    const field = fields.read(tags.sequence);
    const isName = field.contents.length === 0 || field.contents[0] === tags.set;
    if (isName && subject === undefined && names === undefined) subject = readName(field);
    else if (!isName && names === undefined) names = readGeneralNames(field.raw);
    else throw new DerError('a field occurs twice or in the wrong place');
  }
  if (subject === undefined && names === undefined) throw new DerError('it changes nothing');
  return { subject, names };
}
