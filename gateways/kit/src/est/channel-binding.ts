// Links the request to the connection it came over, RFC 7030 §3.5: the challengePassword of a CSR holds tls-unique
// (RFC 5929, TLS 1.2 and DTLS 1.2 alone; RFC 9148 §3) or tls-exporter (RFC 9266), base64. Judged when the label demands it and whenever it is
// present; a binding that cannot be checked is never taken as good.

import { timingSafeEqual } from 'node:crypto';
import type { PeerFacts } from '../peer.ts';
import { EstError } from './error.ts';

/**
 * Whether a binding is wanted. `none`: challengePassword is not looked at, for clients that put something else
 * into it; `optional`: checked when present; `required`: demanded and checked.
 */
export type ChannelBindingPolicy = 'none' | 'optional' | 'required';

/** What a label says of channel binding. */
export type ChannelBindingRules = {
  readonly policy: ChannelBindingPolicy;
  /** RFC 9266 §4.2 also defines tls-exporter for (D)TLS 1.2 with the extended master secret; accepted where a label says so. */
  readonly acceptsExporterOnTls12: boolean;
};

/**
 * Judges the challengePassword of a CSR against its connection.
 *
 * @returns whether it links them; false where nothing was looked at
 * @throws {EstError} `not-allowed` when it is missing although demanded, does not match, or cannot be checked here
 */
export function checkChannelBinding(
  { policy, acceptsExporterOnTls12 }: ChannelBindingRules,
  challengePassword: string | undefined,
  peer: PeerFacts,
): boolean {
  if (policy === 'none') return false;
  if (challengePassword === undefined) {
    if (policy === 'optional') return false;
    throw new EstError(
      'not-allowed',
      'channel binding is required: put tls-unique or tls-exporter into challengePassword',
    );
  }
  // Behind a proxy the connection is the proxy's: the value would bind the wrong two parties.
  if (peer.proxyAddress !== undefined) {
    throw new EstError('not-allowed', 'channel binding cannot be checked behind a proxy');
  }
  const mayExport = peer.tlsVersion === 'TLSv1.3' || acceptsExporterOnTls12;
  const candidates = [peer.channelBinding.tlsUnique, mayExport ? peer.channelBinding.exporter() : undefined].filter(
    (value) => value !== undefined,
  );
  if (candidates.length === 0) throw new EstError('not-allowed', 'this connection has no channel binding');
  if (!candidates.some((candidate) => isEncodingOf(challengePassword, candidate))) {
    throw new EstError('not-allowed', 'the channel binding in challengePassword is not that of this connection');
  }
  return true;
}

function isEncodingOf(text: string, value: Uint8Array): boolean {
  if (value.length === 0) return false;
  const expected = Buffer.from(Buffer.from(value).toString('base64'));
  const given = Buffer.from(text.trim());
  return given.length === expected.length && timingSafeEqual(given, expected);
}
