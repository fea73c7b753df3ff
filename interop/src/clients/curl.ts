// curl, with CSRs made by openssl: what scripts, containers and many devices use for EST. It reaches all of the protocol,
// since whoever writes the command decides on every header.

import assert from 'node:assert/strict';
import type { Client } from '../client.ts';
import { output } from '../command.ts';
import { distribution } from '../curl/distribution.ts';
import { enrollment } from '../curl/enrollment.ts';
import { renewal } from '../curl/renewal.ts';
import { serverKeyGeneration } from '../curl/server-key-generation.ts';

/** curl. */
export const curlClient: Client = {
  name: 'curl',
  gate: 'est',
  version: async () => {
    const said = (await output('curl', ['--version'])).toString('latin1');
    const version = /^curl (\S+)/.exec(said)?.[1];
    assert(version !== undefined, 'curl --version names no version');
    return version;
  },
  operations: [...distribution, ...enrollment, ...renewal, ...serverKeyGeneration],
};
