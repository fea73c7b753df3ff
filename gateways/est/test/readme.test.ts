import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const here = import.meta.dirname;
/** What EST over HTTPS shares with EST over CoAP is tested where it lives. */
const testFolders = [here, join(here, '../../kit/test/est')];

describe('README: conformance', () => {
  it('names suites that exist, and every suite that is about a section', () => {
    const readme = readFileSync(join(here, '../README.md'), 'utf8');
    const table = readme.slice(readme.indexOf('## Conformance'), readme.indexOf('## Where we depart'));
    const named = new Set([...table.matchAll(/`([^`]+: [^`]+|[a-z][^`|]+)`/g)].map(([, name]) => name ?? ''));
    const suites = new Set(testFolders.flatMap(suitesIn));
    const missing = [...named].filter((name) => !suites.has(name));
    assert.deepEqual(missing, [], 'suites that the table names');
    const untold = [...suites].filter((name) => isOfThisGate(name) && !named.has(name) && !isPartOf(name, named));
    assert.deepEqual(untold, [], 'suites that the table leaves out');
  });
});

function suitesIn(folder: string): readonly string[] {
  return globSync('**/*.ts', { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/describe\('([^']+)'/g)].map(([, name]) => name ?? ''),
  );
}

// RFC 9148 is the CoAP gate's, whose README has a table of its own.
function isOfThisGate(name: string): boolean {
  return /^(?:RFC|IEEE)/.test(name) && !name.startsWith('RFC 9148');
}

function isPartOf(name: string, named: ReadonlySet<string>): boolean {
  const section = /^(RFC \d+)/.exec(name)?.[1] ?? name;
  return [...named].some((other) => other.startsWith(section));
}
