// Runs in a worker: makes a hierarchy and stops, as a machine that loses its power does, before the rename with the number
// `stopBefore`. Nothing that stands after that in the code runs any more, not even a `finally`.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { workerData } from 'node:worker_threads';

const { options, stopBefore } = workerData;
const { renameSync } = fs;
let count = 0;
fs.renameSync = (from, to) => {
  if (++count === stopBefore) process.exit(1);
  renameSync(from, to);
};
syncBuiltinESMExports();
const { createHierarchy } = await import('../../src/authorities/create-hierarchy.ts');
await createHierarchy({ ...options, clock: { now: () => new Date() } });
