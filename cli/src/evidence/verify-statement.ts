/**
 * Verifies one statement of a perspective anew (RFC 7515 §5.2), with nothing but the key that the core names for it. It shares
 * no code with what judged the statement in the core: whoever doubts one may look at the other.
 */
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { parseJson } from '@gatehouse/pkix/jose/json';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import type { Jws } from '@gatehouse/pkix/jose/jws';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import {
  maximumStatementOctets,
  type StatementPayload,
  statementPayloadSchema,
  statementType,
} from '@gatehouse/proto/perspective-statement';
import type { SigningKey } from '@gatehouse/ra-client/administration';

/** What became of a statement. */
export type StatementFinding = {
  /** Compact JWS. */
  readonly jws: string;
  /** What it says; undefined when it cannot be read. */
  readonly payload: StatementPayload | undefined;
  /** Why it does not verify; undefined when it does. */
  readonly fault: string | undefined;
  /** Set when its key was revoked, perhaps after the certificate was issued. */
  readonly keyRevokedAt: Date | undefined;
};

/** Clocks of perspectives and of the CA may differ by this. */
const clockSkewMs = 60_000;

/** Verifies a statement. Never throws for what is in it. */
export function verifyStatement(octets: Uint8Array, keys: readonly SigningKey[]): StatementFinding {
  const text = Buffer.from(octets).toString('latin1');
  const finding = { jws: text, payload: undefined, keyRevokedAt: undefined };
  try {
    const jws = readCompactJws(text, { maximumOctets: maximumStatementOctets });
    const payload = readPayload(jws);
    const { kid, typ } = jws.protectedHeader;
    if (payload === undefined) return { ...finding, fault: 'it does not have the form of a statement' };
    if (typ !== statementType) return { ...finding, payload, fault: `it is not of type ${statementType}` };
    const key = keys.find(({ keyId }) => keyId === kid);
    const fault = key === undefined ? 'its key is not among the keys' : faultOf(jws, payload, key);
    return { jws: text, payload, fault, keyRevokedAt: key?.revokedAt };
  } catch (error) {
    if (error instanceof JoseError) return { ...finding, fault: error.detail };
    throw error;
  }
}

function readPayload({ payload }: Jws): StatementPayload | undefined {
  const { success, data } = statementPayloadSchema.safeParse(parseJson(payload));
  // RFC 8785: one text for one meaning.
  return success && canonicalJson(data) === Buffer.from(payload).toString('utf8') ? data : undefined;
}

function faultOf(jws: Jws, payload: StatementPayload, key: SigningKey): string | undefined {
  if (key.holder !== payload.perspective) return `its key is of ${key.holder}`;
  const finishedAt = Date.parse(payload.finished);
  if (key.activeFrom !== undefined && key.activeFrom.getTime() > finishedAt + clockSkewMs) {
    return 'its key was not active yet';
  }
  if (key.retiredAt !== undefined && key.retiredAt.getTime() < finishedAt) return 'its key was retired before';
  const publicJwk = jwkOfKey(key.subjectPublicKeyInfo);
  // RFC 7638: the name of a key is made of the key, so one key cannot pass by the name of another.
  if (publicJwk.thumbprint !== key.keyId) return 'its key is not the one of that name';
  const { signingInput, signature } = jws;
  return verifyJws({ alg: 'ES256', key: publicJwk, signingInput, signature })
    ? undefined
    : 'its signature does not verify';
}
