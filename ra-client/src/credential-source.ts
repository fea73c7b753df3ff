// Where a client finds the credential that is current now, and hears of a new one: renewed by the client itself, or put in place by an operator.
// A file that cannot be read does not take a working credential away; it is reported and the old one stays.

import { followFile } from '@gatehouse/runtime/follow-file';
import type { Logger } from '@gatehouse/runtime/log';
import { type Credential, loadCredential, saveCredential } from './credential.ts';

/** Holds the current credential. */
export type CredentialSource = {
  current(): Credential;
  /** Makes `credential` the current one, keeps it where the source keeps it, and tells the listeners. */
  replace(credential: Credential): void;
  /** Calls `listener` with each new credential. @returns a function that ends it */
  onChange(listener: (credential: Credential) => void): () => void;
  /** Stops watching. */
  close(): void;
};

/** What {@link openCredentialFile} takes. */
export type CredentialFileOptions = {
  readonly file: string;
  readonly log: Logger;
  /** How often the file is looked at; 5 000 unless told. Looking (stat) also works on file systems without notifications. */
  readonly pollIntervalMs?: number | undefined;
};

/**
 * Opens a credential file and follows it: a file that an operator replaces is taken over without a restart.
 *
 * @throws {FatalError} when the file is missing, readable by others, or not a credential
 */
export function openCredentialFile({ file, log, pollIntervalMs = 5_000 }: CredentialFileOptions): CredentialSource {
  const followed = followFile({
    file,
    intervalMs: pollIntervalMs,
    read: () => loadCredential(file),
    changed: (credential) => {
      // The change may be our own: the file then holds what is current already.
      if (isSame(credential, source.current())) return;
      log.info(
        { file, party: credential.party.uri, notAfter: credential.notAfter },
        'the credential file was replaced; the new one is taken',
      );
      source.announce(credential);
    },
    failed: (error) =>
      log.warn({ err: error, file }, 'the changed credential file cannot be used; the credential in use stays'),
  });
  const source = createCredentialSource(followed.first, (credential) => saveCredential(file, credential));
  return { ...source, close: () => followed.close() };
}

/** A source that keeps its credential in memory only: for an operator's command, and for tests. */
export function holdCredential(credential: Credential): CredentialSource {
  return createCredentialSource(credential, () => {});
}

type AnnouncingSource = CredentialSource & { announce(credential: Credential): void };

function createCredentialSource(first: Credential, keep: (credential: Credential) => void): AnnouncingSource {
  const listeners = new Set<(credential: Credential) => void>();
  let current = first;
  const announce = (credential: Credential): void => {
    current = credential;
    for (const listener of listeners) listener(credential);
  };
  return {
    current: () => current,
    announce,
    replace: (credential) => {
      // Kept before it is used: a process that stops in between starts again with a credential that works.
      keep(credential);
      announce(credential);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => listeners.clear(),
  };
}

function isSame(a: Credential, b: Credential): boolean {
  const anchors = (credential: Credential): Buffer => Buffer.concat(credential.trustAnchors);
  return Buffer.compare(a.certificate, b.certificate) === 0 && anchors(a).equals(anchors(b));
}
