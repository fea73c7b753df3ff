// The process of the gate as the tests run it: `run-gate.ts DIR`.

import { runCoap } from '../../src/main.ts';

const [directory = ''] = process.argv.slice(2);
await runCoap({ directory });
