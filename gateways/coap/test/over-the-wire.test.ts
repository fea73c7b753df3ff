// Everything that is said over the wire, against one running stack: the suites are in wire/.

import { after } from 'node:test';
import { settings } from './support/settings.ts';
import { startStack } from './support/stack.ts';
import { discoveryTests } from './wire/discovery.ts';
import { enrollmentTests } from './wire/enrollment.ts';
import { generatedKeyTests } from './wire/generated-keys.ts';
import { refusalTests } from './wire/refusals.ts';
import { stockClientTests } from './wire/stock-client.ts';

const stack = await startStack(settings);
after(() => stack.stop());

enrollmentTests(stack);
discoveryTests(stack);
generatedKeyTests(stack);
refusalTests(stack);
stockClientTests(stack);
