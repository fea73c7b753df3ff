/**
 * What must hold between the keys of a profile. Whatever could only fail at the first enrollment, or yield a
 * certificate that relying parties reject, is found here instead, with the key that has to be changed.
 */
import { nearest, suggestion } from '@gatehouse/runtime/configuration/nearest';
import type { z } from 'zod';
import { evidenceVerifiers } from '../evidence/verify-evidence.ts';
import { lintIds } from '../lint/lint.ts';
import { keyRules, purposeRules } from './key-consistency.ts';
import type { ProfileFile } from './schema.ts';
import { statusRules } from './status-consistency.ts';
import { nameRules, subjectRules } from './subject-consistency.ts';
import { validationRules } from './validation-consistency.ts';
import { validityRules } from './validity-consistency.ts';

/** One mistake: the key to look at and what is wrong with it. */
export type Inconsistency = { readonly path: readonly (string | number)[]; readonly message: string };

/** Looks at one aspect of a profile and yields what is wrong with it. */
export type ConsistencyRule = (profile: ProfileFile) => Iterable<Inconsistency>;

/** A misspelled exception would excuse nothing, and be noticed when a certificate is refused. */
function* exceptionsAreLints({ lints }: ProfileFile): Iterable<Inconsistency> {
  for (const [index, id] of lints.except.entries()) {
    if (lintIds.has(id)) continue;
    const match = nearest(id, [...lintIds]);
    yield {
      path: ['lints', 'except', index],
      message: match === undefined ? 'is not the id of a lint' : `is not the id of a lint; did you mean '${match}'?`,
    };
  }
}

/** Evidence that nobody can verify would refuse every enrollment. */
function* evidenceCanBeVerified({ evidence }: ProfileFile): Iterable<Inconsistency> {
  for (const [index, { type }] of evidence.entries()) {
    if (evidenceVerifiers.has(type)) continue;
    const message = `is not a type of evidence${suggestion(type, [...evidenceVerifiers.keys()])}`;
    yield { path: ['evidence', index, 'type'], message };
  }
}

const rules: readonly ConsistencyRule[] = [
  ...validityRules,
  ...subjectRules,
  ...nameRules,
  ...keyRules,
  ...purposeRules,
  ...statusRules,
  ...validationRules,
  exceptionsAreLints,
  evidenceCanBeVerified,
];

/** Everything that does not fit together, for zod's superRefine. */
export function checkConsistency(profile: ProfileFile, context: z.RefinementCtx<ProfileFile>): void {
  for (const rule of rules) {
    for (const { path, message } of rule(profile)) context.addIssue({ code: 'custom', path: [...path], message });
  }
}
