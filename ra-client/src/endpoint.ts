// One address of the keep with its health: which channel is current, when it failed last, when it is worth trying again.
// It logs when an address goes away and when it comes back, each once; a failing keep must not flood the log.

import type { Logger } from '@gatehouse/runtime/log';
import { connectivityState } from '@grpc/grpc-js';
import { BridgeChannel } from './channel.ts';
import type { Credential } from './credential.ts';

/** What is known about an address. */
export type EndpointHealth = {
  readonly address: string;
  readonly state: 'ready' | 'connecting' | 'idle' | 'failed';
  /** Why the last call to it failed, until one succeeds. */
  readonly lastFailure?: string | undefined;
};

const initialBackOffMs = 100;
const maximumBackOffMs = 5_000;
// A new credential's connection should stand before the old one is left, but an old one about to end is no reason to wait long.
const swapTimeoutMs = 5_000;

/** An address of the keep. */
export class Endpoint {
  readonly address: string;
  readonly #log: Logger;
  readonly #retired = new Set<BridgeChannel>();
  #channel: BridgeChannel;
  #next: BridgeChannel | undefined;
  #failures = 0;
  #lastFailure: string | undefined;
  /** Epoch milliseconds. */
  #retryAt = 0;

  constructor(address: string, credential: Credential, log: Logger) {
    this.address = address;
    this.#log = log;
    this.#channel = new BridgeChannel(address, credential);
  }

  /** The channel for new calls. */
  get channel(): BridgeChannel {
    return this.#channel;
  }

  /** When it is worth trying again, epoch milliseconds; 0 for an address that works. */
  get retryAt(): number {
    return this.#retryAt;
  }

  health(): EndpointHealth {
    return { address: this.address, state: describeState(this.#channel.state()), lastFailure: this.#lastFailure };
  }

  /** A call was answered. */
  succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#retryAt = 0;
    this.#lastFailure = undefined;
    this.#log.info({ address: this.address }, 'the CA core answers again');
  }

  /** A call could not be made. */
  failed(reason: string): void {
    if (this.#failures === 0) this.#log.warn({ address: this.address, reason }, 'the CA core does not answer');
    this.#failures++;
    this.#lastFailure = reason;
    const backOffMs = Math.min(maximumBackOffMs, initialBackOffMs * 2 ** Math.min(this.#failures - 1, 10));
    this.#retryAt = Date.now() + backOffMs * (0.5 + Math.random() / 2);
  }

  /** Moves new calls to a channel with `credential`; calls in flight end on the old one. */
  async swap(credential: Credential): Promise<void> {
    const next = new BridgeChannel(this.address, credential);
    this.#next?.abort();
    this.#next = next;
    // An address that was never used stays unused: one connection is enough.
    if (this.#channel.state() !== connectivityState.IDLE) await next.connect(swapTimeoutMs);
    // A still newer credential may have come while this one connected.
    if (this.#next !== next) return;
    this.#next = undefined;
    const old = this.#channel;
    this.#channel = next;
    this.#retired.add(old);
    old.retire().then(() => this.#retired.delete(old));
  }

  /** Ends all channels: at once when no call is in flight, else when they end or `timeoutMs` have passed. */
  async close(timeoutMs: number): Promise<void> {
    this.#next?.abort();
    this.#next = undefined;
    const channels = [this.#channel, ...this.#retired];
    const { promise: expired, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([Promise.all(channels.map((channel) => channel.retire())), expired]);
    clearTimeout(timer);
    for (const channel of channels) channel.abort();
  }
}

function describeState(state: connectivityState): EndpointHealth['state'] {
  switch (state) {
    case connectivityState.READY:
      return 'ready';
    case connectivityState.CONNECTING:
      return 'connecting';
    case connectivityState.IDLE:
      return 'idle';
    default:
      return 'failed';
  }
}
