// One request and one answer as the operations of this gate see them: nothing of the HTTP library reaches further in than
// server.ts, and nothing that is not authenticated further than authenticate.ts.

import type { FlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { PublicJwk } from '@gatehouse/pkix/jose/jwk';
import type { StateOperation } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import type { AcmeGate } from './gate.ts';
import type { Account } from './state/accounts.ts';

/** What is known about every request. */
export type AcmeRequest = {
  /** The same in every log line of this request, here and in the keep. */
  readonly requestId: string;
  readonly log: Logger;
  /** Base URL that the client uses: one of the configured ones. URLs in the answer begin with it. */
  readonly base: string;
  /** The URL that was asked for, as the client wrote it. */
  readonly url: string;
  /** Address of the client. */
  readonly address: string;
  /** Adds facts to the request's log line. No secrets. */
  note(facts: Readonly<Record<string, unknown>>): void;
};

/** A POST whose signature and nonce are right, RFC 8555 §6.2 to §6.5. */
export type AcmeExchange = AcmeRequest & {
  /** The account that signed it by its URL; undefined when the JWS carries its key instead. */
  readonly account: Account | undefined;
  /** The key that signed it. */
  readonly jwk: PublicJwk;
  /** RFC 7638 of that key, base64url. */
  readonly thumbprint: string;
  /** What was signed; undefined is POST-as-GET, RFC 8555 §6.3. */
  readonly payload: JsonObject | undefined;
  readonly jws: FlattenedJws;
  /** The flattened JWS as it came. */
  readonly rawJws: string;
  /** What every commit of this request begins with: its nonce is redeemed, once, in the house. */
  readonly redeem: readonly StateOperation[];
  /**
   * Commits the effect of the request together with the redemption of its nonce. An operation calls it at most once with
   * what must be whole; when it never does, the nonce is redeemed alone before the answer.
   *
   * @throws {AcmeError} `badNonce` when another request had the nonce; what an operation `expects` throws otherwise
   */
  commit(operations: readonly StateOperation[]): Promise<void>;
};

/** A POST that an account signed. */
export type AccountExchange = AcmeExchange & { readonly account: Account };

/** A field `Link`, RFC 8288. */
export type Link = { readonly url: string; readonly rel: string };

/** An answer. Link index, Replay-Nonce and Cache-Control are added by server.ts. */
export type AcmeAnswer = {
  readonly status: number;
  /** JSON; text is JSON that was written by hand, where it is hot. Undefined: an empty body. */
  readonly body?: JsonObject | string | undefined;
  /** A body that is no JSON. */
  readonly content?: { readonly type: string; readonly text: string } | undefined;
  readonly location?: string | undefined;
  readonly links?: readonly Link[] | undefined;
  /** Sent as delta-seconds, at least 1. */
  readonly retryAfterSeconds?: number | undefined;
  /** Unless told: `no-store` for POST, nothing for GET. */
  readonly cacheControl?: string | undefined;
};

/** The variable parts of a path by their names in the table of routes. */
export type Parameters = Readonly<Record<string, string>>;

/** What an account asks for. */
export type Operation = (gate: AcmeGate, exchange: AccountExchange, parameters: Parameters) => Promise<AcmeAnswer>;

/** What is signed by an account or by another key: newAccount by the new account's, revokeCert by the certificate's. */
export type KeyOperation = (gate: AcmeGate, exchange: AcmeExchange, parameters: Parameters) => Promise<AcmeAnswer>;

/** What anybody may ask for, by GET. */
export type OpenOperation = (gate: AcmeGate, request: AcmeRequest, parameters: Parameters) => Promise<AcmeAnswer>;
