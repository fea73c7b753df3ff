/**
 * Perspectives for test suites of ACME clients: one that pauses before it looks, and one that finds everything without
 * looking. No gate has them unless this program passes them in, and no keep believes what they sign.
 */
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AcmeSeams } from '@gatehouse/gateway-acme/main';
import {
  createPerspective,
  type LocalPerspective,
  type PerspectiveOptions,
} from '@gatehouse/gateway-perspective/perspective';
import { signStatement } from '@gatehouse/gateway-perspective/statement';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { validationMethods } from '@gatehouse/ra-client/perspective-statement';
import type { PebbleBehaviour } from './configuration.ts';

/** How long a look may take after the pause. */
const lookMs = 20_000;

/** What {@link choosePrimary} takes. */
export type PrimaryOptions = Pick<PebbleBehaviour, 'isAlwaysValid' | 'sleepMs'> & {
  /** Whether the resolver knows names below localhost too: that of a suite has records for them. */
  readonly asksForLocalhost: boolean;
};

/** The perspective that a gate gets. */
export function choosePrimary({
  isAlwaysValid,
  sleepMs,
  asksForLocalhost,
}: PrimaryOptions): NonNullable<AcmeSeams['createPrimary']> {
  return (options) => {
    const looking = isAlwaysValid
      ? createBlindPerspective(options)
      : createPerspective({ ...options, asksForLocalhost });
    return sleepMs === 0 ? looking : pausing(looking, sleepMs);
  };
}

/** Clients must not count on being validated at once. */
function pausing(perspective: LocalPerspective, longestMs: number): LocalPerspective {
  return {
    ...perspective,
    checkDomainControl: async (request) => {
      await pause(Math.random() * longestMs);
      return await perspective.checkDomainControl(request, new Date(Date.now() + lookMs));
    },
  };
}

/** Says that everything is as it should be. */
function createBlindPerspective({ holder, clock }: PerspectiveOptions): LocalPerspective {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { thumbprint: keyId } = jwkOfKey(key);
  const refuse = () => Promise.reject(new CoreError('unavailable', 'this perspective only says that all is well'));
  return {
    checkDomainControl: async ({ attempt, identifier, method, token, thumbprints, accountUri }) => {
      const known = validationMethods.find((one) => one === method);
      if (attempt === undefined || identifier === undefined || known === undefined) return await refuse();
      const now = clock.now().toISOString();
      return signStatement(
        {
          v: 1,
          attempt: attempt.id,
          order: attempt.order,
          authorization: attempt.authorization,
          perspectives: [...attempt.perspectives],
          check: 'dcv',
          identifier: { type: identifier.type === 'ip' ? 'ip' : 'dns', value: identifier.value },
          isWildcard: identifier.isWildcard,
          method: known,
          account: accountUri,
          thumbprint: thumbprints[0] ?? keyId,
          ...(token === '' ? {} : { token }),
          result: 'pass',
          dns: [],
          started: now,
          finished: now,
        },
        { holder: holder.uri, site: '', rir: '', build: 'pebble', keyId, key },
      );
    },
    checkCaa: refuse,
    describe: refuse,
    problems: () => [],
    close: () => Promise.resolve(),
  };
}
