// Everything that is said over the wire, against one running stack: the suites are in wire/.

import { after } from 'node:test';
import { createClient } from './support/client.ts';
import { settings } from './support/settings.ts';
import { startStack } from './support/stack.ts';
import { csrAttributesTests } from './wire/csr-attributes.ts';
import { enrollmentTests } from './wire/enrollment.ts';
import { generatedKeyTests } from './wire/generated-keys.ts';
import { proofTests } from './wire/proofs.ts';
import { refusalTests } from './wire/refusals.ts';
import { renewalTests } from './wire/renewal.ts';

const stack = await startStack(settings);
after(() => stack.stop());
const send = createClient(stack.url, stack.trustAnchor);

enrollmentTests(stack, send);
renewalTests(stack, send);
proofTests(stack, send);
csrAttributesTests(send);
generatedKeyTests(stack, send);
refusalTests(send);
