// Secrets in configuration: a key holds where the secret is (a file or an environment variable), never the secret.
// What is read here must never reach a log line, an error message or a command line.

import { resolve } from 'node:path';
import { z } from 'zod';
import { FatalError } from './fatal.ts';
import { readPrivateFile } from './private-file.ts';

/** Where a secret is: `{ file: secrets/passphrase }` or `{ environment: GATEHOUSE_CORE_PASSPHRASE }`. */
export const secretSchema = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ environment: z.string().min(1) }),
]);

/** Where a secret is. */
export type SecretReference = z.output<typeof secretSchema>;

/**
 * Reads a secret as text, without the line end that editors put behind it.
 *
 * @param directory what a relative file name is relative to: the data directory
 * @param setting configuration key of the secret, for the advice: 'core.keys.passphrase'
 * @throws {FatalError} when the file or variable is missing or empty, or when others may read the file; the message
 * names the place, not the contents
 */
export function readSecret(
  reference: SecretReference,
  directory: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  setting = 'the configuration',
): string {
  if ('environment' in reference) {
    const value = environment[reference.environment];
    if (value !== undefined && value !== '') return value;
    throw new FatalError(`the environment variable ${reference.environment} should hold a secret but is not set`, {
      hint: `set ${reference.environment} in the environment of this process`,
    });
  }
  const path = resolve(directory, reference.file);
  const hint = `restore the file, or say in ${setting} where the secret is`;
  const value = readFile(path, hint)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (value === '') throw new FatalError(`${path} should hold a secret but is empty`, { hint });
  return value;
}

function readFile(path: string, hint: string): Buffer {
  try {
    return readPrivateFile(path);
  } catch (error) {
    // A file in a folder that this process may not enter is there all the same: only what is missing is called so.
    const cause = error instanceof FatalError ? error.cause : undefined;
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw error;
    throw new FatalError(`${path} should hold a secret but does not exist`, { hint, cause });
  }
}
