// One request of EST as the operations see it, whichever transport it came over: what is asked for, under which label, and
// by whom as far as the transport knows. A gate adds what its own protocol has beside it.

import type { Logger } from '@gatehouse/runtime/log';
import type { PeerFacts } from '../peer.ts';
import type { Label } from './configuration.ts';
import type { OperationName } from './operation-names.ts';

/** A request, routed to one operation of one label. */
export type EnrollmentExchange = {
  /** The same in every log line of this request, here and in the keep. */
  readonly requestId: string;
  readonly log: Logger;
  readonly operation: OperationName;
  readonly label: Label;
  readonly peer: PeerFacts;
  /** Adds facts to the request's log line. No secrets. */
  note(facts: Readonly<Record<string, unknown>>): void;
};
