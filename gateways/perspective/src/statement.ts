// What a perspective signs: what it saw, as canonical JSON (RFC 8785) in a compact JWS (RFC 7515 §7.1) with ES256 and a type
// of its own, and the proof by which its key is registered. Nothing else is ever signed with that key.

import type { KeyObject } from 'node:crypto';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import {
  maximumStatementOctets,
  type StatementPayload,
  signingKeyProofType,
  statementPayloadSchema,
  statementType,
} from '@gatehouse/ra-client/perspective-statement';
import type { Finding } from './finding.ts';

/** Who signs. */
export type StatementMaker = {
  /** URI of the holder of the key. */
  readonly holder: string;
  /** Labels as registered; empty in a gate. */
  readonly site: string;
  readonly rir: string;
  readonly build: string;
  /** RFC 7638 thumbprint of the key. */
  readonly keyId: string;
  /** P-256. */
  readonly key: KeyObject;
};

/**
 * Signs a finding, a failure like a success.
 *
 * @throws {Error} when the finding has another form than the contract says, or is too large: the keep would not believe it
 */
export function signStatement(finding: Finding, maker: StatementMaker): string {
  const { holder, site, rir, build, keyId, key } = maker;
  const payload: StatementPayload = statementPayloadSchema.parse({ ...finding, perspective: holder, site, rir, build });
  const jws = signCompactJws({
    header: { typ: statementType, kid: keyId },
    payload: Buffer.from(canonicalJson(payload)),
    key,
  });
  if (jws.length <= maximumStatementOctets) return jws;
  throw new Error(`a statement would have ${jws.length} octets`);
}

/** The proof that the holder has the key. */
export function signKeyProof(holder: string, key: KeyObject, now: Date): string {
  return signCompactJws({
    header: { typ: signingKeyProofType, jwk: jwkOfKey(key).jwk },
    payload: Buffer.from(canonicalJson({ holder, issuedAt: now.toISOString() })),
    key,
  });
}
