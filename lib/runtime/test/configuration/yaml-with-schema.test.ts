import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import fc from 'fast-check';
import { z } from 'zod';

type Tree = { readonly name: string; readonly children?: readonly Tree[] | undefined };
const tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ name: z.string(), children: z.array(tree).optional() }));

const schema = z.object({
  name: z.string().regex(/^[a-z-]+$/, 'must consist of lower-case letters and hyphens'),
  keys: z.array(z.object({ kind: z.string(), bits: z.int().min(2048).multipleOf(1024).optional() })).min(1),
  tree: tree.optional(),
  open: z.looseObject({ a: z.string() }).optional(),
  before: z.preprocess((value) => value, z.object({ known: z.string() })).optional(),
});

function problemsOf(text: string): readonly string[] {
  const result = parseYamlWithSchema(text, schema, 'profile.yaml');
  return result.ok ? [] : result.message.split('\n');
}

describe('YAML with a schema', () => {
  test('gives the value', () => {
    const result = parseYamlWithSchema('name: tls-server\nkeys:\n  - kind: ec\n', schema, 'profile.yaml');
    assert.deepEqual(result, { ok: true, value: { name: 'tls-server', keys: [{ kind: 'ec' }] } });
  });

  test('places a problem inside a list at its item', () => {
    assert.deepEqual(problemsOf('name: a\nkeys:\n  - kind: rsa\n    bits: 1024\n  - kidn: ec\n'), [
      "profile.yaml:5:5: keys.1.kidn: unknown key; did you mean 'kind'?",
      'profile.yaml:4:5: keys.0.bits: must be at least 2048',
      'profile.yaml:5:5: keys.1.kind: is required',
    ]);
  });

  test("uses the schema's own message where it has one", () => {
    assert.deepEqual(problemsOf('name: TLS\nkeys: []\n'), [
      'profile.yaml:1:1: name: must consist of lower-case letters and hyphens',
      'profile.yaml:2:1: keys: must have at least 1 entry',
    ]);
  });

  test('finds unknown keys also where the schema would let them pass', () => {
    assert.deepEqual(problemsOf('name: a\nkeys: [{ kind: ec, size: 5 }]\n'), [
      'profile.yaml:2:20: keys.0.size: unknown key; known here: bits, kind',
    ]);
  });

  test('finds unknown keys in schemas that refer to themselves', () => {
    assert.match(
      problemsOf('name: a\nkeys: [{ kind: ec }]\ntree: { name: x, children: [{ nam: y }] }\n')[0] ?? '',
      /^profile\.yaml:3:31: tree\.children\.0\.nam: unknown key; did you mean 'name'/,
    );
  });

  test('finds unknown keys behind a preprocessing step', () => {
    assert.deepEqual(problemsOf('name: a\nkeys: [{ kind: ec }]\nbefore: { known: x, knwon: y }\n'), [
      "profile.yaml:3:21: before.knwon: unknown key; did you mean 'known'?",
    ]);
  });

  test('lets other keys pass where the schema says that it is open', () => {
    assert.deepEqual(problemsOf('name: a\nkeys: [{ kind: ec }]\nopen: { a: x, b: y }\n'), []);
  });

  test('requires what an empty text lacks', () => {
    assert.deepEqual(problemsOf(''), ['profile.yaml:1:1: name: is required', 'profile.yaml:1:1: keys: is required']);
  });

  test('refuses a second document in the same text', () => {
    assert.match(problemsOf('name: a\n---\nname: b\n')[0] ?? '', /^profile\.yaml:2:1: /);
  });

  test('answers any text with a value or with problems that have a place, and never throws', () => {
    const pieces = fc.constantFrom(
      'name',
      'keys',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '!!binary ',
      '"',
      "'",
      '|',
      '#',
      '\t',
      '\0',
      'é',
      '%',
      '<<',
      '? ',
      ',',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
          fc.string(),
        ),
        (text) => {
          const result = parseYamlWithSchema(text, schema, 'x.yaml');
          if (result.ok) return;
          assert.ok(result.problems.length > 0);
          for (const problem of result.problems) assert.ok(problem.line >= 1 && problem.column >= 1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
