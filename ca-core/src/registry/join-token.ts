// Join tokens: a credential that can do nothing but buy an RA or a perspective its first real one, once, before it expires.
// The token holds a private key, so it is shown once and never stored or logged; the core remembers only its id.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { CoreError } from '@gatehouse/proto/core-error';
import { issueServiceCertificate } from '../authorities/issue-service-certificate.ts';
import { isCredentialKey } from '../store/certificates.ts';
import {
  findJoinToken,
  insertJoinToken,
  type JoinTokenKind,
  removeOldJoinTokens,
  type StoredJoinToken,
  useJoinToken,
} from '../store/join-tokens.ts';
import type { Store } from '../store/open-store.ts';
import type { WriteSet } from '../store/write-set.ts';
import { type Caller, callerUri } from './caller.ts';
import { type CredentialIssuer, credentialExpiry, type IssuedCredential, issueCredential } from './credential.ts';
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
  readonly kind: JoinTokenKind;
  /** Of the RA or perspective. */
  readonly name: string;
  readonly lifeMs: number;
  /** Addresses at which it will find the core, `host:port`. */
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
  const { kind, name, lifeMs, actor } = request;
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
      operations: [removeOldJoinTokens(createdAt), insertJoinToken({ id, kind, name, createdAt, expiresAt })],
      events: [
        {
          action: 'join-token-created',
          actor,
          registrationAuthority: kind === 'gate' ? name : undefined,
          outcome: 'success',
          body: { id, expiresAt: expiresAt.toISOString(), ...perspectiveOf({ kind, name }) },
        },
      ],
    },
  };
}

/**
 * Buys the first credential: the token is used up in the transaction that records the credential, so that of two calls
 * with one token at most one succeeds.
 *
 * @throws {CoreError} `unauthorized` for a token that is unknown, used or late, or whose RA or perspective is disabled;
 * `bad-key` when the key is in another credential or signs statements; `unavailable`
 */
export async function redeemJoinToken(
  parts: CredentialIssuer & { readonly store: Store; readonly registry: Registry },
  redemption: Redemption,
): Promise<IssuedCredential & { readonly kind: JoinTokenKind; readonly name: string }> {
  const { store, registry, clock } = parts;
  const { caller, subjectPublicKeyInfo, lifeMs, requestId } = redemption;
  const now = clock.now();
  const token = caller.kind === 'join' ? findJoinToken(store, caller.name) : undefined;
  try {
    if (token === undefined) throw new CoreError('unauthorized', 'the join token is unknown');
    const { kind, name } = token;
    if (kind === 'gate') registry.registrationAuthority(name);
    else registry.perspective(name);
    const credential = issueCredential(parts, { kind, name, subjectPublicKeyInfo, lifeMs, requestId });
    // RFC 9483 §4.1: one key for two roles would let one speak as the other.
    if (isCredentialKey(store, credential.keyFingerprint) || registry.isSigningKey(credential.keyFingerprint)) {
      throw new CoreError('bad-key', 'the key is in another credential, or signs statements');
    }
    const { serialNumber, notAfter } = credential;
    await store.commit({
      operations: [useJoinToken(token.id, now), ...credential.operations, ...credentialExpiry(kind, name, notAfter)],
      events: [
        {
          action: kind === 'gate' ? 'ra-joined' : 'perspective-joined',
          actor: caller.uri,
          registrationAuthority: kind === 'gate' ? name : undefined,
          serialNumber,
          outcome: 'success',
          body: { requestId, ...perspectiveOf(token) },
        },
      ],
    });
    registry.reload();
    return { ...credential, kind, name };
  } catch (error) {
    if (error instanceof CoreError && error.code !== 'unavailable') await store.commit(refusal(caller, token, error));
    throw error;
  }
}

function refusal(caller: Caller, token: StoredJoinToken | undefined, error: CoreError): WriteSet {
  const event = {
    action: 'join-token-refused',
    actor: caller.uri,
    registrationAuthority: token?.kind === 'gate' ? token.name : undefined,
    outcome: error.code,
    body: { detail: error.detail, ...(token && perspectiveOf(token)) },
  } as const;
  return { operations: [], events: [event] };
}

/** The log has a column for RAs; who else it is about stands in the body. */
function perspectiveOf({ kind, name }: Pick<StoredJoinToken, 'kind' | 'name'>): { readonly perspective?: string } {
  return kind === 'perspective' ? { perspective: name } : {};
}

function base64(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
}
