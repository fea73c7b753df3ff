// The front of the gate over TLS: one keep and one gate for all suites, since each of them makes accounts of its own.

import { after, before, describe } from 'node:test';
import { AcmeClient } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import type { Front } from './support/front.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { describeAccounts } from './wire/accounts.ts';
import { describeExternalAccounts } from './wire/external-accounts.ts';
import { describeHeaders } from './wire/headers.ts';
import { describeKeyChange } from './wire/key-change.ts';
import { describeLimits } from './wire/limits.ts';
import { describeNonces } from './wire/nonces.ts';
import { describeOrigins } from './wire/origins.ts';
import { describeSignatures } from './wire/signatures.ts';

/** Terms of the gate that the suites share. */
export const termsOfService = 'https://ca.example.com/terms/v1';

describe('over the wire', () => {
  let core: TestCore;
  let gate: TestGate;
  let client: AcmeClient;
  let directory: Front['directory'];
  before(async () => {
    core = await startCore();
    const acme = { termsOfService, website: 'https://ca.example.com/', caaIdentities: ['ca.example.com'] };
    gate = await startGate({ core, acme });
    client = new AcmeClient(gate);
    directory = await client.directory();
  });
  after(async () => {
    client?.close();
    await gate?.stop();
    await core?.stop();
  });
  const front = (): Front => ({ core, gate, client, directory });
  describeHeaders(front);
  describeSignatures(front);
  describeNonces(front);
  describeAccounts(front);
  describeExternalAccounts(front);
  describeKeyChange(front);
  describeOrigins(front);
  describeLimits(front);
});
