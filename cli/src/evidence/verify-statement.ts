/** Verifies one statement of a perspective anew, with nothing but the key that the export names (RFC 7515 §5.2). */
import { readStatement, type Statement } from '@gatehouse/ca-core/evidence/statement';
import { JoseError } from '@gatehouse/pkix/jose/error';
import { jwkOfKey, type PublicJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import type { SigningKey } from '@gatehouse/ra-client/administration';

/** What became of a statement. */
export type StatementFinding = {
  /** Compact JWS. */
  readonly jws: string;
  /** What it says; undefined when it cannot be read. */
  readonly payload: Statement['payload'] | undefined;
  /** Why it does not verify; undefined when it does. */
  readonly fault: string | undefined;
  /** Set when its key was revoked, perhaps after the certificate was issued. */
  readonly keyRevokedAt: Date | undefined;
};

/** Clocks of perspectives and of the CA may differ by this. */
const clockSkewMs = 60_000;

/** Verifies a statement. Never throws for what is in it. */
export function verifyStatement(octets: Uint8Array, keys: readonly SigningKey[]): StatementFinding {
  const jws = Buffer.from(octets).toString('latin1');
  const statement = readStatement(octets);
  if ('fault' in statement) {
    return { jws, payload: undefined, fault: `it ${statement.fault}`, keyRevokedAt: undefined };
  }
  const key = keys.find(({ keyId }) => keyId === statement.keyId);
  const fault = key === undefined ? `its key ${statement.keyId} is not among the keys` : faultOf(statement, key);
  return { jws, payload: statement.payload, fault, keyRevokedAt: key?.revokedAt };
}

function faultOf(statement: Statement, key: SigningKey): string | undefined {
  const { payload, jws, finishedAt } = statement;
  if (key.holder !== payload.perspective) return `its key is of ${key.holder}`;
  if (key.activeFrom !== undefined && key.activeFrom.getTime() > finishedAt + clockSkewMs) {
    return 'its key was not active yet';
  }
  if (key.retiredAt !== undefined && key.retiredAt.getTime() < finishedAt) return 'its key was retired before';
  const publicJwk = readKey(key.subjectPublicKeyInfo);
  // RFC 7638: the name of a key is made of the key, so an export cannot give one key the name of another.
  if (publicJwk?.thumbprint !== key.keyId || publicJwk.kind !== 'P-256') return 'its key is not the one of that name';
  const { signingInput, signature } = jws;
  const isSigned = verifyJws({ alg: 'ES256', key: publicJwk, signingInput, signature });
  return isSigned ? undefined : 'its signature does not verify';
}

function readKey(subjectPublicKeyInfo: Uint8Array): PublicJwk | undefined {
  try {
    return jwkOfKey(subjectPublicKeyInfo);
  } catch (error) {
    if (error instanceof JoseError) return undefined;
    throw error;
  }
}
