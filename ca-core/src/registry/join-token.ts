// Join tokens: a credential that can do nothing but buy an RA its first real one, once, before it expires.
// The token holds a private key, so it is shown once and never stored or logged; the core remembers only its id.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { CoreError } from '@gatehouse/proto/core-error';
import { issueServiceCertificate } from '../authorities/issue-service-certificate.ts';
import { isCredentialKey } from '../store/certificates.ts';
import { findJoinToken, insertJoinToken, removeOldJoinTokens, useJoinToken } from '../store/join-tokens.ts';
import type { Store } from '../store/open-store.ts';
import { writeCredentialExpiry } from '../store/registration-authorities.ts';
import type { WriteSet } from '../store/write-set.ts';
import { type Caller, callerUri } from './caller.ts';
import { type CredentialIssuer, type IssuedCredential, issueCredential } from './credential.ts';
import type { Registry } from './registry.ts';

/** What starts every join token, so that a person and a secret scanner know one. */
export const joinTokenPrefix = 'gh-join.';

/** What is inside a join token: base64url of this as JSON, after {@link joinTokenPrefix}. */
export type JoinTokenContents = {
  readonly v: 1;
  /** Addresses of cores, `host:port`. */
  readonly core: readonly string[];
  /** Certificate of the service CA, DER in base64: by it the core is known. */
  readonly anchor: string;
  /** Client certificate, DER in base64. */
  readonly certificate: string;
  /** Its key, PKCS#8 DER in base64. */
  readonly key: string;
};

/** A token that works once its set is committed. */
export type NewJoinToken = {
  readonly token: string;
  readonly id: string;
  readonly expiresAt: Date;
  readonly set: WriteSet;
};

/** What a token is made for. */
export type JoinTokenRequest = {
  readonly registrationAuthority: string;
  readonly lifeMs: number;
  /** Addresses at which the RA will find the core, `host:port`. */
  readonly coreAddresses: readonly string[];
  /** URI of the operator. */
  readonly actor: string;
};

/** A credential that is bought. */
export type Redemption = {
  /** Of kind `join`. */
  readonly caller: Caller;
  /** DER; possession was proved and quality checked. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** Life of the credential. */
  readonly lifeMs: number;
  readonly requestId: string;
};

/** Makes a token; commit its set before showing it. */
export function makeJoinToken(issuer: CredentialIssuer, request: JoinTokenRequest): NewJoinToken {
  const { registrationAuthority, lifeMs, actor } = request;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(16).toString('hex');
  const createdAt = issuer.clock.now();
  const expiresAt = new Date(createdAt.getTime() + lifeMs);
  const certificate = issueServiceCertificate({
    service: issuer.service,
    uri: callerUri('join', id),
    subjectPublicKeyInfo: publicKey.export({ type: 'spki', format: 'der' }),
    lifeMs,
    usage: 'client',
    instancePrefix: issuer.instancePrefix,
    clock: issuer.clock,
  });
  const contents: JoinTokenContents = {
    v: 1,
    core: request.coreAddresses,
    anchor: base64(issuer.service.certificate.der),
    certificate: base64(certificate),
    key: base64(privateKey.export({ type: 'pkcs8', format: 'der' })),
  };
  return {
    token: joinTokenPrefix + Buffer.from(JSON.stringify(contents)).toString('base64url'),
    id,
    expiresAt,
    set: {
      // Old ones go when a new one comes: the table cannot grow by itself.
      operations: [
        removeOldJoinTokens(createdAt),
        insertJoinToken({ id, registrationAuthority, createdAt, expiresAt }),
      ],
      events: [
        {
          action: 'join-token-created',
          actor,
          registrationAuthority,
          outcome: 'success',
          body: { id, expiresAt: expiresAt.toISOString() },
        },
      ],
    },
  };
}

/**
 * Buys the first credential: the token is used up in the transaction that records the credential, so that of two calls
 * with one token at most one succeeds.
 *
 * @throws {CoreError} `unauthorized` for a token that is unknown, used or late, or whose RA is disabled; `bad-key` when
 * the key is in another credential; `unavailable`
 */
export async function redeemJoinToken(
  parts: CredentialIssuer & { readonly store: Store; readonly registry: Registry },
  redemption: Redemption,
): Promise<IssuedCredential & { readonly registrationAuthority: string }> {
  const { store, registry, clock } = parts;
  const { caller, subjectPublicKeyInfo, lifeMs, requestId } = redemption;
  const now = clock.now();
  const token = caller.kind === 'join' ? findJoinToken(store, caller.name) : undefined;
  try {
    if (token === undefined) throw new CoreError('unauthorized', 'the join token is unknown');
    const name = registry.registrationAuthority(token.registrationAuthority).name;
    const credential = issueCredential(parts, { kind: 'gate', name, subjectPublicKeyInfo, lifeMs, requestId });
    // RFC 9483 §4.1: one key for two roles would let one speak as the other.
    if (isCredentialKey(store, credential.keyFingerprint)) {
      throw new CoreError('bad-key', 'the key is in another credential');
    }
    const { serialNumber, notAfter } = credential;
    await store.commit({
      operations: [useJoinToken(token.id, now), ...credential.operations, writeCredentialExpiry(name, notAfter)],
      events: [
        {
          action: 'ra-joined',
          actor: caller.uri,
          registrationAuthority: name,
          serialNumber,
          outcome: 'success',
          body: { requestId },
        },
      ],
    });
    registry.reload();
    return { ...credential, registrationAuthority: name };
  } catch (error) {
    if (error instanceof CoreError && error.code !== 'unavailable') {
      await store.commit(refusal(caller, token?.registrationAuthority, error));
    }
    throw error;
  }
}

function refusal(caller: Caller, registrationAuthority: string | undefined, error: CoreError): WriteSet {
  const event = {
    action: 'join-token-refused',
    actor: caller.uri,
    registrationAuthority,
    outcome: error.code,
    body: { detail: error.detail },
  } as const;
  return { operations: [], events: [event] };
}

function base64(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
}
