// The configuration file as a mapping of sections whose values know where they stood.

import { readFileSync } from 'node:fs';
import { type Position, readYaml } from './document.ts';
import type { KeyPath, YamlProblem } from './problem.ts';

/** The sections of a file, and where their keys stand. */
export type Sections = {
  readonly content: Readonly<Record<string, unknown>>;
  readonly locate: (path: KeyPath) => Position;
};

/** A file that was read, or why it cannot be. */
export type SectionsResult =
  | { readonly ok: true; readonly sections: Sections }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] };

/** Reads the file; without one there are no sections. */
export function readSections(file: string | undefined): SectionsResult {
  if (file === undefined) return { ok: true, sections: { content: {}, locate: () => ({ line: 0, column: 0 }) } };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'the file does not exist'
        : `cannot be read: ${String(error)}`;
    return { ok: false, problems: [{ line: 0, column: 0, path: '', message }] };
  }
  const yaml = readYaml(text);
  if (!yaml.ok) return { ok: false, problems: yaml.problems };
  const value = yaml.value ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { ok: false, problems: [{ line: 1, column: 1, path: '', message: 'must be a mapping of sections' }] };
  }
  return { ok: true, sections: { content: value as Record<string, unknown>, locate: yaml.locate } };
}

/** A section as it stands in the file; undefined when it is no mapping. */
export function sectionIn({ content }: Sections, section: string): Record<string | number, unknown> | undefined {
  const value = content[section] ?? {};
  return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string | number, unknown>) : undefined;
}
