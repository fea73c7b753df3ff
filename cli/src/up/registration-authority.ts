/**
 * Sees to it that a gate has a credential before it starts. In a directory that is not for trying out it never registers an
 * RA that may ask for something: that is for the operator to say.
 */
import type { Administration, JoinToken } from '@gatehouse/ra-client/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { DataDirectory } from '../data-directory.ts';
import { buyCredential, type CredentialContext, tokenLife } from './buy-credential.ts';
import { isForTryingOut } from './demo-user.ts';
import type { Gate } from './gates.ts';

/** Makes the credential of the gate's RA when there is none that works. */
export async function ensureCredential(context: CredentialContext, gate: Gate): Promise<void> {
  const { data } = context;
  await buyCredential(context, {
    file: data.registrationAuthorityCredential(gate.name),
    step: `registering the RA of the ${gate.name} gate`,
    createToken: ({ administration }) => createToken(administration, gate, data),
  });
}

async function createToken(administration: Administration, gate: Gate, data: DataDirectory): Promise<JoinToken> {
  const { name } = gate;
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
