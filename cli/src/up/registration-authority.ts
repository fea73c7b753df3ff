/**
 * Sees to it that a gate has a credential before it starts, on the path that production takes: the operator registers
 * the RA, and a join token buys the first credential. In a directory that is not for trying out it never registers an RA that
 * may ask for something: that is for the operator to say.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Administration, JoinToken } from '@gatehouse/ra-client/administration';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import type { DataDirectory } from '../data-directory.ts';
import { isForTryingOut } from './demo-user.ts';
import type { Gate } from './gates.ts';

/** What {@link ensureCredential} takes. */
export type CredentialOptions = {
  readonly data: DataDirectory;
  readonly gate: Gate;
  /** `host:port` of the running core. */
  readonly coreAddress: string;
  readonly log: Logger;
  progress(step: string): void;
};

/** The token is used at once. */
const tokenLifeSeconds = 300;
/** A gate needs the rest of its credential's life to renew it. */
const shortestRestMs = 60_000;

/** Makes the credential of the gate's RA when there is none that works. */
export async function ensureCredential({ data, gate, coreAddress, log, progress }: CredentialOptions): Promise<void> {
  const file = data.registrationAuthorityCredential(gate.name);
  if (isUsable(file, data)) return;
  progress(`registering the RA of the ${gate.name} gate`);
  const [{ withOperator }, { joinWithToken }] = await Promise.all([
    import('../operator.ts'),
    import('@gatehouse/ra-client/join'),
  ]);
  const { token } = await withOperator(data, coreAddress, ({ administration }) =>
    createToken(administration, gate, data),
  );
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await joinWithToken({ token, file, log, addresses: [coreAddress] });
}

async function createToken(administration: Administration, gate: Gate, data: DataDirectory): Promise<JoinToken> {
  const { name } = gate;
  const tokenLife = { seconds: tokenLifeSeconds, nanos: 0 };
  const known = (await administration.listRegistrationAuthorities()).find((ra) => ra.name === name);
  if (known?.isDisabled === true) {
    throw new FatalError(`the RA ${name} is disabled, so its gate cannot start`, {
      hint: "start the other gates with --only, or the core alone with '--only core'",
    });
  }
  if (known !== undefined) return await administration.createJoinToken({ name, tokenLife });
  if (gate.demoScope.profiles.length > 0 && !isForTryingOut(data)) {
    throw new FatalError(`the ${name} gate has no credential, and there is no RA ${name}`, {
      hint: `say what it may ask for: start 'gatehouse run core', then 'gatehouse ra add ${name} --help' and 'gatehouse ra join'`,
    });
  }
  return await administration.addRegistrationAuthority({
    registrationAuthority: {
      name,
      ...gate.demoScope,
      maximumValidity: undefined,
      ratePerSecond: 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife,
  });
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
