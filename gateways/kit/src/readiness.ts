// What must hold before a gate gets traffic, each with one sentence for the operator. It looks and tells; it mends nothing.

import type { CoreClient } from '@gatehouse/ra-client/client';
import type { Credential } from '@gatehouse/ra-client/credential';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { ServerIdentity } from './server-identity.ts';

/** Whether a core can be reached. */
export function describeCore(core: CoreClient): readonly ReadinessProblem[] {
  const { isReachable, endpoints } = core.health();
  if (isReachable) return [];
  const failures = endpoints.map(({ address, state, lastFailure }) => `${address}: ${lastFailure ?? state}`);
  return [{ check: 'core', detail: `no CA core can be reached (${failures.join('; ')})` }];
}

/**
 * Refuses to start with a credential that no core would accept now.
 *
 * @param file for the message
 * @throws {FatalError} with both times
 */
export function refuseEndedCredential({ notBefore, notAfter, party }: Credential, file: string, now: Date): void {
  const facts = `the credential of ${party.uri} in ${file}`;
  if (now >= notAfter) {
    throw new FatalError(`${facts} ended at ${notAfter.toISOString()}; it is now ${now.toISOString()}`, {
      hint: `ask the operator for a join token and run 'gatehouse ${party.kind} join --token …'`,
    });
  }
  if (now < notBefore) {
    throw new FatalError(`${facts} begins at ${notBefore.toISOString()}, but it is now ${now.toISOString()}`, {
      hint: 'set the clock of this machine',
    });
  }
}

/** Whether the RA, or the perspective, still has a credential. */
export function describeCredential({ notAfter, party }: Credential, now: Date): readonly ReadinessProblem[] {
  if (now < notAfter) return [];
  return [
    {
      check: 'credential',
      detail: `the credential of ${party.uri} ended at ${notAfter.toISOString()}; it must join again`,
    },
  ];
}

/** Whether the server certificate can be shown. */
export function describeIdentity(identity: ServerIdentity, clock: Clock): readonly ReadinessProblem[] {
  if (identity.notAfter > clock.now()) return [];
  return [
    { check: 'server-certificate', detail: `the server certificate ended at ${identity.notAfter.toISOString()}` },
  ];
}
