// What this program calls itself in statements and in the registry.

import { readFileSync } from 'node:fs';
import { z } from 'zod';

const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** At most 64 octets. */
export const build: string = `gatehouse/${z.object({ version: z.string().max(32) }).parse(manifest).version}`;
