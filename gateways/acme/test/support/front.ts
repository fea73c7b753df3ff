// What the tests over the wire share: one keep, one gate in front of it, and a client.

import type { AcmeClient, Directory } from './client.ts';
import type { TestCore } from './core.ts';
import type { TestGate } from './gate.ts';

/** It is there once the tests run. */
export type Front = {
  readonly core: TestCore;
  readonly gate: TestGate;
  readonly client: AcmeClient;
  readonly directory: Directory;
};
