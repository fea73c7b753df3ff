import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const here = import.meta.dirname;

describe('README: conformance', () => {
  const readme = readFileSync(join(here, '../README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Conformance'), readme.indexOf('## Where we depart'));
  const lastCells = table.split('\n').map((row) => row.split(' | ').at(-1) ?? '');
  const named = new Set(lastCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')));
  const suites = new Set(
    globSync('**/*.test.ts', { cwd: here }).flatMap((file) =>
      [...readFileSync(join(here, file), 'utf8').matchAll(/describe\('([^']+)'/g)].map(([, name]) => name ?? ''),
    ),
  );

  it('names suites that exist', () => {
    assert.ok(named.size > 20);
    assert.deepEqual(
      [...named].filter((name) => !suites.has(name)),
      [],
    );
  });

  it('leaves out none that is about a section', () => {
    assert.deepEqual(
      [...suites].filter((name) => name.startsWith('RFC') && !named.has(name)),
      [],
    );
  });
});
