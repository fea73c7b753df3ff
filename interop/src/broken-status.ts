// Everything that a relying party can get wrong before the status gate, with what it must be told: one table, in rooms by
// what is broken. Nothing in it needs a signature. Who sends it is in broken-status-client.ts.

import { issuers } from './broken-status/issuers.ts';
import { messages } from './broken-status/messages.ts';
import { requests } from './broken-status/requests.ts';
import type { BrokenStatusInput } from './broken-status/row.ts';

/** The table. */
export const brokenStatusInputs: readonly BrokenStatusInput[] = [...requests, ...issuers, ...messages];
