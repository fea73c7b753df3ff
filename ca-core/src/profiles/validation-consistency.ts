/** Rules for profiles whose names are validated by perspectives: nothing may reach a certificate past the validation. */

import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { publicBr } from '../evidence/policies/public-br.ts';
import type { ConsistencyRule } from './consistency.ts';

const identifierKinds: ReadonlySet<string> = new Set(['dns', 'ip']);

export const validationRules: readonly ConsistencyRule[] = [
  function* namesCanBeValidated({ validation, names, subject }) {
    if (validation === undefined) return;
    for (const [index, kind] of names.allowed.entries()) {
      // RFC 8555 §9.7.7, RFC 8738: there are methods for DNS names and addresses.
      if (!identifierKinds.has(kind)) {
        yield {
          path: ['names', 'allowed', index],
          message: `${kind} cannot be validated; leave it out, or validation`,
        };
      }
    }
    if (!names.atLeastOne && names.required.length === 0) {
      yield {
        path: ['names', 'atLeastOne'],
        message: 'must be true: a certificate without names would not be validated',
      };
    }
    const hasCommonName = subject.attributes.some(({ type }) => type === attributeTypes.CN);
    if (hasCommonName && !names.commonNameAmongNames) {
      yield { path: ['names', 'commonNameAmongNames'], message: 'must be true: a common name is validated as a name' };
    }
  },
  function* keyIsProven({ validation, acceptsStatedPossession, basicConstraints }) {
    if (validation === undefined) return;
    if (acceptsStatedPossession) {
      yield { path: ['acceptsStatedPossession'], message: 'must be false: the account holder signs a whole request' };
    }
    if (basicConstraints.isCa) {
      yield { path: ['validation'], message: 'is not for a CA, which would speak for names that nobody validated' };
    }
  },
  function* publicRulesAreEnforced({ validation }) {
    if (validation?.policy === publicBr.name && validation.mode !== 'enforce') {
      yield {
        path: ['validation', 'mode'],
        message: `must be enforce: ${publicBr.name} is enforced or not used (BR §3.2.2.9)`,
      };
    }
  },
  function* credentialsAreNotValidated({ validation, authority }) {
    if (validation !== undefined && authority === 'service') {
      yield { path: ['validation'], message: 'is not for credentials of the bridge' };
    }
  },
];
