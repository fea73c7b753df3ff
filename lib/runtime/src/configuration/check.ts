// Checks plain data against a zod schema and says in a person's words what is wrong, key by key.
// Every unknown key is a problem, also in schemas that would let it pass; values are never repeated.

import type { z } from 'zod';
import { describeIssue } from './issue.ts';
import { suggestion } from './nearest.ts';
import { formatPath, type KeyPath } from './problem.ts';
import { type Schema, shapeFor } from './schema-shape.ts';

/** A problem before it has a place. */
export type Finding = { readonly path: KeyPath; readonly message: string };

/** The checked value, or all that is wrong. */
export type CheckResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Checks `value`. Unknown keys come first: they are the usual cause of whatever else is missing. */
export function check<S extends z.ZodType>(schema: S, value: unknown): CheckResult<z.output<S>> {
  const unknown = unknownKeys([schema], value, []);
  const result = schema.safeParse(value);
  if (result.success && unknown.length === 0) return { ok: true, value: result.data };
  const all = [...unknown];
  for (const issue of result.success ? [] : result.error.issues) {
    // What zod says about unknown keys was found already, with a suggestion, unless a schema hides its keys from us.
    for (const finding of findings(issue, value, [], unknown)) {
      const name = formatPath(finding.path);
      if (issue.code !== 'unrecognized_keys' || !all.some((known) => formatPath(known.path) === name))
        all.push(finding);
    }
  }
  return { ok: false, findings: all };
}

function unknownKeys(schemas: readonly Schema[], value: unknown, path: KeyPath): readonly Finding[] {
  if (typeof value !== 'object' || value === null) return [];
  const shape = shapeFor(schemas, value);
  if (Array.isArray(value)) {
    return shape.kind === 'array'
      ? value.flatMap((item, index) => unknownKeys([shape.items], item, [...path, index]))
      : [];
  }
  const entries = Object.entries(value);
  if (shape.kind === 'record')
    return entries.flatMap(([key, item]) => unknownKeys([shape.values], item, [...path, key]));
  if (shape.kind !== 'object') return [];
  return entries.flatMap(([key, item]) => {
    const schemasOfKey = shape.keys.get(key);
    if (schemasOfKey !== undefined) return unknownKeys(schemasOfKey, item, [...path, key]);
    return shape.isOpen
      ? []
      : [{ path: [...path, key], message: `unknown key${suggestion(key, [...shape.keys.keys()])}` }];
  });
}

function findings(
  issue: z.core.$ZodIssue,
  root: unknown,
  prefix: KeyPath,
  unknown: readonly Finding[],
): readonly Finding[] {
  const own = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
  const path: KeyPath = [...prefix, ...own];
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
    case 'invalid_union':
      return issue.errors.length === 0
        ? [{ path, message: describeIssue(issue, value) }]
        : unionFindings(issue, root, path, unknown);
    default:
      return [{ path, message: describeIssue(issue, value) }];
  }
}

/**
 * Of the forms that a value may have, shows the problems of the one that it resembles most; when several are equally
 * near, names them all.
 */
function unionFindings(
  union: z.core.$ZodIssueInvalidUnion,
  root: unknown,
  path: KeyPath,
  unknown: readonly Finding[],
): readonly Finding[] {
  const value = valueAt(root, path);
  if (value === undefined) return [{ path, message: 'is required' }];
  // A mistyped key explains why no form fits; what each form misses would only confuse.
  const here = formatPath(path);
  if (unknown.some((finding) => formatPath(finding.path.slice(0, -1)) === here)) return [];
  const depth = (branch: readonly z.core.$ZodIssue[]): number => Math.min(...branch.map((issue) => issue.path.length));
  const branches = union.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
  const [best = [], second] = branches;
  if (second === undefined || depth(best) > depth(second) || best.length < second.length) {
    return best.flatMap((issue) => findings(issue, root, path, unknown));
  }
  const forms = branches
    .flatMap((branch) => branch.slice(0, 1))
    .map((issue) => {
      const name = formatPath(issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment)));
      const message = describeIssue(issue, valueAt(value, issue.path as KeyPath));
      return name === '' ? message : `'${name}' ${message}`;
    });
  return [{ path, message: `has none of the allowed forms: ${[...new Set(forms)].join(', or ')}` }];
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return value;
}
