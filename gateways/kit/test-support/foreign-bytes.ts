// Foreign bytes for property tests: noise, messages with octets changed or cut, and messages whose lengths are right and
// whose elements are not. The last kind gets past the first reader and reaches the code behind it.

import { DerCursor, DerError } from '@gatehouse/pkix/der/reader';
import { wrap } from '@gatehouse/pkix/der/writer';
import fc from 'fast-check';

type Tree = { readonly tag: number; readonly parts: readonly Tree[] | Uint8Array };

/** Noise, and broken forms of the seeds. */
export function foreignBytes(...seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    ...seeds.map(damaged),
    ...seeds.map((seed) => ({ weight: 3, arbitrary: restructured(seed) })),
  );
}

function damaged(seed: Uint8Array): fc.Arbitrary<Uint8Array> {
  const position = fc.nat({ max: seed.length - 1 });
  return fc.oneof(
    fc.tuple(position, fc.nat({ max: 255 })).map(([at, octet]) => Uint8Array.from(seed).fill(octet, at, at + 1)),
    position.map((at) => seed.slice(0, at)),
    fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([at, more]) => {
      return Buffer.concat([seed.subarray(0, at), more, seed.subarray(at)]);
    }),
  );
}

function restructured(seed: Uint8Array): fc.Arbitrary<Uint8Array> {
  const [tree] = readTrees(seed) ?? [];
  if (tree === undefined) throw new Error('the seed is no DER');
  const edit = fc.tuple(fc.nat({ max: count(tree) - 1 }), changes);
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    let trees: readonly Tree[] = [tree];
    for (const [index, change] of edits) trees = trees.flatMap((one) => replace(one, index % count(one), change));
    return Buffer.concat(trees.map(toBytes));
  });
}

const leaf: fc.Arbitrary<Tree> = fc.record({
  tag: fc.constantFrom(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x18, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xa2),
  parts: fc.uint8Array({ maxLength: 12 }),
});

const changes: fc.Arbitrary<(node: Tree) => readonly Tree[]> = fc.oneof(
  fc.constant(() => []),
  fc.constant((node: Tree) => [node, node]),
  leaf.map((other) => () => [other]),
  leaf.map((other) => (node: Tree) => [node, other]),
  leaf.map(({ tag }) => (node: Tree) => [{ ...node, tag }]),
  leaf.map(({ parts }) => (node: Tree) => [{ ...node, parts }]),
);

function readTrees(bytes: Uint8Array): readonly Tree[] | undefined {
  const trees: Tree[] = [];
  try {
    for (const cursor = new DerCursor(bytes); !cursor.isAtEnd; ) {
      const { tag, contents } = cursor.read();
      // Contents of messages are DER inside of strings.
      const mayNest = (tag & 0x20) !== 0 || (tag === 0x04 && contents.length > 2);
      trees.push({ tag, parts: (mayNest ? readTrees(contents) : undefined) ?? contents });
    }
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
  return trees;
}

function toBytes({ tag, parts }: Tree): Uint8Array {
  return parts instanceof Uint8Array ? wrap(tag, parts) : wrap(tag, ...parts.map(toBytes));
}

function count({ parts }: Tree): number {
  return 1 + (parts instanceof Uint8Array ? 0 : parts.reduce((sum, part) => sum + count(part), 0));
}

// Replaces the node with this index, in the order of the encoding.
function replace(tree: Tree, index: number, change: (node: Tree) => readonly Tree[]): readonly Tree[] {
  if (index === 0) return change(tree);
  if (tree.parts instanceof Uint8Array) return [tree];
  let left = index - 1;
  const parts = tree.parts.flatMap((part) => {
    const size = count(part);
    const isInside = left >= 0 && left < size;
    const changed = isInside ? replace(part, left, change) : [part];
    left -= size;
    return changed;
  });
  return [{ ...tree, parts }];
}
