/** `gatehouse profile validate`: explains the mistakes in profile files, with the very code that the core reads them with. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { validateProfile } from '@gatehouse/ca-core/profiles/validate-profile';
import { FatalError } from '@gatehouse/runtime/fatal';
import { note, print, printJson } from './output.ts';

/** One mistake; line and column are counted from 1. */
type Problem = {
  readonly line: number;
  readonly column: number;
  /** `validity.maximum`; empty when it is about the file as a whole. */
  readonly path: string;
  readonly message: string;
};

type Verdict = {
  readonly file: string;
  readonly isValid: boolean;
  /** Name of the profile, when the file is in order. */
  readonly profile?: string | undefined;
  readonly problems: readonly Problem[];
};

/** Checks files; sets exit status 1 when one has a mistake. */
export function validateProfiles(files: readonly string[], options: { readonly json?: boolean | undefined }): void {
  const verdicts = files.map(validate);
  if (verdicts.some(({ isValid }) => !isValid)) process.exitCode = 1;
  if (options.json === true) {
    printJson(verdicts);
    return;
  }
  for (const { file, profile, problems } of verdicts) {
    for (const { line, column, path, message } of problems) {
      print(`${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`);
    }
    if (profile === undefined) continue;
    print(`${file}: profile ${profile} is in order`);
    if (file !== '-' && basename(file) !== `${profile}.yaml`) {
      note(`  among the core's profiles the file must be called ${profile}.yaml`);
    }
  }
}

function validate(file: string): Verdict {
  const result = validateProfile(read(file), file);
  if (!result.ok) return { file, isValid: false, problems: result.problems.map(toProblem) };
  return { file, isValid: true, profile: result.profile.name, problems: [] };
}

function toProblem({ line, column, path, message }: Problem): Problem {
  return { line, column, path, message };
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const why =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'it does not exist' : String(cause);
    throw new FatalError(`cannot read ${file}: ${why}`, { cause });
  }
}
