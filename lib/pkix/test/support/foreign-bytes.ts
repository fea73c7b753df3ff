// Foreign bytes for property tests: noise, damaged messages, and messages whose DER is whole but whose structure is not.
// The last kind gets past the lengths and reaches the code behind them.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DerCursor, type DerElement } from '../../src/der/reader.ts';
import { wrap } from '../../src/der/writer.ts';
import type { PkixError } from '../../src/errors.ts';

type Tree = { readonly tag: number; readonly prefix: Uint8Array; readonly parts: readonly Tree[] | Uint8Array };

function toTree(element: DerElement): Tree {
  const { tag, contents } = element;
  const none = new Uint8Array(0);
  if ((tag & 0x20) !== 0) return { tag, prefix: none, parts: readTrees(contents) ?? contents };
  // Keys, extensions and CMS contents are DER inside of strings; a BIT STRING has its count of unused bits in front.
  const prefix = tag === 0x03 ? contents.subarray(0, 1) : none;
  const inner = tag === 0x03 || tag === 0x04 ? readTrees(contents.subarray(prefix.length)) : undefined;
  return inner === undefined || inner.length === 0
    ? { tag, prefix: none, parts: contents }
    : { tag, prefix, parts: inner };
}

function readTrees(bytes: Uint8Array): Tree[] | undefined {
  const trees: Tree[] = [];
  try {
    for (const cursor = new DerCursor(bytes); !cursor.isAtEnd; ) trees.push(toTree(cursor.read()));
  } catch {
    return undefined;
  }
  return trees;
}

function toBytes({ tag, prefix, parts }: Tree): Uint8Array {
  return parts instanceof Uint8Array ? wrap(tag, parts) : wrap(tag, prefix, ...parts.map(toBytes));
}

function count(tree: Tree): number {
  return 1 + (tree.parts instanceof Uint8Array ? 0 : tree.parts.reduce((sum, part) => sum + count(part), 0));
}

// Replaces the node with this index (in order of the encoding) by what `change` makes of it.
function replace(tree: Tree, index: number, change: (node: Tree) => readonly Tree[]): readonly Tree[] {
  if (index === 0) return change(tree);
  if (tree.parts instanceof Uint8Array) return [tree];
  let left = index - 1;
  const parts = tree.parts.flatMap((part) => {
    const size = count(part);
    const changed = left >= 0 && left < size ? replace(part, left, change) : [part];
    left -= size;
    return changed;
  });
  return [{ ...tree, parts }];
}

const leaf: fc.Arbitrary<Tree> = fc.record({
  tag: fc.constantFrom(
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0a,
    0x0c,
    0x13,
    0x16,
    0x17,
    0x18,
    0x1e,
    0x30,
    0x31,
    0x80,
    0x82,
    0xa0,
    0xa3,
  ),
  prefix: fc.constant(new Uint8Array(0)),
  parts: fc.uint8Array({ maxLength: 24 }),
});

const changes: fc.Arbitrary<(node: Tree) => readonly Tree[]> = fc.oneof(
  fc.constant(() => []),
  fc.constant((node: Tree) => [node, node]),
  leaf.map((other) => () => [other]),
  leaf.map((other) => (node: Tree) => [node, other]),
  leaf.map((other) => (node: Tree) => [{ ...node, tag: other.tag }]),
  leaf.map((other) => (node: Tree) => [{ ...node, parts: other.parts }]),
  fc.constant((node: Tree) => [{ tag: 0x30, prefix: new Uint8Array(0), parts: [node] }]),
);

/** The seed with up to three of its elements removed, doubled, replaced or changed, all lengths right again. */
export function restructured(seed: Uint8Array): fc.Arbitrary<Uint8Array> {
  const tree = toTree(new DerCursor(seed).read());
  const edit = fc.tuple(fc.nat({ max: count(tree) - 1 }), changes);
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    let trees: readonly Tree[] = [tree];
    for (const [index, change] of edits) trees = trees.flatMap((each) => replace(each, index % count(each), change));
    return Buffer.concat(trees.map(toBytes));
  });
}

/** The seed with some octets changed, or cut off, or with some inserted. */
export function damaged(seed: Uint8Array): fc.Arbitrary<Uint8Array> {
  const position = fc.nat({ max: seed.length - 1 });
  const flips = fc.array(fc.tuple(position, fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    flips.map((list) => {
      const copy = Uint8Array.from(seed);
      for (const [at, octet] of list) copy[at] = octet;
      return copy;
    }),
    position.map((at) => seed.slice(0, at)),
    fc
      .tuple(position, fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([at, more]) => Buffer.concat([seed.subarray(0, at), more, seed.subarray(at)])),
  );
}

/** Noise and broken forms of the seeds. */
export function foreignBytes(...seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    ...seeds.map(damaged),
    ...seeds.map((seed) => ({ weight: 3, arbitrary: restructured(seed) })),
  );
}

type ErrorClass = abstract new (...parameters: never[]) => PkixError;

/** Proves that a reader takes foreign bytes or throws one of its own errors with a detail, and nothing else. */
export function assertOnlyThrows(
  read: (bytes: Uint8Array) => unknown,
  errors: readonly ErrorClass[],
  bytes: fc.Arbitrary<Uint8Array>,
  numRuns = 1500,
): void {
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        read(input);
      } catch (error) {
        assert.ok(
          errors.some((type) => error instanceof type),
          `threw ${String(error)}`,
        );
        assert.ok((error as PkixError).detail.length < 1000 && !(error as PkixError).detail.includes('\n'));
      }
    }),
    { numRuns },
  );
}

/** Octets of base64 or hexadecimal text. */
export function octets(text: string, encoding: 'base64' | 'hex' = 'hex'): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), encoding);
}
