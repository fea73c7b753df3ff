// A directory of its own for a test, gone when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Creates an empty directory that is removed after the test. */
export function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-runtime-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
