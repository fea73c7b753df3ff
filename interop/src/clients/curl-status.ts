// curl for status: what a mirror, a proxy or a script does with OCSP responses, CRLs and certificates of issuers over HTTP.

import type { Client } from '../client.ts';
import { caching } from '../curl/status-caching.ts';
import { certificates } from '../curl/status-certificates.ts';
import { ranges } from '../curl/status-ranges.ts';
import { curlClient } from './curl.ts';

/** curl for status. */
export const curlStatusClient: Client = {
  name: 'curl for status',
  gate: 'status',
  version: curlClient.version,
  operations: [...caching, ...ranges, ...certificates],
};
