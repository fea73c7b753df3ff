// What is wrong with a piece of YAML, at the place where a person has to change it.
// A problem names keys and types; it must never repeat a value, which may be a secret.

/**
 * One thing to mend. Lines and columns count from 1; both are 0 when the text has no such place (an override from
 * outside of the file).
 */
export type YamlProblem = {
  readonly line: number;
  readonly column: number;
  /** The key, dotted from the top of the file: 'est.listen.port'; '' for the whole file. */
  readonly path: string;
  readonly message: string;
  /** Where the value came from, if not from the file: "--set est.listen.port", 'GATEHOUSE_EST_LISTEN_PORT'. */
  readonly source?: string | undefined;
};

/** Keys and indexes from the top of the document. */
export type KeyPath = readonly (string | number)[];

/** 'est.labels.0.name' */
export function formatPath(path: KeyPath): string {
  return path
    .map((segment) => (typeof segment === 'string' && segment.includes('.') ? `"${segment}"` : String(segment)))
    .join('.');
}

/** One line for people: 'gatehouse.yaml:12:5: est.listen.prot: unknown key; did you mean 'port'?' */
export function formatProblem(fileName: string, problem: YamlProblem): string {
  const place = problem.source ?? (problem.line > 0 ? `${fileName}:${problem.line}:${problem.column}` : fileName);
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}
