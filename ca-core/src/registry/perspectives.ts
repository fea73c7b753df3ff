// The living view of who looks at names for us: perspectives with the labels that operators gave them, and the keys with
// which they and the gates sign what they saw (BR §3.2.2.9).
// It is part of the registry and changes with it; what a statement says of itself never changes anything here.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import { RateLimiter } from '@gatehouse/runtime/rate-limit';
import type { Store } from '../store/open-store.ts';
import {
  disablePerspective,
  insertPerspective,
  listPerspectives,
  type NewPerspective,
  type StoredPerspective,
} from '../store/perspectives.ts';
import { listSigningKeys, retireSigningKeysOf, type StoredSigningKey } from '../store/signing-keys.ts';
import type { WriteSet } from '../store/write-set.ts';
import { callerUri } from './caller.ts';
import { checkPerspective } from './perspective-labels.ts';

/** A perspective, ready to judge by. */
export type PerspectiveRecord = StoredPerspective & {
  /** `spiffe://gatehouse.internal/perspective/<name>`: holder of its keys. */
  readonly uri: string;
};

/** A key, ready to verify with. */
export type SigningKeyRecord = StoredSigningKey & {
  /** P-256. */
  readonly key: KeyObject;
};

/** The part of the registry that knows perspectives and signing keys. */
export type PerspectiveRegistry = {
  /** The perspective with this name. Throws CoreError `unauthorized` when it is unknown or disabled. */
  perspective(name: string): PerspectiveRecord;
  /** The perspective with this name, also a disabled one. */
  findPerspective(name: string): PerspectiveRecord | undefined;
  /** All perspectives by name, also disabled ones. */
  listPerspectives(): readonly PerspectiveRecord[];
  /** The key with this RFC 7638 thumbprint, also a retired or revoked one. */
  findSigningKey(keyId: string): SigningKeyRecord | undefined;
  /** Whether the key with this SHA-256 of its SubjectPublicKeyInfo signs or signed statements. */
  isSigningKey(fingerprint: Uint8Array): boolean;
  /** Keys of the holder with this URI, oldest first, also retired and revoked ones. */
  listSigningKeys(holder: string): readonly SigningKeyRecord[];
  /** Counts one new key of the holder with this URI. Throws CoreError `rate-limited`: rows of keys stay for good. */
  admitSigningKey(holder: string): void;
  /** Counts one new address or build. Throws CoreError `rate-limited`: each is in the audit log for good. */
  admitEndpoint(holder: string): void;
  /**
   * Registers a perspective, together with `also` (a join token for it).
   *
   * @param actor URI of the operator
   * @throws {CoreError} `malformed` for labels that are none, `conflict` when the name is taken, `unavailable`
   */
  addPerspective(perspective: NewPerspective, actor: string, also?: WriteSet): Promise<PerspectiveRecord>;
  /**
   * Shuts a perspective out and retires its keys: what it signed before stays good. Throws CoreError `not-found`,
   * `unavailable`.
   */
  disablePerspective(name: string, actor: string): Promise<PerspectiveRecord>;
};

/** What the registry makes of {@link PerspectiveRegistry}. */
export type PerspectiveView = PerspectiveRegistry & {
  /** Reads everything from the store again. */
  reload(): void;
};

/** A key lives for days; a holder that makes more than these has lost its mind or its credential. */
const newKeysPerHour = 4;

/** Whoever is started again and again on another port is let through; who would fill the audit log is not. */
const newEndpointsPerHour = 60;

/** Creates the view, empty before the first `reload`. @param change commits a set and reads everything again */
export function createPerspectiveView(
  store: Store,
  clock: Clock,
  change: (set: WriteSet, also?: WriteSet) => Promise<void>,
): PerspectiveView {
  let perspectives: ReadonlyMap<string, PerspectiveRecord> = new Map();
  let signingKeys: ReadonlyMap<string, SigningKeyRecord> = new Map();
  let fingerprints: ReadonlySet<string> = new Set();
  let keysOfHolder: ReadonlyMap<string, readonly SigningKeyRecord[]> = new Map();

  const newKeys = new RateLimiter({ ratePerSecond: newKeysPerHour / 3600, burst: 16, clock });
  const newEndpoints = new RateLimiter({ ratePerSecond: newEndpointsPerHour / 3600, burst: 60, clock });

  function admit(limiter: RateLimiter, holder: string, what: string): void {
    const decision = limiter.take(holder);
    if (decision.ok) return;
    const retryAfterSeconds = Math.ceil(decision.retryAfterMs / 1000);
    throw new CoreError('rate-limited', `${holder} ${what} faster than it may`, { retryAfterSeconds });
  }

  function stored(name: string): PerspectiveRecord {
    const perspective = perspectives.get(name);
    if (perspective === undefined) throw new CoreError('not-found', `there is no perspective ${name}`);
    return perspective;
  }

  return {
    perspective: (name) => {
      const perspective = perspectives.get(name);
      if (perspective === undefined) throw new CoreError('unauthorized', `perspective ${name} is not registered`);
      if (perspective.isDisabled) throw new CoreError('unauthorized', `perspective ${name} is disabled`);
      return perspective;
    },
    findPerspective: (name) => perspectives.get(name),
    listPerspectives: () => [...perspectives.values()],
    findSigningKey: (keyId) => signingKeys.get(keyId),
    isSigningKey: (fingerprint) => fingerprints.has(hex(fingerprint)),
    listSigningKeys: (holder) => keysOfHolder.get(holder) ?? [],
    admitSigningKey: (holder) => admit(newKeys, holder, 'makes new keys'),
    admitEndpoint: (holder) => admit(newEndpoints, holder, 'moves'),
    addPerspective: async (perspective, actor, also) => {
      checkPerspective(perspective);
      const { name, site, rir, latitude, longitude } = perspective;
      const body = { perspective: name, site, rir, latitude, longitude };
      const event = { action: 'perspective-added', actor, outcome: 'success', body } as const;
      await change({ operations: [insertPerspective(perspective)], events: [event] }, also);
      return stored(name);
    },
    disablePerspective: async (name, actor) => {
      const event = {
        action: 'perspective-disabled',
        actor,
        outcome: 'success',
        body: { perspective: name },
      } as const;
      const operations = [disablePerspective(name), retireSigningKeysOf(callerUri('perspective', name), clock.now())];
      await change({ operations, events: [event] });
      return stored(name);
    },
    reload: () => {
      const known = signingKeys;
      perspectives = new Map(
        listPerspectives(store).map((perspective) => [
          perspective.name,
          { ...perspective, uri: callerUri('perspective', perspective.name) },
        ]),
      );
      signingKeys = new Map(
        listSigningKeys(store).map((key) => [
          key.keyId,
          // Making a key costs as much as a verification with it, and it never changes.
          { ...key, key: known.get(key.keyId)?.key ?? readKey(key.subjectPublicKeyInfo) },
        ]),
      );
      fingerprints = new Set(
        signingKeys.values().map(({ subjectPublicKeyInfo }) => hex(publicKeyFingerprint(subjectPublicKeyInfo))),
      );
      keysOfHolder = Map.groupBy(signingKeys.values(), ({ holder }) => holder);
    },
  };
}

function readKey(subjectPublicKeyInfo: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
}

function hex(fingerprint: Uint8Array): string {
  return Buffer.from(fingerprint).toString('hex');
}
