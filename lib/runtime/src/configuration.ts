// One file, gatehouse.yaml, of which each process reads its own section; `--set` and GATEHOUSE_… variables override it.
// Nothing is guessed: an unknown key, an unknown variable or a wrong value ends the start, with the place and the
// nearest known name.

import type { z } from 'zod';
import { check } from './configuration/check.ts';
import { type Position, readYaml } from './configuration/document.ts';
import { readSections, type Sections, sectionIn } from './configuration/file.ts';
import { suggestion } from './configuration/nearest.ts';
import { applyOverride, readSetArguments, readVariables, type UnknownVariable } from './configuration/overrides.ts';
import { formatPath, formatProblem, type KeyPath, type YamlProblem } from './configuration/problem.ts';
import { shapeFor } from './configuration/schema-shape.ts';
import { FatalError } from './fatal.ts';

export type { YamlProblem } from './configuration/problem.ts';

/** EX_CONFIG of sysexits.h. */
const configurationExitCode = 78;

/**
 * A configuration that cannot be used; the message has one line for each problem, 'file:line:column: path: what is
 * wrong'.
 */
export class ConfigurationError extends FatalError {
  override readonly name = 'ConfigurationError';
  readonly code = 'configuration';
  readonly problems: readonly YamlProblem[];

  constructor(fileName: string, problems: readonly YamlProblem[]) {
    super(problems.map((problem) => formatProblem(fileName, problem)).join('\n'), { exitCode: configurationExitCode });
    this.problems = problems;
  }
}

/** What {@link loadConfiguration} takes. */
export type ConfigurationOptions<S extends z.ZodType> = {
  /** Schema of one section; its defaults fill what nobody says. */
  readonly schema: S;
  /** Name of the section: 'core', 'est'. */
  readonly section: string;
  /** Path of gatehouse.yaml; without one, only defaults and overrides count. */
  readonly file?: string | undefined;
  /**
   * `--set` arguments, 'path=value' with the path from the top of the file; those of other sections are passed over.
   */
  readonly set?: readonly string[] | undefined;
  /** Variables; the process's own unless told. GATEHOUSE_EST_LISTEN_PORT sets est.listen.port. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** All sections that the file may have; when given, any other is an error. */
  readonly sections?: readonly string[] | undefined;
};

/**
 * Reads one section.
 *
 * @example const configuration = loadConfiguration({ schema: estSchema, section: 'est', file, set });
 * @throws {ConfigurationError} with all problems at once
 */
export function loadConfiguration<S extends z.ZodType>(options: ConfigurationOptions<S>): z.output<S> {
  const { schema, section } = options;
  const fileName = options.file ?? 'configuration';
  const file = readFile(options.file, fileName);
  const { content, locate } = file;
  const problems: YamlProblem[] = [];
  if (options.sections !== undefined) {
    const known = [...options.sections, section];
    for (const name of Object.keys(content)) {
      if (!known.includes(name))
        problems.push({ ...locate([name]), path: name, message: `unknown section${suggestion(name, known)}` });
    }
  }

  const root = sectionIn(file, section);
  if (root === undefined) throw new ConfigurationError(fileName, [...problems, noMapping(section, locate)]);
  const variables = readVariables(section, schema, root, options.environment ?? process.env);
  const set = readSetArguments(options.set ?? []);
  problems.push(...set.problems);
  const sources = new Map<string, string>();
  // Later ones win: --set was typed for this start, a variable for this machine.
  for (const override of [...variables.overrides, ...set.overrides]) {
    if (override.path[0] !== section) {
      const name = String(override.path[0]);
      if (options.sections !== undefined && !options.sections.includes(name)) {
        problems.push({
          line: 0,
          column: 0,
          path: name,
          message: `unknown section${suggestion(name, [...options.sections, section])}`,
          source: override.source,
        });
      }
      continue;
    }
    const problem = applyOverride(root, schema, override);
    if (problem !== undefined) problems.push(problem);
    else sources.set(formatPath(override.path), override.source);
  }

  const result = check(schema, root);
  if (!result.ok) {
    for (const finding of result.findings)
      problems.push(placed([section, ...finding.path], finding.message, locate, sources));
  }
  const value = result.ok ? result.value : root;
  problems.push(...notNamedBy(value, variables.unknown).map((variable) => variable.problem));
  if (problems.length > 0 || !result.ok) throw new ConfigurationError(fileName, problems);
  return result.value;
}

/** What {@link loadSharedConfiguration} takes. */
export type SharedConfigurationOptions<S extends z.ZodType> = Pick<
  ConfigurationOptions<S>,
  'schema' | 'file' | 'set' | 'environment'
> & {
  /** Sections in which the keys may stand; the first that has one counts for that key. */
  readonly sections: readonly string[];
};

