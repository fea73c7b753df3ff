/** A join token as an operator asks for it: for one RA or perspective, for an hour unless told. */
import { CoreError } from '@gatehouse/proto/core-error';
import { type Duration, durationToMs } from '@gatehouse/proto/duration';
import { credentialIssuer, type Keep } from '../keep.ts';
import { makeJoinToken, type NewJoinToken } from '../registry/join-token.ts';
import type { JoinTokenKind } from '../store/join-tokens.ts';

const defaultLifeMs = 3_600_000;
const longestLifeMs = 7 * 24 * 3_600_000;

/** Makes a token; commit its set before showing it. Throws CoreError `malformed` for a life that is none. */
export function newJoinToken(
  keep: Keep,
  actor: string,
  holder: { readonly kind: JoinTokenKind; readonly name: string },
  life: Duration | undefined,
): NewJoinToken {
  const lifeMs = life === undefined ? defaultLifeMs : durationToMs(life);
  if (!(lifeMs > 0 && lifeMs <= longestLifeMs)) {
    throw new CoreError('malformed', 'a join token may live up to 7 days');
  }
  return makeJoinToken(credentialIssuer(keep), { ...holder, lifeMs, coreAddresses: keep.addresses, actor });
}
