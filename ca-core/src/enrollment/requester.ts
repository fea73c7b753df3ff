/** The requester as the RA names it: checked for form, recorded, and granted nothing. */
import { CoreError } from '@gatehouse/proto/core-error';
import { type Requester, RequesterKind } from '@gatehouse/proto/types';

/** Names of requester kinds as profiles and the audit log spell them. */
const kindNames: ReadonlyMap<RequesterKind, string> = new Map([
  [RequesterKind.REQUESTER_KIND_USER, 'user'],
  [RequesterKind.REQUESTER_KIND_CERTIFICATE, 'certificate'],
  [RequesterKind.REQUESTER_KIND_DEVICE, 'device'],
  [RequesterKind.REQUESTER_KIND_TOKEN, 'token'],
  [RequesterKind.REQUESTER_KIND_ACCOUNT, 'account'],
  [RequesterKind.REQUESTER_KIND_WORKLOAD, 'workload'],
  [RequesterKind.REQUESTER_KIND_OPERATOR, 'operator'],
  [RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY, 'registration-authority'],
]);

const longest = 256;

/** Name of a requester's kind; undefined for one that was not given or that this version does not know. */
export function requesterKindName(kind: RequesterKind): string | undefined {
  return kindNames.get(kind);
}

/** The requester, if it is complete. Throws CoreError `malformed`. */
export function readRequester(requester: Requester | undefined): Requester & { readonly kindName: string } {
  const kindName = requester === undefined ? undefined : requesterKindName(requester.kind);
  if (requester === undefined || kindName === undefined || requester.id === '') {
    throw new CoreError('malformed', 'the RA does not say who asked');
  }
  for (const field of ['id', 'address', 'display'] as const) {
    if (Buffer.byteLength(requester[field]) > longest) {
      throw new CoreError('malformed', `the requester's ${field} is longer than ${longest} octets`);
    }
  }
  return { ...requester, kindName };
}

/** `kind:id`, for the audit log. */
export function requesterLabel(requester: Requester | undefined): string | undefined {
  if (requester === undefined) return undefined;
  return `${requesterKindName(requester.kind) ?? 'unknown'}:${requester.id.slice(0, longest)}`;
}
