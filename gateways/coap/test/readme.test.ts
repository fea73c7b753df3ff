import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const here = import.meta.dirname;
const readme = readFileSync(join(here, '../README.md'), 'utf8');

describe('README: conformance', () => {
  it('names suites that exist, and every suite that is about a section', () => {
    const table = readme.slice(readme.indexOf('## Conformance'), readme.indexOf('## Where we depart'));
    const named = new Set([...table.matchAll(/`([^`]+: [^`]+|[a-z][^`|]+)`/g)].map(([, name]) => name ?? ''));
    const suites = new Set(
      globSync('**/*.ts', { cwd: here }).flatMap((file) =>
        [...readFileSync(join(here, file), 'utf8').matchAll(/describe\('([^']+)'/g)].map(([, name]) => name ?? ''),
      ),
    );
    const missing = [...named].filter((name) => !suites.has(name));
    assert.deepEqual(missing, [], 'suites that the table names');
    const untold = [...suites].filter((name) => /^RFC/.test(name) && !named.has(name) && !isPartOf(name, named));
    assert.deepEqual(untold, [], 'suites that the table leaves out');
  });
});

// A chapter of an RFC may have many suites; the table names some of them.
function isPartOf(name: string, named: ReadonlySet<string>): boolean {
  const section = /^(RFC \d+)/.exec(name)?.[1] ?? name;
  return [...named].some((other) => other.startsWith(section));
}
