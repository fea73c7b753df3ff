// What became of the parts of a Full PKI Request, RFC 5272 §6.1: CMCStatus, CMCFailInfo, and the control that carries them,
// CMCStatusInfoV2. Tables and their encoding; nothing here decides.

import { concat, generalizedTime, integer, octetString, sequence, utf8String } from '@gatehouse/pkix/der/writer';

/** RFC 5272 §6.1.3. */
export const cmcStatus = {
  success: 0,
  failed: 2,
  pending: 3,
  noSupport: 4,
  confirmRequired: 5,
  popRequired: 6,
  partial: 7,
} as const;

/** RFC 5272 §6.1.4. */
export const cmcFailInfo = {
  badAlg: 0,
  badMessageCheck: 1,
  badRequest: 2,
  badTime: 3,
  badCertId: 4,
  unsupportedExt: 5,
  mustArchiveKeys: 6,
  badIdentity: 7,
  popRequired: 8,
  popFailed: 9,
  noKeyReuse: 10,
  internalCAError: 11,
  tryLater: 12,
  authDataFail: 13,
} as const;

/** Why something failed. */
export type CmcFailInfo = keyof typeof cmcFailInfo;

/** Stands for the whole message where no part can be named, RFC 5272 §3.2.2. */
export const wholeMessage = 0;

/** The status of some parts of a request. */
export type CmcStatusInfo = {
  /** Body part identifiers, or {@link wholeMessage}. */
  readonly bodyParts: readonly number[];
  /** One line for people. */
  readonly statusString?: string | undefined;
} & (
  | { readonly status: 'success' }
  | { readonly status: 'failed'; readonly failInfo: CmcFailInfo }
  | { readonly status: 'noSupport' }
  | {
      readonly status: 'pending';
      /** Left out when the client knows it already. */
      readonly pendInfo?: PendInfo | undefined;
    }
);

/** How to ask again, RFC 5272 §6.1.1. */
export type PendInfo = { readonly pendToken: Uint8Array; readonly pendTime: Date };

/** CMCStatusInfoV2, DER. */
export function writeStatusInfo(info: CmcStatusInfo): Uint8Array {
  const bodyParts = info.bodyParts.length === 0 ? [wholeMessage] : info.bodyParts;
  return sequence(
    integer(cmcStatus[info.status]),
    sequence(...bodyParts.map((id) => integer(id))),
    info.statusString === undefined ? concat() : utf8String(info.statusString),
    otherInfo(info),
  );
}

function otherInfo(info: CmcStatusInfo): Uint8Array {
  if (info.status === 'failed') return integer(cmcFailInfo[info.failInfo]);
  if (info.status !== 'pending' || info.pendInfo === undefined) return concat();
  return sequence(octetString(info.pendInfo.pendToken), generalizedTime(info.pendInfo.pendTime));
}
