// One file, gatehouse.yaml, of which each process reads its own section; `--set` and GATEHOUSE_… variables override it.
// Nothing is guessed: an unknown key, an unknown variable or a wrong value ends the start, with the place and the
// nearest known name.

import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { check } from './configuration/check.ts';
import { type Position, readYaml } from './configuration/document.ts';
import { suggestion } from './configuration/nearest.ts';
import { applyOverride, readSetArguments, readVariables, type UnknownVariable } from './configuration/overrides.ts';
import { formatPath, formatProblem, type KeyPath, type YamlProblem } from './configuration/problem.ts';
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
  const { content, locate } = readFile(options.file, fileName);
  const problems: YamlProblem[] = [];
  if (options.sections !== undefined) {
    const known = [...options.sections, section];
    for (const name of Object.keys(content)) {
      if (!known.includes(name))
        problems.push({ ...locate([name]), path: name, message: `unknown section${suggestion(name, known)}` });
    }
  }

  const inFile = content[section] ?? {};
  if (typeof inFile !== 'object' || Array.isArray(inFile)) {
    throw new ConfigurationError(fileName, [
      ...problems,
      { ...locate([section]), path: section, message: 'must be a mapping' },
    ]);
  }
  const root = inFile as Record<string | number, unknown>;
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

type Content = { readonly content: Readonly<Record<string, unknown>>; readonly locate: (path: KeyPath) => Position };

function readFile(file: string | undefined, fileName: string): Content {
  if (file === undefined) return { content: {}, locate: () => ({ line: 0, column: 0 }) };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'the file does not exist'
        : `cannot be read: ${String(error)}`;
    throw new ConfigurationError(fileName, [{ line: 0, column: 0, path: '', message }]);
  }
  const yaml = readYaml(text);
  if (!yaml.ok) throw new ConfigurationError(fileName, yaml.problems);
  const value = yaml.value ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigurationError(fileName, [
      { line: 1, column: 1, path: '', message: 'must be a mapping of sections' },
    ]);
  }
  return { content: value as Record<string, unknown>, locate: yaml.locate };
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
