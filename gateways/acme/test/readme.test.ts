import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dialects } from './support/dialects.ts';

const here = import.meta.dirname;

describe('README: conformance', () => {
  const readme = readFileSync(join(here, '../README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('## Conformance'), readme.indexOf('## Where we depart'));
  const named = new Set(
    table
      .split('\n')
      .flatMap((row) => [...(row.split('|')[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')),
  );
  const suites = new Set(
    globSync('**/*.ts', { cwd: here }).flatMap((file) =>
      [...readFileSync(join(here, file), 'utf8').matchAll(/describe\((['`])(.+?)\1/g)].flatMap(([, , name = '']) =>
        // A suite for each database has its name at the end.
        name.includes('${') ? Object.keys(dialects).map((dialect) => name.replace(/\$\{\w+\}/, dialect)) : [name],
      ),
    ),
  );

  it('names suites that exist', () => {
    assert.ok(named.size > 30);
    assert.deepEqual(
      [...named].filter((name) => !suites.has(name)),
      [],
    );
  });

  it('leaves out no document that has a suite', () => {
    const documentOf = (name: string) => /^(RFC \d+|draft-[a-z-]+)/.exec(name)?.[1] ?? '';
    const untold = [...suites].map(documentOf).filter((document) => !table.includes(document));
    assert.deepEqual(untold, []);
  });
});
