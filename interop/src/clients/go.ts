// Go's crypto/x509 and golang.org/x/crypto/ocsp: what reads status in most software of clouds and containers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checks } from '../checkers/checker.ts';
import type { Client } from '../client.ts';

/** Where interop/install-clients.sh puts it. */
export const goProgram = fileURLToPath(new URL('../../.work/bin/status-checker', import.meta.url));

/** Go. */
export const goClient: Client = {
  name: 'Go crypto/x509 and x/crypto/ocsp',
  gate: 'status',
  version: async () => {
    const pinned = readFileSync(new URL('../../go/go.mod', import.meta.url), 'utf8');
    const version = /golang\.org\/x\/crypto v(\S+)/.exec(pinned)?.[1];
    assert(version !== undefined, 'go.mod pins no version');
    return version;
  },
  operations: checks([goProgram]),
};
