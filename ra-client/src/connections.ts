// The addresses of the keep and the choice among them: stay with the one that works, move on when it fails, come back to a failed one after a pause.
// Only one address is connected as long as it works; the others cost nothing until they are needed.

import type { Logger } from '@gatehouse/runtime/log';
import type { Credential } from './credential.ts';
import { Endpoint, type EndpointHealth } from './endpoint.ts';

/** All addresses of the keep. */
export class CoreConnections {
  readonly #endpoints: readonly Endpoint[];
  #preferred: Endpoint;
  #isClosed = false;

  /** @param addresses `host:port` each, in the order in which they are tried; at least one */
  constructor(addresses: readonly string[], credential: Credential, log: Logger) {
    this.#endpoints = addresses.map((address) => new Endpoint(address, credential, log));
    const [first] = this.#endpoints;
    if (first === undefined) throw new RangeError('at least one address of the core is needed');
    this.#preferred = first;
  }

  /** Whether calls are refused because the client is being closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** The address for the next call: the preferred one, else one that has not been `tried` and is not in its pause, else the one whose pause ends first. */
  pick(tried?: ReadonlySet<Endpoint>): Endpoint {
    const preferred = this.#preferred;
    if (tried === undefined && preferred.retryAt === 0) return preferred;
    const now = Date.now();
    let best: Endpoint | undefined;
    for (const endpoint of this.#endpoints) {
      if (tried?.has(endpoint)) continue;
      if (endpoint.retryAt <= now) return this.#prefer(endpoint);
      if (best === undefined || endpoint.retryAt < best.retryAt) best = endpoint;
    }
    return this.#prefer(best ?? preferred);
  }

  health(): readonly EndpointHealth[] {
    // Asking is also what brings up a connection that no call has asked for yet.
    this.#preferred.channel.state(true);
    return this.#endpoints.map((endpoint) => endpoint.health());
  }

  /** Waits until one address is connected. @returns whether one is within `timeoutMs` */
  async connect(timeoutMs: number): Promise<boolean> {
    const attempts = this.#endpoints.map(async (endpoint) => {
      if (!(await endpoint.channel.connect(timeoutMs))) throw new Error('not connected');
      return endpoint;
    });
    try {
      this.#prefer(await Promise.any(attempts));
      return true;
    } catch {
      return false;
    }
  }

  async swap(credential: Credential): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.swap(credential)));
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close(timeoutMs)));
  }

  #prefer(endpoint: Endpoint): Endpoint {
    this.#preferred = endpoint;
    return endpoint;
  }
}
