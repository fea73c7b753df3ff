// A POST from the moment its signature is known to be right until it is answered. It sees to it that the nonce is redeemed
// exactly once in the house: with what the request changes, or alone.

import type { FlattenedJws } from '@gatehouse/pkix/jose/flattened-jws';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { PublicJwk } from '@gatehouse/pkix/jose/jwk';
import type { CommitDurability, StateOperation, StateStore } from '@gatehouse/runtime/database/state-store';
import type { Logger } from '@gatehouse/runtime/log';
import { AcmeError } from './errors.ts';
import type { AccountExchange, AcmeExchange, AcmeRequest } from './exchange.ts';
import type { Account } from './state/accounts.ts';

/** What a {@link SignedExchange} is made of. */
export type SignedExchangeParts = {
  readonly request: AcmeRequest;
  readonly store: StateStore;
  readonly account: Account | undefined;
  readonly jwk: PublicJwk;
  readonly jws: FlattenedJws;
  readonly body: Uint8Array;
  readonly redeem: StateOperation;
};

/** The exchange that operations see. */
export class SignedExchange implements AcmeExchange {
  readonly account: Account | undefined;
  readonly jwk: PublicJwk;
  /** Set when it was judged. */
  payload: JsonObject | undefined;
  readonly jws: FlattenedJws;
  readonly redeem: readonly StateOperation[];
  readonly #request: AcmeRequest;
  readonly #store: StateStore;
  readonly #body: Uint8Array;
  #isRedeemed = false;
  #settling: Promise<void> | undefined;

  constructor({ request, store, account, jwk, jws, body, redeem }: SignedExchangeParts) {
    this.#request = request;
    this.#store = store;
    this.#body = body;
    this.account = account;
    this.jwk = jwk;
    this.jws = jws;
    this.redeem = [redeem];
  }

  get requestId(): string {
    return this.#request.requestId;
  }

  get log(): Logger {
    return this.#request.log;
  }

  get base(): string {
    return this.#request.base;
  }

  get url(): string {
    return this.#request.url;
  }

  get address(): string {
    return this.#request.address;
  }

  get thumbprint(): string {
    return this.jwk.thumbprint;
  }

  get rawJws(): string {
    return Buffer.from(this.#body).toString('utf8');
  }

  note(facts: Readonly<Record<string, unknown>>): void {
    this.#request.note(facts);
  }

  commit(operations: readonly StateOperation[]): Promise<void> {
    return this.#commit(operations, 'power-cut');
  }

  async #commit(operations: readonly StateOperation[], survives: CommitDurability): Promise<void> {
    if (this.#isRedeemed) {
      await this.#store.commit(operations);
      return;
    }
    try {
      await this.#store.commit([...this.redeem, ...operations], survives);
    } catch (error) {
      if (error instanceof AcmeError && error.type === 'badNonce') this.#isRedeemed = true;
      throw error;
    }
    this.#isRedeemed = true;
  }

  /**
   * Redeems the nonce if nothing was committed: RFC 8555 §6.5 makes it worthless once it appeared in a request, whatever
   * became of that. There is no wait for the disk: a request that changed nothing could be sent again only after a power
   * cut, by whoever can open TLS, and would change nothing again or be as welcome as the first time.
   *
   * @throws {AcmeError} `badNonce` when another request had it
   */
  settle(): Promise<void> {
    this.#settling ??= this.#isRedeemed ? Promise.resolve() : this.#commit([], 'crash');
    return this.#settling;
  }
}

/** Whether an account signed it. */
export function isOfAccount(exchange: AcmeExchange): exchange is AccountExchange {
  return exchange.account !== undefined;
}
