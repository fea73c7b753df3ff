// A YAML text as plain values that know where they stood: for every key the line and column a person must look at.
// YAML 1.2 core schema, unique keys, aliases limited; it must never construct anything but plain data.

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { KeyPath, YamlProblem } from './problem.ts';

/** A place in a text, counted from 1. */
export type Position = { readonly line: number; readonly column: number };

/** A text that was read as YAML. */
export type YamlText =
  | { readonly ok: true; readonly value: unknown; readonly locate: (path: KeyPath) => Position }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] };

const maximumLength = 4 * 1024 * 1024;

/** Reads one YAML document. An empty text is `null`. */
export function readYaml(text: string): YamlText {
  if (text.length > maximumLength) {
    return {
      ok: false,
      problems: [{ line: 1, column: 1, path: '', message: 'the file is too large for a configuration' }],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    return {
      ok: false,
      problems: mistakes.map((mistake) => ({ ...position(mistake.pos[0]), path: '', message: mistake.message })),
    };
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { ok: true, value, locate: (path) => position(offsetOf(document.contents, path)) };
  } catch (error) {
    // toJS throws on too many aliases and on aliases without an anchor.
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ line: 1, column: 1, path: '', message }] };
  }
}

/** Where the key of `path` stands; for what is missing, where its nearest ancestor stands. */
function offsetOf(root: unknown, path: KeyPath): number {
  let offset = startOf(root);
  let node = root;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
      if (pair === undefined) return offset;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment];
      if (node === undefined) return offset;
      offset = startOf(node);
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
