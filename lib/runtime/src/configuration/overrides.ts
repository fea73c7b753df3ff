// Values from outside of the file: `--set path=value` and GATEHOUSE_… variables, put over what the file says.
// An override that names nothing known is an error, like an unknown key in the file; it must never be dropped silently.

import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { suggestion } from './nearest.ts';
import { formatPath, type KeyPath, type YamlProblem } from './problem.ts';
import { type Schema, shapeFor } from './schema-shape.ts';

/** One value to be put at a place; `path` starts with the section. */
export type Override = { readonly path: KeyPath; readonly text: string; readonly source: string };

/** Overrides, and what was wrong with others. */
export type Overrides = { readonly overrides: readonly Override[]; readonly problems: readonly YamlProblem[] };

/** Reads `--set` arguments. A key that contains a dot is put in double quotes: est.labels."a.b".profile=x */
export function readSetArguments(texts: readonly string[]): Overrides {
  const overrides: Override[] = [];
  const problems: YamlProblem[] = [];
  for (const text of texts) {
    const parts = /^((?:"[^"]+"|[^"=.]+)(?:\.(?:"[^"]+"|[^"=.]+))*)=(.*)$/s.exec(text);
    const [, name, value] = parts ?? [];
    if (name === undefined || value === undefined) {
      problems.push({
        line: 0,
        column: 0,
        path: '',
        message: "write it as path=value, like 'est.listen.port=7030'",
        source: '--set',
      });
      continue;
    }
    const path = [...name.matchAll(/"([^"]+)"|([^".]+)/g)].map(([, quoted, plain]) => quoted ?? segment(plain ?? ''));
    overrides.push({ path, text: value, source: `--set ${name}` });
  }
  return { overrides, problems };
}

function segment(text: string): string | number {
  return /^(?:0|[1-9]\d{0,5})$/.test(text) ? Number(text) : text;
}

/**
 * A variable of this section that matches no key: an error, unless the configuration itself names it as the place of a
 * secret.
 */
export type UnknownVariable = { readonly name: string; readonly problem: YamlProblem };

/**
 * Reads the GATEHOUSE_<SECTION>_… variables of one section. Words are matched against the schema's keys regardless of
 * case; a key of several words may be written together or with underscores (maximumConnections: MAXIMUMCONNECTIONS or
 * MAXIMUM_CONNECTIONS).
 *
 * @param value the section as it stands in the file: keys of records can only be matched if the file has them
 */
export function readVariables(
  section: string,
  schema: Schema,
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly overrides: readonly Override[]; readonly unknown: readonly UnknownVariable[] } {
  const prefix = `GATEHOUSE_${section.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase()}_`;
  const overrides: Override[] = [];
  const unknown: UnknownVariable[] = [];
  for (const [name, text] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (text === undefined || !name.toUpperCase().startsWith(prefix)) continue;
    const matches = matchWords([schema], value, name.slice(prefix.length).split('_'));
    const [path] = matches;
    if (path !== undefined && matches.length === 1) {
      overrides.push({ path: [section, ...path], text, source: name });
      continue;
    }
    const message =
      matches.length > 1
        ? `may mean ${matches.map((match) => formatPath([section, ...match])).join(' or ')}; use --set instead`
        : `no such setting${suggestion(normal(name.slice(prefix.length)), leafNames(schema, value))}`;
    unknown.push({ name, problem: { line: 0, column: 0, path: '', message, source: name } });
  }
  return { overrides, unknown };
}

function matchWords(schemas: readonly Schema[], value: unknown, words: readonly string[]): readonly KeyPath[] {
  if (words.length === 0) return [[]];
  const shape = shapeFor(schemas, value);
  const matches: KeyPath[] = [];
  for (let count = 1; count <= words.length; count++) {
    const word = words.slice(0, count).join('').toLowerCase();
    for (const [key, inner] of membersOf(shape, value)) {
      if (normal(String(key)) !== word) continue;
      matches.push(...matchWords(inner, member(value, key), words.slice(count)).map((rest) => [key, ...rest]));
    }
  }
  return matches;
}

