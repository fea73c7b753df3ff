// What a client is to the harness: a program that others wrote, and the operations that it is put through. An operation
// says nothing when the client got what the RFC promises it, and throws when it did not.

import type { Session } from './session.ts';
import type { StackKind } from './stack.ts';

/** One thing that a client does. */
export type Operation = {
  /** For the matrix: 'enrols with an RSA key of 3072 bits'. */
  readonly name: string;
  /** What promises it: 'RFC 7030 §4.2.1'. */
  readonly section: string;
  /** The stack that it needs; the common one unless told. */
  readonly stack?: StackKind | undefined;
  /** @throws with a message for the matrix when the client does not get what it is promised */
  readonly run: (session: Session) => Promise<void>;
};

/** A gate by the name of its folder. */
export type Gate = 'est' | 'status' | 'acme' | 'coap';

/** A stock client. */
export type Client = {
  readonly name: string;
  /** What it is a client of. */
  readonly gate: Gate;
  /** Its version in its own words. @throws when it is not there */
  readonly version: () => Promise<string>;
  readonly operations: readonly Operation[];
};
