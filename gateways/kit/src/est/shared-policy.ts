// One policy for all doors: a gate that enrols by EST over another transport reads labels, trust anchors, rights, keys and
// windows where the section `est` has them, unless its own section says otherwise key by key. What else stands in `est` is
// the EST gate's affair, and is passed over.

import { loadSharedConfiguration } from '@gatehouse/runtime/configuration';
import { z } from 'zod';
import { checkEstPolicy, type EstPolicy, estPolicyShape } from './configuration.ts';

/** What {@link loadSharedEstPolicy} takes. */
export type SharedEstPolicyOptions = {
  /** The gate's own section; a key of the policy that stands there takes the place of that in `est`. */
  readonly section: string;
  /** Path of gatehouse.yaml. */
  readonly file: string;
  /** `--set` arguments, of all sections. */
  readonly set?: readonly string[] | undefined;
  /** Variables; the process's own unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
};

const policySchema = z.strictObject(estPolicyShape).superRefine((policy, context) => {
  checkEstPolicy(policy, (path, message) => context.addIssue({ code: 'custom', path, message }));
});

/**
 * Reads the policy.
 *
 * @example const policy = loadSharedEstPolicy({ section: 'coap', file, set });
 * @throws {ConfigurationError} with all problems at once, each with its line in the section that has the key
 */
export function loadSharedEstPolicy({ section, ...rest }: SharedEstPolicyOptions): EstPolicy {
  return loadSharedConfiguration({ ...rest, schema: policySchema, sections: [section, 'est'] });
}
