/**
 * The perspectives that `up` starts beside the ACME gate: two, each a process with a credential, a key and a log of its own,
 * so that certificates are issued here as everywhere, on the word of others than the gate. They stand at the same place as
 * the gate, which is good for trying out and for nothing else: in other directories `up` registers none.
 */
import { existsSync } from 'node:fs';
import type { JoinToken } from '@gatehouse/ra-client/administration';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { DataDirectory } from '../data-directory.ts';
import { buyCredential, type CredentialContext, tokenLife } from './buy-credential.ts';
import { isForTryingOut } from './demo-user.ts';

const names = ['here-a', 'here-b'] as const;

/** Names of those that are started: both for trying out, elsewhere those that an operator let join. */
export function ownPerspectives(data: DataDirectory): readonly string[] {
  return isForTryingOut(data) ? names : names.filter((name) => existsSync(data.perspectiveCredential(name)));
}

/** Makes the credential of a perspective when there is none that works. */
export async function ensurePerspective(context: CredentialContext, name: string): Promise<void> {
  await buyCredential(context, {
    file: context.data.perspectiveCredential(name),
    step: `registering the perspective ${name}`,
    createToken: (core) => createToken(core, name),
  });
}

/** `--set` arguments that tell two processes with one section apart; nobody but the gate needs to find them. */
export function ownSettings(name: string): readonly string[] {
  return [
    `perspective.core.credential=perspective/${name}/credential.pem`,
    `perspective.signingKey=perspective/${name}/signing-key.json`,
    'perspective.listen={"host":"127.0.0.1","port":0}',
    'perspective.management={"host":"127.0.0.1","port":0}',
  ];
}

async function createToken({ administration, validation }: CoreClient, name: string): Promise<JoinToken> {
  const known = (await validation.listPerspectives()).find((perspective) => perspective.name === name);
  if (known?.isDisabled === true) {
    throw new FatalError(`the perspective ${name} is disabled, so it cannot start`, {
      hint: 'start the other gates with --only: the ACME gate needs its perspectives',
    });
  }
  if (known !== undefined) return await administration.createPerspectiveJoinToken({ name, tokenLife });
  return await administration.addPerspective({
    perspective: {
      name,
      site: name,
      rir: '',
      latitude: undefined,
      longitude: undefined,
      isDisabled: false,
      address: '',
      keys: [],
      createdAt: undefined,
      credentialExpiresAt: undefined,
      build: '',
    },
    tokenLife,
  });
}
