// Everything that is said over the wire, against one running stack: the suites are in wire/.

import { after } from 'node:test';
import { settings } from './support/settings.ts';
import { startStack } from './support/stack.ts';
import { enrollmentTests } from './wire/enrollment.ts';
import { refusalTests } from './wire/refusals.ts';

const stack = await startStack(settings);
after(() => stack.stop());

enrollmentTests(stack);
refusalTests(stack);