/**
 * Reads keys that several processes share, from whichever of their sections has them.
 *
 * The schema, an object, describes these keys and no others: what else stands in the sections, in variables or in `--set`
 * arguments is for the processes whose sections they are, and is passed over. Within the keys nothing is.
 *
 * @example const policy = loadSharedConfiguration({ schema: policySchema, sections: ['coap', 'est'], file, set });
 * @throws {ConfigurationError} with all problems at once, each in the section that has the key
 */
export function loadSharedConfiguration<S extends z.ZodType>(options: SharedConfigurationOptions<S>): z.output<S> {
  const { schema, sections } = options;
  const fileName = options.file ?? 'configuration';
  const file = readFile(options.file, fileName);
  const problems: YamlProblem[] = [];
  const sources = new Map<string, string>();
  const merged: Record<string, unknown> = {};
  const homes = new Map<string, string>();
  for (const section of sections) {
    const part = readPart(options, file, section, sources);
    problems.push(...part.problems);
    for (const [key, value] of Object.entries(part.root)) {
      if (homes.has(key)) continue;
      homes.set(key, section);
      merged[key] = value;
    }
  }
  const result = check(schema, merged);
  if (!result.ok) {
    for (const { path, message } of result.findings) {
      const home = homes.get(String(path[0])) ?? sections.at(-1) ?? '';
      problems.push(placed([home, ...path], message, file.locate, sources));
    }
  }
  if (problems.length > 0 || !result.ok) throw new ConfigurationError(fileName, problems);
  return result.value;
}

/** Those keys of a section that the schema has, with what variables and `--set` put over them. */
function readPart(
  { schema, set, environment }: Omit<SharedConfigurationOptions<z.ZodType>, 'sections'>,
  file: Sections,
  section: string,
  sources: Map<string, string>,
): { readonly root: Readonly<Record<string, unknown>>; readonly problems: readonly YamlProblem[] } {
  const inFile = sectionIn(file, section);
  if (inFile === undefined) return { root: {}, problems: [noMapping(section, file.locate)] };
  const shape = shapeFor([schema], {});
  const isShared = (key: unknown): boolean => shape.kind === 'object' && shape.keys.has(String(key));
  const root = Object.fromEntries(Object.entries(inFile).filter(([key]) => isShared(key)));
  const { overrides } = readVariables(section, schema, root, environment ?? process.env);
  const problems: YamlProblem[] = [];
  for (const override of [...overrides, ...readSetArguments(set ?? []).overrides]) {
    if (override.path[0] !== section || !isShared(override.path[1])) continue;
    const problem = applyOverride(root, schema, override);
    if (problem !== undefined) problems.push(problem);
    else sources.set(formatPath(override.path), override.source);
  }
  return { root, problems };
}

function noMapping(section: string, locate: (path: KeyPath) => Position): YamlProblem {
  return { ...locate([section]), path: section, message: 'must be a mapping' };
}

/**
 * Reads a whole YAML text against a schema, for files that are data (profiles, users): the problems have the lines to
 * look at.
 *
 * @param fileName for messages only
 */
export function parseYamlWithSchema<S extends z.ZodType>(
  text: string,
  schema: S,
  fileName: string,
):
  | { readonly ok: true; readonly value: z.output<S> }
  | { readonly ok: false; readonly problems: readonly YamlProblem[]; readonly message: string } {
  const refuse = (problems: readonly YamlProblem[]) =>
    ({ ok: false, problems, message: problems.map((problem) => formatProblem(fileName, problem)).join('\n') }) as const;
  const yaml = readYaml(text);
  if (!yaml.ok) return refuse(yaml.problems);
  const result = check(schema, yaml.value ?? {});
  if (result.ok) return result;
  return refuse(result.findings.map(({ path, message }) => placed(path, message, yaml.locate, new Map())));
}

function readFile(file: string | undefined, fileName: string): Sections {
  const result = readSections(file);
  if (!result.ok) throw new ConfigurationError(fileName, result.problems);
  return result.sections;
}

/** Gives a finding its place: the override that set it (or something above or below it), else the file. */
function placed(
  path: KeyPath,
  message: string,
  locate: (path: KeyPath) => Position,
  sources: ReadonlyMap<string, string>,
): YamlProblem {
  const name = formatPath(path);
  for (const [key, source] of sources) {
    if (name === key || name.startsWith(`${key}.`)) return { line: 0, column: 0, path: name, message, source };
  }
  return { ...locate(path), path: name, message };
}

/**
 * Leaves out the variables whose name is a value in the configuration: they hold a secret that a key points to, not a
 * setting.
 */
function notNamedBy(value: unknown, variables: readonly UnknownVariable[]): readonly UnknownVariable[] {
  if (variables.length === 0) return [];
  const texts = new Set<string>();
  const collect = (item: unknown): void => {
    if (typeof item === 'string') texts.add(item);
    else if (typeof item === 'object' && item !== null) Object.values(item).forEach(collect);
  };
  collect(value);
  return variables.filter((variable) => !texts.has(variable.name));
}
