// A log whose lines a test can look at.

import { createLog, type Logger } from '@gatehouse/runtime/log';

/** Creates a log that keeps its lines, parsed. */
export function recordingLog(level = 'trace'): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { log: createLog({ name: 'test', level, destination }), lines };
}
