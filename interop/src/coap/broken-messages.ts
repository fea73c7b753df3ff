// What clients of CoAP can get wrong below EST, with what it must be answered with: one table, in rooms by what is broken,
// coaps.md §5. Nothing in it may issue a certificate. Who sends it is in clients/broken-coap.ts.

import { malformed } from './broken/malformed.ts';
import { requests } from './broken/requests.ts';
import type { BrokenMessage } from './broken/row.ts';
import { transfers } from './broken/transfers.ts';

/** The table. */
export const brokenMessages: readonly BrokenMessage[] = [...malformed, ...requests, ...transfers];
