// Keys with which perspectives and gates sign what they saw: registered with proof, retired by their holder, revoked by
// an operator. A key is never given back to life, and never changes hands.

import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { CoreError } from '@gatehouse/proto/core-error';
import type { RegisterSigningKeyRequest } from '@gatehouse/proto/domain-validation';
import { refuseForbiddenKey } from '../enrollment/forbidden-keys.ts';
import type { Keep } from '../keep.ts';
import { writePerspectiveEndpoint } from '../store/perspectives.ts';
import {
  insertSigningKey,
  retireSigningKey as retireOperation,
  revokeSigningKey as revokeOperation,
} from '../store/signing-keys.ts';
import type { WriteOperation, WriteSet } from '../store/write-set.ts';
import type { Caller } from './caller.ts';
import { checkBuild, checkPerspectiveAddress } from './perspective-endpoint.ts';
import type { SigningKeyRecord } from './perspectives.ts';
import { readSigningKeyProof } from './signing-key-proof.ts';

/** As many as a roll-over in several copies of one gate needs. */
export const maximumActiveKeys = 8;

const longestReason = 256;

/** Whether the holder may sign with it now. */
export function isActiveKey({ retiredAt, revokedAt }: SigningKeyRecord): boolean {
  return retiredAt === undefined && revokedAt === undefined;
}

/**
 * Registers a key of the caller, and where a perspective is reached. A key that the caller has registered already stays
 * as it is.
 *
 * @throws {CoreError} `malformed`, `unauthorized` for a proof that does not hold, `bad-key` for a key of another kind, of
 * another holder or in another role, `conflict` for one that is over or one too many, `rate-limited`, `unavailable`
 */
export async function registerSigningKey(
  keep: Keep,
  { caller, requestId }: { readonly caller: Caller; readonly requestId: string },
  request: RegisterSigningKeyRequest,
): Promise<SigningKeyRecord> {
  const { store, registry, clock } = keep;
  const { proof, address, build } = request;
  const endpoint = readEndpoint(keep, caller, request);
  const { keyId, subjectPublicKeyInfo, issuedAt } = readSigningKeyProof(proof, caller.uri, clock.now());
  const known = registry.findSigningKey(keyId);
  if (known === undefined) admitKey(keep, caller, subjectPublicKeyInfo);
  else refuseOtherKey(known, caller);
  if (known !== undefined && !endpoint.hasChanged) return known;
  if (endpoint.hasChanged) registry.admitEndpoint(caller.uri);
  // The holder's clock is the one under its statements: a first one must not be older than its key.
  const activeFrom = new Date(Math.min(clock.now().getTime(), issuedAt.getTime()));
  const key = { keyId, holder: caller.uri, subjectPublicKeyInfo, activeFrom };
  const set: WriteSet = {
    operations: [...(known === undefined ? [insertSigningKey(key)] : []), ...endpoint.operations],
    events: [
      {
        action: 'signing-key-registered',
        actor: caller.uri,
        registrationAuthority: raOf(caller),
        outcome: 'success',
        body: { keyId, isNew: known === undefined, address, build, requestId },
      },
    ],
  };
  try {
    await store.commit(set);
  } catch (error) {
    if (known !== undefined || !(error instanceof CoreError) || error.code !== 'conflict') throw error;
    // The same call came twice at once, and the other one was first.
    registry.reload();
    if (registry.findSigningKey(keyId) === undefined) throw error;
    return await registerSigningKey(keep, { caller, requestId }, request);
  }
  registry.reload();
  return stored(keep, keyId);
}

/** Retires a key of the caller; one that is over stays as it is. Throws CoreError `not-found`, `unavailable`. */
export async function retireSigningKey(
  keep: Keep,
  { caller, requestId }: { readonly caller: Caller; readonly requestId: string },
  keyId: string,
): Promise<SigningKeyRecord> {
  const known = keep.registry.findSigningKey(keyId);
  // Whose the others are is nobody's business.
  if (known?.holder !== caller.uri) throw noKey(keyId);
  if (!isActiveKey(known)) return known;
  await keep.store.commit({
    operations: [retireOperation(keyId, keep.clock.now())],
    events: [
      {
        action: 'signing-key-retired',
        actor: caller.uri,
        registrationAuthority: raOf(caller),
        outcome: 'success',
        body: { keyId, requestId },
      },
    ],
  });
  keep.registry.reload();
  return stored(keep, keyId);
}

/**
 * Revokes a key of anybody: nothing that it signed counts any more. Throws CoreError `malformed`, `not-found`, `conflict`,
 * `unavailable`.
 *
 * @param actor URI of the operator
 */
export async function revokeSigningKey(
  keep: Keep,
  actor: string,
  { keyId, reason }: { readonly keyId: string; readonly reason: string },
): Promise<SigningKeyRecord> {
  const known = keep.registry.findSigningKey(keyId);
  if (known === undefined) throw noKey(keyId);
  if (Buffer.byteLength(reason) > longestReason) {
    throw new CoreError('malformed', `a reason has at most ${longestReason} octets`);
  }
  await keep.store.commit({
    operations: [revokeOperation(keyId, keep.clock.now(), reason)],
    events: [
      { action: 'signing-key-revoked', actor, outcome: 'success', body: { keyId, holder: known.holder, reason } },
    ],
  });
  keep.registry.reload();
  return stored(keep, keyId);
}

type Endpoint = { readonly hasChanged: boolean; readonly operations: readonly WriteOperation[] };

/** What to write about where a perspective is reached; it fails for one that is disabled meanwhile. */
function readEndpoint(keep: Keep, caller: Caller, { address, build }: RegisterSigningKeyRequest): Endpoint {
  checkBuild(build);
  if (caller.kind !== 'perspective') {
    if (address === '') return { hasChanged: false, operations: [] };
    throw new CoreError('malformed', 'only a perspective has an address');
  }
  checkPerspectiveAddress(address);
  const known = keep.registry.perspective(caller.name);
  return {
    hasChanged: known.address !== address || known.build !== build,
    operations: [writePerspectiveEndpoint(caller.name, address, build)],
  };
}

function admitKey(keep: Keep, caller: Caller, subjectPublicKeyInfo: Uint8Array): void {
  // RFC 9483 §4.1: a key in two roles would let what is signed in one pass in the other.
  refuseForbiddenKey(keep, publicKeyFingerprint(subjectPublicKeyInfo));
  const active = keep.registry.listSigningKeys(caller.uri).filter(isActiveKey);
  if (active.length >= maximumActiveKeys) {
    throw new CoreError('conflict', `${caller.uri} has ${active.length} active keys: retire those that are not used`);
  }
  keep.registry.admitSigningKey(caller.uri);
}

function refuseOtherKey(known: SigningKeyRecord, caller: Caller): void {
  if (known.holder !== caller.uri) throw new CoreError('bad-key', 'the key is registered for another holder');
  if (known.revokedAt !== undefined) throw new CoreError('bad-key', 'the key was revoked');
  if (known.retiredAt !== undefined) throw new CoreError('conflict', 'the key was retired: make another one');
}

function stored(keep: Keep, keyId: string): SigningKeyRecord {
  const key = keep.registry.findSigningKey(keyId);
  if (key === undefined) throw new Error(`the key ${keyId} was written and is not there`);
  return key;
}

function noKey(keyId: string): CoreError {
  return new CoreError('not-found', `there is no key ${JSON.stringify(keyId.slice(0, 64))}`);
}

function raOf(caller: Caller): string | undefined {
  return caller.kind === 'gate' ? caller.name : undefined;
}
