// Encrypted keys and CMC, said over the wire against one running stack: the suites are in wire/.

import { after } from 'node:test';
import { createClient } from './support/client.ts';
import { settings } from './support/cms-settings.ts';
import { startStack } from './support/stack.ts';
import { cmcCertificateTests } from './wire/cmc-certificates.ts';
import { cmcLinkTests } from './wire/cmc-links.ts';
import { cmcPendingTests } from './wire/cmc-pending.ts';
import { cmcRefusalTests } from './wire/cmc-refusals.ts';
import { cmcRequestTests } from './wire/cmc-requests.ts';
import { cmcRevocationTests } from './wire/cmc-revocation.ts';
import { encryptedKeyTests } from './wire/encrypted-keys.ts';

const stack = await startStack(settings);
after(() => stack.stop());
const send = createClient(stack.url, stack.trustAnchor);

encryptedKeyTests(stack, send);
cmcRequestTests(stack, send);
cmcCertificateTests(stack, send);
cmcLinkTests(send);
cmcPendingTests(stack, send);
cmcRevocationTests(stack, send);
cmcRefusalTests(send);
