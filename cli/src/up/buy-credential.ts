/**
 * Sees to it that a process has a credential before it starts, on the path that production takes: the operator makes a join
 * token, and the token buys the first credential. One that works is left alone.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import type { DataDirectory } from '../data-directory.ts';

/** What buying needs, whoever it is for. */
export type CredentialContext = {
  readonly data: DataDirectory;
  /** `host:port` of the running core. */
  readonly coreAddress: string;
  readonly log: Logger;
  progress(step: string): void;
};

/** Who it is for. */
export type CredentialHolder = {
  /** Where the credential is kept. */
  readonly file: string;
  /** What is said when there is none that works. */
  readonly step: string;
  /** Makes a join token. */
  readonly createToken: (core: CoreClient) => Promise<{ readonly token: string }>;
};

/** What a token needs: it is used at once. */
export const tokenLife = { seconds: 300, nanos: 0 };
/** A process needs the rest of its credential's life to renew it. */
const shortestRestMs = 60_000;

/** Makes the credential when there is none that works. Throws FatalError and CoreError. */
export async function buyCredential(context: CredentialContext, holder: CredentialHolder): Promise<void> {
  const { data, coreAddress, log, progress } = context;
  const { file, step, createToken } = holder;
  if (isUsable(file, data)) return;
  progress(step);
  const [{ withOperator }, { joinWithToken }] = await Promise.all([
    import('../operator.ts'),
    import('@gatehouse/ra-client/join'),
  ]);
  const { token } = await withOperator(data, coreAddress, createToken);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await joinWithToken({ token, file, log, addresses: [coreAddress] });
}

/** Whether the credential lives, and is of the same service CA as the operator's. */
function isUsable(file: string, data: DataDirectory): boolean {
  try {
    const { notAfter, trustAnchors } = loadCredential(file);
    const [anchor] = loadCredential(data.operatorCredential).trustAnchors;
    const isOurs = anchor !== undefined && trustAnchors.some((own) => Buffer.compare(own, anchor) === 0);
    return isOurs && notAfter.getTime() - Date.now() > shortestRestMs;
  } catch (error) {
    // Missing, damaged, or readable by others: a new one is made with a new key.
    if (error instanceof FatalError) return false;
    throw error;
  }
}
