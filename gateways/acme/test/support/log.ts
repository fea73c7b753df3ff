// A log whose lines a test can read.

import { createLog, type Logger } from '@gatehouse/runtime/log';

/** A log, and what was written to it. */
export type TestLog = { readonly log: Logger; lines(): readonly Readonly<Record<string, unknown>>[] };

/** Creates it. */
export function createTestLog(): TestLog {
  const written: string[] = [];
  const log = createLog({ name: 'test', level: 'debug', destination: { write: (line) => void written.push(line) } });
  return { log, lines: () => written.map((line) => JSON.parse(line)) };
}
