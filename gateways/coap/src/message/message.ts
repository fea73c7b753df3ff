// What travels in one datagram, RFC 7252 §3, and what the layers above see of it: requests that came and responses to them.
// Nothing here has been judged beyond its form; what an option means is the affair of who reads it.

/** An option as it stands in a message, RFC 7252 §3.1. */
export type CoapOption = {
  /** 0 to 65535, RFC 7252 §12.2. */
  readonly number: number;
  readonly value: Uint8Array;
};

/** Confirmable, Non-confirmable, Acknowledgement, Reset: RFC 7252 §3, T. */
export type MessageType = 'con' | 'non' | 'ack' | 'rst';

/** A message, RFC 7252 §3. */
export type CoapMessage = {
  readonly type: MessageType;
  /** Class and detail in one octet, RFC 7252 §3: see `codes.ts`. */
  readonly code: number;
  /** 0 to 65535. */
  readonly messageId: number;
  /** 0 to 8 octets. */
  readonly token: Uint8Array;
  /** Ascending by number; occurrences of one option in their order. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
};

/** A request that a peer sent: once for each Message ID, RFC 7252 §4.5. */
export type RequestMessage = {
  /** One of the codes 0.01 to 0.31; not necessarily a method that is known. */
  readonly method: number;
  /** Without those that RFC 7252 §5.4 has a recipient ignore: unknown elective ones, of wrong length, or supernumerary. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly token: Uint8Array;
  readonly messageId: number;
  readonly isConfirmable: boolean;
  readonly receivedAt: Date;
};

/** Why a response was not acknowledged; 'failed' is one that could not be written. */
export type LossCause = 'reset' | 'timed-out' | 'closed' | 'failed';

/** What is known of a response that was not acknowledged. */
export type Loss = {
  readonly cause: LossCause;
  /** The peer has not taken it: it was never sent, or sent once and reset. Else an Acknowledgement may have been lost. */
  readonly isCertain: boolean;
};

/** What a request is answered with. */
export type ResponseMessage = {
  readonly code: number;
  /** In any order: they are sorted when they are sent. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  /**
   * Called at most once: when a response that was sent separately was never acknowledged or was reset, or the session ended
   * before it could be sent or was acknowledged. Of a piggybacked or Non-confirmable response nobody can say.
   */
  readonly onUnacknowledged?: ((loss: Loss) => void) | undefined;
};

/** Answers requests. Should not throw: that is a 5.00 and a line in the log. */
export type RequestHandler = (request: RequestMessage) => Promise<ResponseMessage>;
