// Everything that a client can get wrong, with the status that it must be told: one table, in rooms by what is broken.
// Nothing in it may issue a certificate, and no answer may say more than one line in plain text. Who sends it is in
// broken-input-client.ts.

import { bodies } from './broken-input/bodies.ts';
import { messages } from './broken-input/messages.ts';
import { names } from './broken-input/names.ts';
import { proofs } from './broken-input/proofs.ts';
import { requests } from './broken-input/requests.ts';
import type { BrokenInput } from './broken-input/row.ts';

/** The table. */
export const brokenInputs: readonly BrokenInput[] = [...bodies, ...requests, ...names, ...proofs, ...messages];