type Members = readonly (readonly [string | number, readonly Schema[]])[];

function membersOf(shape: ReturnType<typeof shapeFor>, value: unknown): Members {
  switch (shape.kind) {
    case 'object':
      return [...shape.keys];
    case 'record':
      return Object.keys(typeof value === 'object' ? (value ?? {}) : {}).map((key) => [key, [shape.values]] as const);
    case 'array':
      return (Array.isArray(value) ? value : []).map((_, index) => [index, [shape.items]] as const);
    case 'value':
      return [];
  }
}

function leafNames(schema: Schema, value: unknown): readonly string[] {
  const names: string[] = [];
  const walk = (schemas: readonly Schema[], inner: unknown, prefix: string, depth: number): void => {
    for (const [key, next] of depth > 6 ? [] : membersOf(shapeFor(schemas, inner), inner)) {
      const name = prefix === '' ? String(key).toUpperCase() : `${prefix}_${String(key).toUpperCase()}`;
      names.push(name);
      walk(next, member(inner, key), name, depth + 1);
    }
  };
  walk([schema], value, '', 0);
  return names;
}

function normal(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
}

function member(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

/**
 * Puts an override into the section's value (changed in place, ways that are missing are made).
 *
 * The text is read as a YAML scalar or flow value; where that does not fit the schema but the plain text does, the text
 * is taken (a password '1234' is a text).
 */
export function applyOverride(
  root: Record<string | number, unknown>,
  schema: z.ZodType,
  override: Override,
): YamlProblem | undefined {
  const [, ...path] = override.path;
  const problem = (message: string): YamlProblem => ({
    line: 0,
    column: 0,
    path: formatPath(override.path),
    message,
    source: override.source,
  });
  const last = path.pop();
  if (last === undefined) return problem('name a key of the section, not the section itself');
  let schemas: readonly Schema[] = [schema];
  let place: Record<string | number, unknown> = root;
  for (const key of path) {
    if (Array.isArray(place) && (typeof key !== 'number' || key >= place.length))
      return problem(`the list has no item ${key}`);
    schemas = schemasOf(schemas, place, key);
    const next = Object.hasOwn(place, key) ? place[key] : undefined;
    // Copied on the way down: what a YAML alias stands for must not change along with the place that is set.
    const copy: object = Array.isArray(next) ? [...next] : typeof next === 'object' ? { ...next } : {};
    place = put(place, key, copy) as Record<string | number, unknown>;
  }
  if (Array.isArray(place) && (typeof last !== 'number' || last > place.length))
    return problem(`the list has no item ${last}`);
  const value = readValue(override.text, schemasOf(schemas, place, last));
  if (!value.ok) return problem(value.message);
  put(place, last, value.value);
  return undefined;
}

/** Sets an own property whatever its name is ('__proto__' too, which is then an unknown key like any other). */
function put<T>(place: object, key: string | number, value: T): T {
  Object.defineProperty(place, key, { value, writable: true, enumerable: true, configurable: true });
  return value;
}

function schemasOf(schemas: readonly Schema[], value: unknown, key: string | number): readonly Schema[] {
  const shape = shapeFor(schemas, value);
  switch (shape.kind) {
    case 'object':
      return shape.keys.get(String(key)) ?? [];
    case 'record':
      return [shape.values];
    case 'array':
      return [shape.items];
    case 'value':
      return [];
  }
}

type Reading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string };

function readValue(text: string, schemas: readonly Schema[]): Reading {
  const fits = (value: unknown): boolean => schemas.some((schema) => (schema as z.ZodType).safeParse(value).success);
  const document = parseDocument(text, { prettyErrors: false });
  const isYaml = document.errors.length === 0;
  const value: unknown = isYaml ? document.toJS({ maxAliasCount: 0 }) : undefined;
  if (isYaml && (typeof value === 'string' || fits(value))) return { ok: true, value };
  if (fits(text)) return { ok: true, value: text };
  return isYaml ? { ok: true, value } : { ok: false, message: 'the value is not a YAML scalar or flow value' };
}
