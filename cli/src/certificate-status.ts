/** What `gatehouse cert revoke`, `hold` and `release` do. */
import { existsSync } from 'node:fs';
import { RevocationReason } from '@gatehouse/proto/types';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readCertificateFile } from './certificate-file.ts';
import { describeCertificate, reasonName, stateName } from './certificate-view.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { print, printJson } from './output.ts';
import { parseSerialNumber } from './serial-number.ts';
import { pastTime } from './times.ts';

/** Of `cert revoke`. */
export type RevokeOptions = OperatorOptions & {
  readonly reason: string;
  readonly invalidSince?: string | undefined;
};

/** Revokes a certificate: a serial number, or a file. */
export async function revokeCertificate(what: string, options: RevokeOptions): Promise<void> {
  await changeStatus(what, reasonOf(options.reason), invalidityDateOf(options), options);
}

/** Puts a certificate on hold. */
export async function holdCertificate(what: string, options: OperatorOptions): Promise<void> {
  await changeStatus(what, RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD, undefined, options);
}

/** Releases a certificate from hold. */
export async function releaseCertificate(what: string, options: OperatorOptions): Promise<void> {
  await changeStatus(what, RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL, undefined, options);
}

/** The reason in the words of the contract. Throws FatalError for a name that is none. */
export function reasonOf(name: string): RevocationReason {
  const reason = Object.values(RevocationReason).find((one) => reasonName(one) === name);
  if (reason === undefined) throw new FatalError(`'${name}' is not a reason`);
  return reason;
}

/** The time behind `--invalid-since`. */
export function invalidityDateOf({ invalidSince }: Pick<RevokeOptions, 'invalidSince'>): Date | undefined {
  return invalidSince === undefined ? undefined : pastTime('--invalid-since', invalidSince);
}

async function changeStatus(
  what: string,
  reason: RevocationReason,
  invalidityDate: Date | undefined,
  options: OperatorOptions,
): Promise<void> {
  const record = await asOperator(options, async (core) =>
    core.revoke({ serialNumber: await serialNumberOf(core, what), reason, invalidityDate }),
  );
  if (options.json === true) printJson(describeCertificate(record));
  else print(`${record.serialNumber} is ${stateName(record.state)} now`);
}

/** A file must hold this very certificate: serial numbers of other CAs mean nothing here. */
async function serialNumberOf(core: CoreClient, what: string): Promise<string> {
  if (!existsSync(what)) return parseSerialNumber(what);
  const [{ der }] = readCertificateFile(what);
  return (await core.getCertificate({ certificate: der })).serialNumber;
}
