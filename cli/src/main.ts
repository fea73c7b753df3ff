/** The `gatehouse` command: reads the command line and hands over to one command. */
import { FatalError } from '@gatehouse/runtime/fatal';
import { refuseOldNode } from '@gatehouse/runtime/lifecycle';
import { createProgram } from './program.ts';

refuseOldNode();

// A reader that has seen enough (head, grep -q) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: Error) => {
    if (!('code' in error && error.code === 'EPIPE')) throw error;
  });
}

try {
  await createProgram().parseAsync();
} catch (error) {
  // Loaded only now: it knows the errors of the contract, which are slow to load.
  const { describeFailure } = await import('./failure.ts');
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = error instanceof FatalError ? error.exitCode : 1;
}
