// Secrets that users share with this gate, for the controls of CMC (RFC 5272 §6.2, §6.3.1, §6.11). A MAC needs the secret
// itself, so that they cannot be stored as hashes like passwords: they stand in a file of their own that its owner alone
// may read, are made for this purpose alone, and never reach a log.

import { parseYamlWithSchema } from '@gatehouse/runtime/configuration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { followFile } from '@gatehouse/runtime/follow-file';
import type { Logger } from '@gatehouse/runtime/log';
import { readPrivateFile } from '@gatehouse/runtime/private-file';
import { z } from 'zod';
import { userNameForm } from './users.ts';

/** RFC 5272 §6.2.1 has implementations support at least 16 characters; fewer can be guessed. */
const secret = z.string().min(16, 'a shared secret has at least 16 characters').max(512);

/** Schema of shared-secrets.yaml. */
export const sharedSecretsFileSchema = z.strictObject({
  secrets: z
    .array(
      z.strictObject({
        /** Name of a user of users.yaml, whose labels, names, uses and expiry count; the Identification control. */
        user: z.string().regex(userNameForm, 'not the name of a user'),
        /** Proves who asks (identityProofV2) and links requests to it (popLinkWitnessV2). */
        identity: secret.optional(),
        /** Revokes what the user enrolled, for when its keys are lost. It travels as it is, and is best used once. */
        revocation: secret.optional(),
      }),
    )
    .default([]),
});

/** The secrets of one user. */
export type UserSecrets = { readonly identity: string | undefined; readonly revocation: string | undefined };

/** The secrets as they stand now. */
export type SharedSecrets = {
  find(user: string): UserSecrets | undefined;
  /** Stops following the file. */
  close(): void;
};

/** For a gate without such a file. */
export const noSharedSecrets: SharedSecrets = { find: () => undefined, close: () => {} };

/**
 * Opens shared-secrets.yaml and follows it; a changed file that cannot be used leaves the secrets in use.
 *
 * @param pollIntervalMs how often the file is looked at
 * @throws {FatalError} when it is missing, readable by others, or wrong
 */
export function openSharedSecrets(file: string, log: Logger, pollIntervalMs = 1_000): SharedSecrets {
  const followed = followFile({
    file,
    intervalMs: pollIntervalMs,
    read: () => parseSharedSecrets(readPrivateFile(file).toString('utf8'), file),
    changed: (changed) => {
      secrets = changed;
      log.info({ file, users: secrets.size }, 'the shared secrets changed and are taken');
    },
    failed: (error) =>
      log.warn({ err: error, file }, 'the changed shared secrets cannot be used; the secrets in use stay'),
  });
  let secrets = followed.first;
  return { find: (user) => secrets.get(user), close: () => followed.close() };
}

/** Reads the text of the file. @throws {FatalError} with all problems and their lines */
export function parseSharedSecrets(text: string, fileName: string): ReadonlyMap<string, UserSecrets> {
  const result = parseYamlWithSchema(text, sharedSecretsFileSchema, fileName);
  if (!result.ok) throw new FatalError(result.message, { exitCode: 78 });
  const secrets = new Map<string, UserSecrets>();
  for (const { user, identity, revocation } of result.value.secrets) {
    if (secrets.has(user)) {
      throw new FatalError(`${fileName}: user '${user}' stands there twice`, { exitCode: 78 });
    }
    // What proves an identity is worth a certificate; what revokes is sent in clear and known from then on.
    if (identity !== undefined && identity === revocation) {
      throw new FatalError(`${fileName}: user '${user}': identity and revocation must differ`, { exitCode: 78 });
    }
    secrets.set(user, { identity, revocation });
  }
  return secrets;
}
