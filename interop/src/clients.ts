// The clients of the matrix, in its order.

import { brokenInputs } from './broken-input.ts';
import { refusals } from './broken-input-client.ts';
import type { Client } from './client.ts';
import { curlClient } from './clients/curl.ts';
import { estclient } from './clients/estclient.ts';
import { nodeClient } from './clients/node.ts';
import { opensslClient } from './clients/openssl.ts';
import { strongSwan } from './clients/strongswan.ts';

/** All clients. */
export const clients: readonly Client[] = [
  strongSwan,
  curlClient,
  opensslClient,
  estclient,
  nodeClient,
  {
    name: 'broken input by curl and s_client',
    gate: 'est',
    version: curlClient.version,
    operations: refusals(brokenInputs),
  },
];
