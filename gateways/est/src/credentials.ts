// What the HTTP authentication schemes have in common, RFC 9110 §11: a challenge, and a verdict on what a client sent.
// A verdict's reason is for the log; a client learns no more than that its credentials were not accepted.

import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { NamePolicy } from '@gatehouse/gateway-kit/est/name-policy';
import { requesterDisplay, requesterId } from '@gatehouse/gateway-kit/est/requester';
import type { Requester } from '@gatehouse/ra-client/enrollment';
import type { Credentials } from './authorization.ts';
import type { BackOff } from './back-off.ts';
import type { User } from './users.ts';

export type SchemeName = 'basic' | 'digest' | 'bearer';

/** Who the credentials belong to. */
export type CredentialHolder =
  | { readonly kind: 'user'; readonly user: User }
  | {
      readonly kind: 'token';
      /** `iss` and `sub` of the token. */
      readonly issuer: string;
      readonly subject: string;
      readonly labels: readonly string[];
      readonly names: NamePolicy;
    };

/** The requester that credentials stand for. */
export function describeHolder(holder: CredentialHolder, address: string): Requester {
  if (holder.kind === 'user') {
    const { name } = holder.user;
    return { kind: 'user', id: requesterId(name), display: requesterDisplay(name), address };
  }
  const { issuer, subject } = holder;
  return { kind: 'token', id: requesterId(`${issuer} ${subject}`), display: requesterDisplay(subject), address };
}

/** Whether credentials were accepted. */
export type CredentialVerdict =
  | { readonly ok: true; readonly holder: CredentialHolder }
  | {
      readonly ok: false;
      readonly reason: string;
      /** RFC 7616 §3.3: right but for the nonce; the client may try again without asking its user. */
      readonly isStale?: boolean;
    };

/** What credentials are judged by. */
export type CredentialRequest = {
  readonly credentials: Credentials;
  readonly method: string;
  readonly target: string;
  /** Address of the peer, for the back-off. */
  readonly address: string;
};

/** One scheme. */
export type AuthenticationScheme = {
  readonly name: SchemeName;
  /** Value of a WWW-Authenticate field. */
  challenge(isStale: boolean): string;
  /** @throws {EstError} `too-many-requests` while the user or the address is shut out */
  verify(request: CredentialRequest): Promise<CredentialVerdict>;
};

/** Slows guessing down, by user and by address. */
export type Guard = {
  /** @throws {EstError} `too-many-requests` */
  admit(user: string, address: string): void;
  failed(user: string, address: string): void;
  succeeded(user: string, address: string): void;
};

/** Puts the two back-offs together. */
export function createGuard(byUser: BackOff, byAddress: BackOff): Guard {
  return {
    admit: (user, address) => {
      const remainingMs = Math.max(byUser.remainingMs(user), byAddress.remainingMs(address));
      if (remainingMs > 0) {
        throw new EstError('too-many-requests', 'too many wrong passwords', { retryAfterSeconds: remainingMs / 1000 });
      }
    },
    failed: (user, address) => {
      byUser.fail(user);
      byAddress.fail(address);
    },
    succeeded: (user, address) => {
      byUser.succeed(user);
      byAddress.succeed(address);
    },
  };
}
