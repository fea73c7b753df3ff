/** A caller renews its own credential: it stays who it is and gets a new key and a new period. */
import type { Credential, RenewCredentialRequest } from '@gatehouse/proto/certificate-authority';
import { credentialIssuer, type Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import { credentialExpiry, issueCredential } from '../registry/credential.ts';
import { credentialMessage } from './credential-message.ts';
import { operatorLifeMs } from './operator-credential.ts';
import { credentialRules, readProvenKey } from './proven-key.ts';

/** Renews. Throws CoreError `bad-csr` or `bad-key`. */
export async function renewCredential(
  keep: Keep,
  context: { readonly caller: Caller; readonly requestId: string },
  request: RenewCredentialRequest,
): Promise<Credential> {
  const { caller, requestId } = context;
  const issued = issueCredential(credentialIssuer(keep), {
    kind: caller.kind,
    name: caller.name,
    subjectPublicKeyInfo: readProvenKey(keep, request.certificationRequest),
    lifeMs: caller.kind === 'operator' ? operatorLifeMs : credentialRules(keep).validity.defaultMs,
    requestId,
    renews: caller.serialNumber,
  });
  await keep.store.commit({
    operations: [...issued.operations, ...credentialExpiry(caller.kind, caller.name, issued.notAfter)],
    events: [
      {
        action: 'ra-renewed',
        actor: caller.uri,
        registrationAuthority: caller.kind === 'gate' ? caller.name : undefined,
        serialNumber: issued.serialNumber,
        outcome: 'success',
        body: { renews: caller.serialNumber, requestId },
      },
    ],
  });
  keep.registry.reload();
  return credentialMessage(keep, caller.name, issued);
}
