// Bearer tokens, RFC 6750: a signed JWT (RFC 7519) of an issuer that the configuration names, made for this gate.
// A token that names no configured issuer, no audience of ours or an unsigned algorithm is never looked at further.

import { readFileSync } from 'node:fs';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { compileConfiguredPatterns, type NamePolicy } from '@gatehouse/gateway-kit/est/name-policy';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { TokenIssuerSettings } from './config.ts';
import type { AuthenticationScheme, CredentialVerdict } from './credentials.ts';

/** Asymmetric signatures only: a shared secret would let every verifier make tokens. */
const signatureAlgorithms = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
];

const clockToleranceSeconds = 30;
const refused = (reason: string): CredentialVerdict => ({ ok: false, reason });

type TokenIssuer = TokenIssuerSettings & { readonly getKey: JWTVerifyGetKey; readonly policy: NamePolicy };

/** What {@link createBearerScheme} takes. */
export type BearerOptions = {
  readonly realm: string;
  readonly issuers: readonly TokenIssuerSettings[];
  readonly clock: Clock;
};

/**
 * Makes the scheme.
 *
 * @throws {FatalError} when a key set cannot be read or a name pattern means nothing
 */
export function createBearerScheme({ realm, issuers, clock }: BearerOptions): AuthenticationScheme {
  const known = new Map<string, TokenIssuer>(
    issuers.map((issuer) => [
      issuer.issuer,
      {
        ...issuer,
        getKey: openKeys(issuer),
        policy: compileConfiguredPatterns(`token issuer ${issuer.issuer}`, issuer.names),
      },
    ]),
  );
  return {
    name: 'bearer',
    // RFC 6750 §3: which error it was is not told; a client that sent nothing must not learn more either.
    challenge: () => `Bearer realm="${realm}"`,
    verify: async ({ credentials }) => {
      if (credentials.kind !== 'token' || credentials.token === '') return refused('malformed Bearer credentials');
      const issuer = known.get(claimedIssuer(credentials.token) ?? '');
      if (issuer === undefined) return refused('token of an unknown issuer');
      try {
        const { payload } = await jwtVerify(credentials.token, issuer.getKey, {
          issuer: issuer.issuer,
          audience: issuer.audience,
          algorithms: signatureAlgorithms,
          requiredClaims: ['sub', 'exp'],
          clockTolerance: clockToleranceSeconds,
          currentDate: clock.now(),
        });
        const subject = payload.sub ?? '';
        if (subject === '' || subject.length > 200) return refused('token without a usable subject');
        return {
          ok: true,
          holder: { kind: 'token', issuer: issuer.issuer, subject, labels: issuer.labels, names: issuer.policy },
        };
      } catch (error) {
        // Not the token's fault: the keys could not be fetched.
        if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
          throw new EstError('unavailable', 'tokens cannot be verified now', { cause: error });
        }
        return refused(`token refused: ${error.code}`);
      }
    },
  };
}

function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

function openKeys({ issuer, keys }: TokenIssuerSettings): JWTVerifyGetKey {
  if (keys.startsWith('https://')) return createRemoteJWKSet(new URL(keys));
  if (/^[a-z]+:\/\//i.test(keys))
    throw new FatalError(`the keys of token issuer ${issuer} must be a file or an https URL`);
  try {
    return createLocalJWKSet(JSON.parse(readFileSync(keys, 'utf8')));
  } catch (cause) {
    throw new FatalError(`the keys of token issuer ${issuer} cannot be read from ${keys}`, {
      hint: 'it must be a JWK Set: {"keys": [...]}',
      cause,
    });
  }
}
