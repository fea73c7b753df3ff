/** Rules for the validity of a profile: one way of saying it, and nothing that no certificate could have. */
import type { ConsistencyRule } from './consistency.ts';

const secondMs = 1000;
/** Longer than any root: whatever is above is a slip of the pen. */
const maximumValidityMs = 100 * 365 * 86_400_000;

export const validityRules: readonly ConsistencyRule[] = [
  function* saidInOneWay({ validity }) {
    if (validity.fixed !== undefined) {
      for (const key of ['default', 'maximum'] as const) {
        if (validity[key] !== undefined)
          yield { path: ['validity', key], message: 'stands beside fixed; give one or the other' };
      }
      return;
    }
    for (const key of ['default', 'maximum'] as const) {
      if (validity[key] === undefined) yield { path: ['validity', key], message: 'is required unless fixed is given' };
    }
  },
  function* inOrder({ validity }) {
    const { default: byDefault, maximum } = validity;
    if (byDefault !== undefined && maximum !== undefined && byDefault > maximum) {
      yield { path: ['validity', 'default'], message: 'is longer than the maximum' };
    }
  },
  function* possible({ validity }) {
    for (const key of ['default', 'maximum', 'fixed'] as const) {
      const duration = validity[key];
      if (duration === undefined) continue;
      // RFC 5280 §4.1.2.5: times of a certificate have no fractions of a second.
      if (duration < secondMs || duration % secondMs !== 0) {
        yield { path: ['validity', key], message: 'must be one or more whole seconds' };
      }
      if (duration > maximumValidityMs) yield { path: ['validity', key], message: 'must be at most 100y' };
    }
    const shortest = validity.fixed ?? validity.default;
    if (shortest !== undefined && validity.backdate >= shortest) {
      yield { path: ['validity', 'backdate'], message: 'must be shorter than the validity: it counts within it' };
    }
  },
];
