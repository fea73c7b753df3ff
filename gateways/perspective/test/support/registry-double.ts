// The registry of the keep for tests: believes every proof that verifies, as the real one does, and forgets on command.

import { randomBytes } from 'node:crypto';
import { readCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { type PublicJwk, readJwk } from '@gatehouse/pkix/jose/jwk';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type {
  DomainValidationClient,
  RegisteredPerspective,
  RegisterSigningKeyRequest,
  SigningKey,
} from '@gatehouse/ra-client/domain-validation';
import { signingKeyProofSchema, signingKeyProofType } from '@gatehouse/ra-client/perspective-statement';
import type { Clock } from '@gatehouse/runtime/clock';

/** A registered key, ready to verify with. */
export type KnownKey = SigningKey & { readonly jwk: PublicJwk };

/** The registry. */
export type RegistryDouble = DomainValidationClient & {
  /** By key id. */
  readonly keys: Map<string, KnownKey>;
  /** Requests to register, in their order. */
  readonly registrations: RegisterSigningKeyRequest[];
  /** What all calls fail with, while it is set. */
  failure: CoreError | undefined;
  /** How the perspective is listed. */
  labels: { site: string; rir: string };
};

/** Makes a registry that knows one perspective. */
export function createRegistryDouble(name: string, clock: Clock): RegistryDouble {
  const keys = new Map<string, KnownKey>();
  const change = (keyId: string, part: Partial<SigningKey>): KnownKey => {
    const known = keys.get(keyId);
    if (known === undefined) throw new CoreError('not-found', 'there is no such key');
    const changed = { ...known, ...part };
    keys.set(keyId, changed);
    return changed;
  };
  const double: RegistryDouble = {
    keys,
    registrations: [],
    failure: undefined,
    labels: { site: 'plant-a', rir: 'RIPE' },
    registerSigningKey: async (request) => {
      if (double.failure !== undefined) throw double.failure;
      double.registrations.push(request);
      const proven = readProof(request.proof, clock.now());
      const known = keys.get(proven.keyId);
      if (known?.revokedAt !== undefined) throw new CoreError('bad-key', 'the key was revoked');
      if (known?.retiredAt !== undefined) throw new CoreError('conflict', 'the key was retired: make another one');
      if (known === undefined) keys.set(proven.keyId, proven);
      return known ?? proven;
    },
    retireSigningKey: async (keyId) => {
      if (double.failure !== undefined) throw double.failure;
      return change(keyId, { retiredAt: clock.now() });
    },
    listPerspectives: async () => {
      if (double.failure !== undefined) throw double.failure;
      return [listed(name, double)];
    },
  };
  return double;
}

/** Answers of a test core that stand for this registry. */
export function registryAnswers(registry: RegistryDouble) {
  return {
    registerSigningKey: (request: RegisterSigningKeyRequest) => registry.registerSigningKey(request),
    retireSigningKey: ({ keyId }: { readonly keyId: string }) => registry.retireSigningKey(keyId),
    listPerspectives: async () => ({ perspectives: await registry.listPerspectives() }),
  };
}

function listed(name: string, { labels, keys, registrations }: RegistryDouble): RegisteredPerspective {
  return {
    name,
    ...labels,
    latitude: undefined,
    longitude: undefined,
    isDisabled: false,
    address: registrations.at(-1)?.address ?? '',
    keys: [...keys.values()],
    createdAt: undefined,
    credentialExpiresAt: undefined,
    build: registrations.at(-1)?.build ?? '',
  };
}

function readProof(proof: string, now: Date): KnownKey {
  const jws = readCompactJws(proof);
  const { alg, typ, jwk } = jws.protectedHeader;
  const key = readJwk(jwk);
  if (alg !== 'ES256' || typ !== signingKeyProofType) throw new CoreError('malformed', 'no proof of a key');
  if (!verifyJws({ alg, key, signingInput: jws.signingInput, signature: jws.signature })) {
    throw new CoreError('unauthorized', 'the proof does not verify');
  }
  const { holder, issuedAt } = signingKeyProofSchema.parse(JSON.parse(Buffer.from(jws.payload).toString('utf8')));
  if (Math.abs(Date.parse(issuedAt) - now.getTime()) > 60_000) throw new CoreError('malformed', 'the clock is off');
  return {
    keyId: key.thumbprint,
    holder,
    subjectPublicKeyInfo: key.key.export({ type: 'spki', format: 'der' }),
    activeFrom: now,
    retiredAt: undefined,
    revokedAt: undefined,
    jwk: key,
  };
}

/** Random ids as gates make them. */
export function newAttempt(perspectives: readonly string[]) {
  return {
    id: randomBytes(16).toString('base64url'),
    order: 'order-1',
    authorization: 'authz-1',
    perspectives: [...perspectives],
  };
}
