// One request with what the transport knows about it, as a gate's handlers see it beside hono's context.

import type { PeerFacts } from './peer.ts';

/** One request and its answer. */
export type Exchange = {
  /** Goes along to the core, the log and the audit. */
  readonly requestId: string;
  /** Request target as it stood in the request line; the URL of the web API has lost what was escaped or dotted in it. */
  readonly target: string;
  readonly method: string;
  readonly peer: PeerFacts;
  /** A field by its lower-case name, as node:http joins repeated ones. */
  header(name: string): string | undefined;
  /**
   * Reads the body once.
   *
   * @param limit octets
   * @throws {BodyError} `too-large`: answer 413; the connection is closed after the answer, the rest is not read
   */
  readBody(limit: number): Promise<Uint8Array>;
  /** Sends a field in a line for each value, beside those of the response, in which the web API joins them into one. */
  sendLines(name: string, values: readonly string[]): void;
  /** Adds facts to the line that is logged about this request: outcome, profile, serial number, … No secrets. */
  note(facts: Readonly<Record<string, unknown>>): void;
  /** The connection ends after the answer. */
  closeConnection(): void;
  /** Calls `listener` when the client went away before the whole answer was written to it. */
  onUndelivered(listener: () => void): void;
};

/** hono's environment in all gates: `new Hono<GateEnvironment>()`, then `c.env.exchange`. */
export type GateEnvironment = { Bindings: { readonly exchange: Exchange } };
