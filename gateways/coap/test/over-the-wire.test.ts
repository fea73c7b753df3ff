// Everything that is said over the wire, against one running stack: the suites are in wire/.

import { after } from 'node:test';
import { disconnectAll } from './support/device.ts';
import { settings } from './support/settings.ts';
import { startStack } from './support/stack.ts';
import { delayTests } from './wire/delays.ts';
import { discoveryTests } from './wire/discovery.ts';
import { enrollmentTests } from './wire/enrollment.ts';
import { generatedKeyTests } from './wire/generated-keys.ts';
import { messageTests } from './wire/messages.ts';
import { proofTests } from './wire/proofs.ts';
import { refusalTests } from './wire/refusals.ts';
import { stockClientTests } from './wire/stock-client.ts';

const stack = await startStack(settings);
after(async () => {
  disconnectAll();
  await stack.stop();
});

enrollmentTests(stack);
discoveryTests(stack);
generatedKeyTests(stack);
proofTests(stack);
delayTests(stack);
refusalTests(stack);
messageTests(stack);
stockClientTests(stack);
