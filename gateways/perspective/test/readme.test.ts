import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { perspectiveSchema } from '@gatehouse/gateway-perspective/config';
import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { z } from 'zod';

const here = import.meta.dirname;
const readme = readFileSync(join(here, '../README.md'), 'utf8');

describe('README: conformance', () => {
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
      [...suites].filter((name) => /^(?:RFC|BR|draft|mpic)/.test(name) && !named.has(name)),
      [],
    );
  });
});

describe('README: the configuration', () => {
  it('is one that a perspective starts with', () => {
    const [, text = ''] = /```yaml\n(perspective:[^`]*)```/.exec(readme) ?? [];
    const result = parseYamlWithSchema(text, z.strictObject({ perspective: perspectiveSchema }), 'README.md');
    assert.ok(result.ok, result.ok ? '' : result.message);
    assert.equal(result.value.perspective.name, 'dublin');
  });
});
