/** Rules for the subject and the subject alternative names of a profile. */
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import type { ConsistencyRule } from './consistency.ts';
import type { ProfileFile } from './schema.ts';
import { isPlaceholder, placeholdersIn } from './subject-template.ts';
import { repeatableAttributes } from './vocabulary.ts';

const hasCommonName = (profile: ProfileFile): boolean =>
  profile.subject.attributes.some((attribute) => attribute.type === attributeTypes.CN);

export const subjectRules: readonly ConsistencyRule[] = [
  function* presenceFitsRule({ subject }) {
    for (const [index, { presence }] of subject.attributes.entries()) {
      const path = ['subject', 'attributes', index, 'presence'];
      if (subject.rule === 'fixed' && presence !== 'fixed') {
        yield { path, message: 'must be fixed: the rule of the subject is fixed' };
      }
      if (subject.rule === 'from-request' && presence === 'template') {
        yield { path, message: 'template needs the rule template' };
      }
    }
    if (subject.rule !== 'from-request' && subject.attributes.length === 0) {
      yield { path: ['subject', 'attributes'], message: `must list the attributes: the rule is ${subject.rule}` };
    }
  },
  function* listedOnce({ subject }) {
    const first = new Map<string, string>();
    for (const [index, { type, presence }] of subject.attributes.entries()) {
      // Several fixed OUs or DCs make sense; anything else twice leaves open which of the two rules counts.
      const areFixed = presence === 'fixed' && (first.get(type) ?? 'fixed') === 'fixed';
      if (first.has(type) && !(areFixed && repeatableAttributes.has(type))) {
        yield { path: ['subject', 'attributes', index, 'type'], message: 'is listed twice' };
      }
      first.set(type, presence);
    }
  },
  function* countriesHaveTwoLetters({ subject }) {
    for (const [index, attribute] of subject.attributes.entries()) {
      const isCountry = attribute.type === attributeTypes.C || attribute.type === attributeTypes.jurisdictionC;
      if (isCountry && attribute.presence === 'fixed' && !/^[A-Z]{2}$/.test(attribute.value)) {
        yield {
          path: ['subject', 'attributes', index, 'value'],
          message: 'must be a country code of ISO 3166-1: two capitals',
        };
      }
    }
  },
  function* placeholdersAreKnown({ subject }) {
    for (const [index, attribute] of subject.attributes.entries()) {
      if (attribute.presence !== 'template') continue;
      const path = ['subject', 'attributes', index, 'value'];
      const placeholders = placeholdersIn(attribute.value);
      if (placeholders === undefined) {
        yield { path, message: 'has a brace without its partner' };
        continue;
      }
      if (placeholders.length === 0) yield { path, message: 'has no placeholder; presence fixed says the same' };
      for (const placeholder of placeholders.filter((name) => !isPlaceholder(name))) {
        yield { path, message: `{${placeholder}} is neither dns, ip, uri, email nor a subject attribute` };
      }
    }
  },
  function* authoritiesHaveSubjects({ subject, basicConstraints }) {
    // RFC 5280 §4.1.2.6: the subject of a CA is not empty.
    if (basicConstraints.isCa && subject.attributes.every((attribute) => attribute.presence === 'optional')) {
      yield {
        path: ['subject', 'attributes'],
        message: 'a CA needs a subject: make one attribute required, fixed or template',
      };
    }
  },
];

export const nameRules: readonly ConsistencyRule[] = [
  function* requiredIsAllowed({ names }) {
    for (const [index, kind] of names.required.entries()) {
      if (!names.allowed.includes(kind)) {
        yield { path: ['names', 'required', index], message: `${kind} is required but not allowed` };
      }
    }
    if (names.atLeastOne && names.allowed.length === 0) {
      yield { path: ['names', 'atLeastOne'], message: 'no kind of name is allowed' };
    }
    if (names.wildcards && !names.allowed.includes('dns')) {
      yield { path: ['names', 'wildcards'], message: 'DNS names are not allowed' };
    }
  },
  function* commonNameHasNames(profile) {
    const { names } = profile;
    const hasHosts = names.allowed.includes('dns') || names.allowed.includes('ip');
    for (const key of ['commonNameAmongNames', 'commonNameToName'] as const) {
      if (!names[key]) continue;
      if (!hasHosts) yield { path: ['names', key], message: 'needs dns or ip among the allowed names' };
    }
    // A common name may become a name and be dropped from the subject, but only among the names if it is there.
    if (names.commonNameAmongNames && !hasCommonName(profile)) {
      yield { path: ['names', 'commonNameAmongNames'], message: 'the subject has no CN' };
    }
  },
  function* somethingIsNamed({ subject, names }) {
    // RFC 5280 §4.1.2.6: a certificate without subject lives by its alternative names.
    const mayLackSubject = subject.attributes.every((attribute) => attribute.presence === 'optional');
    if (mayLackSubject && subject.attributes.length === 0 && names.allowed.length === 0) {
      yield { path: ['names', 'allowed'], message: 'neither subject nor names: the certificate would name nothing' };
    }
  },
];
