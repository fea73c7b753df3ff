// The one list of lints, in the order in which findings are told: RFC 5280 field by field, then the CA/Browser Forum's
// Baseline Requirements. Tables only.
import type { Lint } from './lint.ts';
import { baselineExtensionLints } from './lints/baseline-extensions.ts';
import { baselineKeyLints } from './lints/baseline-keys.ts';
import { baselineNameLints } from './lints/baseline-names.ts';
import { certificateFieldLints } from './lints/certificate-fields.ts';
import { constraintLints } from './lints/constraints.ts';
import { distinguishedNameLints } from './lints/distinguished-names.ts';
import { extensionLints } from './lints/extensions.ts';
import { keyLints } from './lints/keys.ts';
import { locationLints } from './lints/locations.ts';
import { revocationLints } from './lints/revocation.ts';
import { subjectAlternativeNameLints } from './lints/subject-alternative-names.ts';

/** All lints. */
export const allLints: readonly Lint[] = [
  ...certificateFieldLints,
  ...keyLints,
  ...distinguishedNameLints,
  ...extensionLints,
  ...constraintLints,
  ...subjectAlternativeNameLints,
  ...locationLints,
  ...revocationLints,
  ...baselineKeyLints,
  ...baselineNameLints,
  ...baselineExtensionLints,
];
