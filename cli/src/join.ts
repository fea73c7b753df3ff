/** What `gatehouse ra join` and `gatehouse perspective join` do, and how a join token is shown: once, and kept nowhere. */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join as joinPath, resolve } from 'node:path';
import { durationFromMs } from '@gatehouse/proto/duration';
import type { JoinToken } from '@gatehouse/ra-client/administration';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { parseJoinToken } from '@gatehouse/ra-client/join-token';
import { FatalError } from '@gatehouse/runtime/fatal';
import { newRequestId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import { dataDirectory } from './data-directory.ts';
import type { OperatorOptions } from './operator.ts';
import { formatTime, note, print, printJson } from './output.ts';
import { readSecretFile } from './prompt.ts';
import { durationOf } from './times.ts';

/** Of commands that make a token. */
export type TokenOptions = OperatorOptions & { readonly tokenLife?: string | undefined };

/** Of commands that use one. */
export type JoinOptions = OperatorOptions & {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly file?: string | undefined;
  readonly core: readonly string[];
};

/** What a token may be for: the command that speaks of it, and its name in prose. */
export type JoinerKind = 'ra' | 'perspective';

const joiners = {
  ra: { noun: 'RA', article: 'an', machine: 'the gate', folder: 'ra' },
  perspective: { noun: 'perspective', article: 'a', machine: 'the perspective', folder: 'perspective' },
} as const;

/** `--token-life` in the words of the contract. */
export function tokenLifeOf({ tokenLife }: TokenOptions): ReturnType<typeof durationFromMs> | undefined {
  return tokenLife === undefined ? undefined : durationFromMs(durationOf('--token-life', tokenLife));
}

/** Shows a token. */
export function printToken(kind: JoinerKind, name: string, made: JoinToken, { json }: OperatorOptions): void {
  const { token, expiresAt } = made;
  if (json === true) {
    printJson({ name, token, expiresAt });
    return;
  }
  print(token);
  note(`This join token works once, until ${formatTime(expiresAt)}. On the machine of ${joiners[kind].machine}:`);
  note(`  gatehouse ${kind} join --token - --data DIR      # and paste it`);
}

/** Buys the first credential. */
export async function join(wanted: JoinerKind, options: JoinOptions): Promise<void> {
  const token = await readToken(wanted, options);
  // What is no token makes no folder.
  parseJoinToken(token);
  const data = dataDirectory(options.data);
  const folder =
    options.file === undefined ? joinPath(data.path, joiners[wanted].folder) : dirname(resolve(options.file));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Whose token it is only the core can tell: the file gets its place afterwards.
  const received = joinPath(folder, `.joining-${newRequestId()}.pem`);
  const log = createLog({ name: 'gatehouse', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'silent' });
  const addresses = options.core.length === 0 ? undefined : options.core;
  const joined = await joinWithToken({ token, file: received, log, addresses }).catch((error: unknown) =>
    explainRefusal(wanted, error),
  );
  const { name, notAfter } = joined;
  // The token is used up, so a credential of the other kind is kept where that kind looks for it.
  const kind = joined.kind === 'perspective' ? 'perspective' : 'ra';
  const place = kind === 'perspective' ? data.perspectiveCredential(name) : data.registrationAuthorityCredential(name);
  const file = options.file === undefined ? place : resolve(options.file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  renameSync(received, file);
  if (options.json === true) {
    printJson({ kind, name, file, expiresAt: notAfter });
    return;
  }
  print(`joined as ${joiners[kind].noun} ${name}: ${file}`);
  if (kind !== wanted) note(`warning: this was not a token for ${joiners[wanted].article} ${joiners[wanted].noun}`);
  note(
    `The credential ends at ${formatTime(notAfter)}; ${joiners[kind].machine} renews it by itself as long as it runs.`,
  );
}

function explainRefusal(kind: JoinerKind, error: unknown): never {
  if (!(error instanceof CoreError) || error.code !== 'unauthorized') throw error;
  throw new FatalError(error.detail, {
    hint: `ask the operator for a new token ('gatehouse ${kind} token NAME'); if nobody of yours used this one, tell them`,
    cause: error,
  });
}

async function readToken(kind: JoinerKind, { token, tokenFile }: JoinOptions): Promise<string> {
  if (token !== undefined && tokenFile !== undefined) {
    throw new FatalError('--token and --token-file exclude each other');
  }
  if (token !== undefined && token !== '-') return token;
  if (token === '-' || tokenFile !== undefined) return await readSecretFile(tokenFile ?? '-');
  throw new FatalError('a join token is needed', {
    hint: `get one with 'gatehouse ${kind} add' and pass it with --token - (standard input), --token-file FILE or --token TOKEN`,
  });
}
