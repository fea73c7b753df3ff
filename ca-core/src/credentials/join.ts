/** The holder of a join token buys the first credential of the RA or perspective that the token is for. */
import type { Credential, JoinRequest } from '@gatehouse/proto/certificate-authority';
import { credentialIssuer, type Keep } from '../keep.ts';
import type { Caller } from '../registry/caller.ts';
import { redeemJoinToken } from '../registry/join-token.ts';
import { credentialMessage } from './credential-message.ts';
import { credentialRules, readProvenKey } from './proven-key.ts';

/** Joins. Throws CoreError `bad-csr`, `bad-key`, or `unauthorized` for a token that was used or is late. */
export async function join(
  keep: Keep,
  context: { readonly caller: Caller; readonly requestId: string },
  request: JoinRequest,
): Promise<Credential> {
  const subjectPublicKeyInfo = readProvenKey(keep, request.certificationRequest);
  const issued = await redeemJoinToken(
    { ...credentialIssuer(keep), store: keep.store, registry: keep.registry },
    {
      caller: context.caller,
      subjectPublicKeyInfo,
      lifeMs: credentialRules(keep).validity.defaultMs,
      requestId: context.requestId,
    },
  );
  return credentialMessage(keep, issued.name, issued);
}
