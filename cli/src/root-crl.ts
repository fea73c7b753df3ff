/**
 * Signs the root's next CRL, with the key that the running core never loads. It works without a core, also on a machine
 * that has nothing of the data directory but ca/root.pem, ca/root.crl and the key.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RevocationReason } from '@gatehouse/proto/types';
import { systemClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { reasonName } from './certificate-view.ts';
import { type DataDirectory, dataDirectory, readRunFile } from './data-directory.ts';
import { trustedHere } from './issuer.ts';
import type { OperatorOptions } from './operator.ts';
import { formatFields, formatTime, note, print, printJson } from './output.ts';
import { askSecret, canAsk, readSecretFile } from './prompt.ts';
import { parseSerialNumber } from './serial-number.ts';

/** Of `crl generate root`. */
export type RootCrlOptions = OperatorOptions & {
  /** Serial numbers. */
  readonly revoke: readonly string[];
  readonly reason?: string | undefined;
  readonly rootKey?: string | undefined;
};

/** Signs it. Throws FatalError with a hint; nothing has changed then. */
export async function signRootCrl(options: RootCrlOptions): Promise<void> {
  const data = dataDirectory(options.data);
  const { rootKey } = options;
  if (!existsSync(join(data.path, 'ca/root.pem'))) {
    throw new FatalError(`${data.path} holds no root: there is no ca/root.pem`, {
      hint: 'name the data directory with --data DIR, or a folder with a copy of its ca/root.pem and ca/root.crl',
    });
  }
  if (options.reason !== undefined && options.revoke.length === 0) {
    throw new FatalError('--reason says why something is revoked: name it with --revoke SERIAL');
  }
  const revoke = options.revoke.map((serial) => ({
    serialNumber: parseSerialNumber(serial),
    reason: reasonNumber(options.reason),
  }));
  const { renewRootCrl } = await import('@gatehouse/ca-core/authorities/renew-root-crl');
  const crl = await renewRootCrl({
    directory: data.path,
    rootKeyFile: rootKey,
    rootPassphrase: await rootPassphrase(data),
    revoke,
    clock: systemClock,
  });
  const strangers = revoke.filter(({ serialNumber }) => !isKnownHere(data, serialNumber));
  for (const { serialNumber } of strangers) note(`warning: no CA in trust/chain.pem has serial number ${serialNumber}`);
  const file = join(data.path, 'ca/root.crl');
  const { crlNumber, thisUpdate, nextUpdate } = crl;
  const entries = [...crl.entries()].length;
  if (options.json === true) {
    printJson({ file, crlNumber: Number(crlNumber), thisUpdate, nextUpdate, entries });
    return;
  }
  print(
    formatFields([
      ['CRL', file],
      ['Number', String(crlNumber)],
      ['Next update', formatTime(nextUpdate)],
      ['Entries', String(entries)],
    ]),
  );
  note(
    readRunFile(data.runFile('core')) === undefined
      ? `The core publishes it when it runs on this directory; where that is elsewhere, copy the file there, to ca/root.crl.`
      : 'The running core publishes it by itself.',
  );
}

/** The root keeps no list of what it issued; the CAs that are in use are at hand. */
function isKnownHere(data: DataDirectory, serialNumber: string): boolean {
  return trustedHere(data).some((certificate) => certificate.serialNumber === serialNumber);
}

/** From the environment, from where a directory for trying out keeps it, or from the person. */
async function rootPassphrase(data: DataDirectory): Promise<string> {
  const variable = 'GATEHOUSE_ROOT_PASSPHRASE';
  const given = process.env[variable];
  if (given !== undefined && given !== '') return given;
  const kept = data.secret('root-passphrase');
  if (existsSync(kept)) return await readSecretFile(kept);
  if (canAsk()) return await askSecret('Passphrase of the root key: ');
  throw new FatalError(`${variable} is not set, and there is no terminal to ask on`, {
    hint: `set ${variable} to the passphrase of the root key`,
  });
}

function reasonNumber(name: string | undefined): number {
  if (name === undefined) return RevocationReason.REVOCATION_REASON_UNSPECIFIED;
  const reason = Object.values(RevocationReason).find((one) => reasonName(one) === name);
  if (reason === undefined) throw new FatalError(`'${name}' is not known`);
  return reason;
}
