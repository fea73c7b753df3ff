/**
 * Reads one profile file. What comes out is a profile that the pipeline can use as it is; what does not come out is
 * explained key by key with lines and columns.
 */
import { parseYamlWithSchema, type YamlProblem } from '@gatehouse/runtime/configuration';
import { checkConsistency } from './consistency.ts';
import type { Profile, ValidationRule } from './profile.ts';
import { type ProfileFile, profileFileSchema } from './schema.ts';

/** A profile, or everything that is wrong with its file. */
export type ProfileValidation =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly problems: readonly YamlProblem[]; readonly message: string };

export type ProfileOrigin = 'builtin' | 'operator';

const builtinSchema = profileFileSchema.superRefine(checkConsistency).transform(toProfile);

const operatorSchema = profileFileSchema
  .superRefine(checkConsistency)
  .superRefine(({ authority }, context) => {
    // Who holds a certificate of the service authority is somebody on the bridge; only Gatehouse itself makes those.
    if (authority === 'service') {
      context.addIssue({
        code: 'custom',
        path: ['authority'],
        message: 'must be issuing: service is for Gatehouse itself',
      });
    }
  })
  .transform(toProfile);

/**
 * Judges the text of a profile file.
 *
 * @param fileName for messages only
 * @param origin who wrote it; only built-in profiles may have the service authority sign
 */
export function validateProfile(text: string, fileName: string, origin: ProfileOrigin = 'operator'): ProfileValidation {
  const result = parseYamlWithSchema(text, origin === 'builtin' ? builtinSchema : operatorSchema, fileName);
  return result.ok ? { ok: true, profile: result.value } : result;
}

function toProfile(file: ProfileFile): Profile {
  const { validity, basicConstraints, evidence, validation, ...rest } = file;
  const maximumMs = validity.fixed ?? validity.maximum ?? 0;
  return {
    ...rest,
    validity: {
      defaultMs: validity.fixed ?? validity.default ?? 0,
      maximumMs,
      backdateMs: validity.backdate,
      isFixed: validity.fixed !== undefined,
    },
    basicConstraints: {
      isCa: basicConstraints.isCa,
      ...(basicConstraints.pathLength === undefined ? {} : { pathLength: basicConstraints.pathLength }),
    },
    evidence: evidence.map(({ type, anchorsFile }) => (anchorsFile === undefined ? { type } : { type, anchorsFile })),
    ...(validation === undefined ? {} : { validation: toValidationRule(validation) }),
  };
}

function toValidationRule(rule: NonNullable<ProfileFile['validation']>): ValidationRule {
  const { policy, mode, methods, reuse, dnsPersist } = rule;
  return { policy, mode, methods, reuseMs: reuse, dnsPersist };
}
