/**
 * Makes the subject of a certificate by the rule of its profile. Every value is written in the string type of its
 * attribute (RFC 5280 §4.1.2.4), whatever type the request had chosen.
 */
import { shorten } from '@gatehouse/pkix/general-name-syntax';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import {
  type AttributeTypeAndValue,
  areNamesEqual,
  attribute,
  attributeValues,
  type Name,
  NameError,
} from '@gatehouse/pkix/names';
import { CoreError } from '@gatehouse/proto/core-error';
import type { AttributeRule, Profile } from '../profiles/profile.ts';
import { fillTemplate } from '../profiles/subject-template.ts';
import { attributeShortName, repeatableAttributes } from '../profiles/vocabulary.ts';

/** The subject, and the types of attributes whose values the profile dictated. */
export type ShapedSubject = { readonly subject: Name; readonly dictatedAttributes: ReadonlySet<string> };

/** Shapes the subject. Throws CoreError `rejected-name` that names the offending attribute. */
export function shapeSubject(profile: Profile, requested: Name, names: readonly GeneralName[]): ShapedSubject {
  const { subject: rule } = profile;
  refuseRepeated(profile, requested);
  refuseUnlisted(profile, requested);
  refuseMissing(profile, requested);
  const subject =
    rule.rule === 'from-request' ? keepRequested(profile, requested) : fillRules(profile, requested, names);
  const dictated = rule.attributes.filter(({ presence }) => presence === 'fixed');
  return { subject, dictatedAttributes: new Set(dictated.map(({ type }) => type)) };
}

/** X.520 allows it, relying parties read one of them, and not all the same one. What is dropped does no harm. */
function refuseRepeated({ subject }: Profile, requested: Name): void {
  const seen = new Set<string>();
  for (const { type } of requested.flat()) {
    const isUsed = subject.others === 'refuse' || subject.attributes.some((rule) => rule.type === type);
    if (isUsed && seen.has(type) && !repeatableAttributes.has(type)) {
      throw new CoreError('rejected-name', `the subject has more than one ${attributeShortName(type)}`);
    }
    seen.add(type);
  }
}

function refuseUnlisted({ name, subject }: Profile, requested: Name): void {
  if (subject.others === 'drop') return;
  for (const { type, value } of requested.flat()) {
    const rule = subject.attributes.find((candidate) => candidate.type === type);
    if (rule === undefined) {
      if (isTemplateInput(subject.attributes, type)) continue;
      throw new CoreError('rejected-name', `profile ${name} does not allow ${attributeShortName(type)} in the subject`);
    }
    if (rule.presence === 'fixed' && !mayHaveValue(subject.attributes, type, value)) {
      throw new CoreError('rejected-name', `profile ${name} demands ${attributeShortName(type)}='${rule.value}'`);
    }
  }
}

/** Whether a template is filled from a requested attribute that does not itself get into the certificate. */
function isTemplateInput(rules: readonly AttributeRule[], type: string): boolean {
  const placeholder = `{${attributeShortName(type)}}`;
  return rules.some((rule) => rule.presence === 'template' && rule.value.includes(placeholder));
}

/** Whether one of the fixed values of a type (there may be several OUs) is the requested one, RFC 5280 §7.1. */
function mayHaveValue(rules: readonly AttributeRule[], type: string, value: string): boolean {
  return rules.some(
    (rule) =>
      rule.type === type &&
      rule.presence === 'fixed' &&
      areNamesEqual([[{ type, value, tag: 0 }]], [[{ type, value: rule.value, tag: 0 }]]),
  );
}

function refuseMissing({ name, subject }: Profile, requested: Name): void {
  for (const { type, presence } of subject.attributes) {
    if (presence === 'required' && attributeValues(requested, type).length === 0) {
      throw new CoreError('rejected-name', `profile ${name} demands ${attributeShortName(type)} in the subject`);
    }
  }
}

/** The dictated values, then what was requested, in its order. */
function keepRequested({ subject: { attributes } }: Profile, requested: Name): Name {
  const rules = new Map(attributes.map((rule) => [rule.type, rule]));
  const isTaken = (type: string): boolean => rules.has(type) && rules.get(type)?.presence !== 'fixed';
  const kept = requested
    .map((relativeName) =>
      relativeName.filter(({ type }) => isTaken(type)).map(({ type, value }) => write(type, value)),
    )
    .filter((relativeName) => relativeName.length > 0);
  const dictated = attributes.flatMap((rule) => (rule.presence === 'fixed' ? [[write(rule.type, rule.value)]] : []));
  return [...dictated, ...kept];
}

/** The profile's attributes in the profile's order, each in an RDN of its own. */
function fillRules(profile: Profile, requested: Name, names: readonly GeneralName[]): Name {
  return profile.subject.attributes.flatMap((rule): Name => {
    switch (rule.presence) {
      case 'fixed':
        return [[write(rule.type, rule.value)]];
      case 'required':
      case 'optional':
        return attributeValues(requested, rule.type).map((value) => [write(rule.type, value)]);
      case 'template':
        return [[write(rule.type, fill(profile, rule, requested, names))]];
      default:
        return rule satisfies never;
    }
  });
}

function fill(
  profile: Profile,
  rule: Extract<AttributeRule, { readonly presence: 'template' }>,
  requested: Name,
  names: readonly GeneralName[],
): string {
  const filled = fillTemplate(rule.value, {
    firstName: (kind) => names.flatMap((name) => (name.kind === kind ? [name.value] : []))[0],
    attribute: (type) => attributeValues(requested, type)[0],
  });
  if (filled.ok) return filled.value;
  throw new CoreError(
    'rejected-name',
    `profile ${profile.name} makes ${attributeShortName(rule.type)} from {${filled.missing}}, which the request does not have`,
  );
}

function write(type: string, value: string): AttributeTypeAndValue {
  try {
    return attribute(type, value);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    const detail = `${attributeShortName(type)}: '${shorten(value)}' has characters that no ${attributeShortName(type)} has`;
    throw new CoreError('rejected-name', detail, { cause: error });
  }
}
