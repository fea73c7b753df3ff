import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allLints } from '../../src/lint/all-lints.ts';
import { type Lint, type LintPolicy, lintCertificate, lintIds, readLintSubject } from '../../src/lint/lint.ts';
import { trips } from './trips.ts';

const everything: LintPolicy = { sets: ['rfc5280', 'cabf-br'], refuseAt: 'warning', except: [] };

const byCitation = new Map<string, Lint[]>();
for (const lint of allLints) byCitation.set(lint.citation, [...(byCitation.get(lint.citation) ?? []), lint]);

for (const [citation, lints] of byCitation) {
  describe(citation, () => {
    for (const lint of lints) {
      const examples = trips[lint.id] ?? [];
      it(`${lint.id}: ${lint.description}`, () => {
        assert.notEqual(examples.length, 0, 'no example trips this lint');
        for (const [i, tbs] of examples.entries()) {
          const finding = lintCertificate(readLintSubject(tbs), everything).find((one) => one.lint === lint);
          assert.ok(finding, `example ${i} is not found`);
          assert.ok(
            !finding.detail.startsWith('cannot be judged') || lint.id === 'rfc5280-name-repertoire',
            finding.detail,
          );
          assert.match(finding.detail, /^[ -~…]+$/);
        }
      });
    }
  });
}

describe('BR §4.3.1.2: the table of lints', () => {
  it('has at least thirty lints, each with its own id', () => {
    assert.ok(allLints.length >= 30);
    assert.equal(lintIds.size, allLints.length);
  });

  it('gives each lint a source, a section, a date and a sentence', () => {
    for (const lint of allLints) {
      assert.match(lint.id, lint.source === 'cabf-br' ? /^cabf-br-[a-z0-9-]+$/ : /^rfc[0-9]{4}-[a-z0-9-]+$/);
      assert.match(lint.citation, lint.source === 'cabf-br' ? /^BR §/ : /^(?:RFC [0-9]{4} |X\.690 §)/);
      assert.equal(new Date(lint.effective).toISOString().slice(0, 10), lint.effective);
      assert.match(lint.description, /\.$/);
    }
  });

  it('has no example for a lint that does not exist', () => {
    assert.deepEqual(
      Object.keys(trips).filter((id) => !lintIds.has(id)),
      [],
    );
  });
});
