// Where a running process says that it is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const schema = z.object({ management: z.string(), address: z.string().optional() });

/** Reads DIR/run/<name>.json. */
export function readRunFile(directory: string, name: string): z.output<typeof schema> {
  return schema.parse(JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8')));
}
