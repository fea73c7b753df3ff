// One request of EST-coaps as the resources of this gate see it, RFC 9148 §4: what all gates of EST know of a request, and
// what CoAP says beside it.

import type { EnrollmentExchange } from '@gatehouse/gateway-kit/est/exchange';

/** A request, routed to one resource of one label. */
export type CoapExchange = EnrollmentExchange & {
  /** DER as it came; empty for GET. */
  readonly payload: Uint8Array;
  /** The content format that the response is to have, RFC 9148 §4.3. */
  readonly format: number;
};
