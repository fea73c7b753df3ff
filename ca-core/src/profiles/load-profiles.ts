/**
 * Brings the profiles into memory at start: the built-in ones, then the operator's, of which one with the name of a
 * built-in one takes its place. A directory with one bad file is refused as a whole, with all its problems at once: a
 * CA that starts with half of its policy is worse than one that does not start.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Profile } from './profile.ts';
import { type ProfileOrigin, validateProfile } from './validate-profile.ts';

const builtinDirectory = join(import.meta.dirname, 'builtin');

/** EX_CONFIG of sysexits.h. */
const configurationExitCode = 78;

/**
 * All profiles by name.
 *
 * @param options.directory the operator's `*.yaml` files; one that does not exist holds none
 * @throws {FatalError} with a line 'file:line:column: key: what is wrong' for each problem
 */
export function loadProfiles(options: { readonly directory?: string | undefined } = {}): ReadonlyMap<string, Profile> {
  const profiles = new Map(readDirectory(builtinDirectory, 'builtin'));
  const builtins = new Map(profiles);
  const problems: string[] = [];
  if (options.directory !== undefined) {
    for (const [name, profile] of readDirectory(options.directory, 'operator')) {
      if (builtins.get(name)?.authority === 'service') {
        problems.push(`${join(options.directory, `${name}.yaml`)}: the built-in profile ${name} cannot be replaced`);
      }
      profiles.set(name, profile);
    }
  }
  if (problems.length > 0) throw refuse(problems);
  return profiles;
}

function readDirectory(directory: string, origin: ProfileOrigin): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Profile>();
  const problems: string[] = [];
  for (const file of listFiles(directory)) {
    const result = validateProfile(readFileSync(file, 'utf8'), file, origin);
    if (!result.ok) {
      problems.push(result.message);
      continue;
    }
    // One name, one file: two files of one name would leave it to chance which of them counts.
    const { name } = result.profile;
    if (basename(file) !== `${name}.yaml`) problems.push(`${file}: must be called ${name}.yaml, as the profile is`);
    profiles.set(name, result.profile);
  }
  if (problems.length > 0) throw refuse(problems);
  return profiles;
}

function listFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => join(directory, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new FatalError(`the profiles in ${directory} cannot be read`, { cause: error });
  }
}

function refuse(problems: readonly string[]): FatalError {
  return new FatalError(problems.join('\n'), {
    hint: 'check a file with: gatehouse profile validate FILE',
    exitCode: configurationExitCode,
  });
}
