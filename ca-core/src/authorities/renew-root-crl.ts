// Makes the root's next CRL, where the root's key is: by hand, at least once a year, and whenever a CA below the root is
// revoked. What was revoked stays revoked: entries are carried over from the CRL before.
import type { CertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { crlReasons, isCrlReason } from '@gatehouse/pkix/crl/extensions';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { SignerError } from '../keys/signer.ts';
import { loadEncryptedKey } from '../keys/software-key.ts';
import { createSoftwareSigner, type SynchronousSigner } from '../keys/software-signer.ts';
import type { CrlEntry } from '../x509/crl-entry.ts';
import { checkAuthorityCertificate } from './check-authority.ts';
import { certificateFile, hierarchyFolder, keyFile, rootCrlFile } from './files.ts';
import { readAuthorityCertificate } from './read-authority-certificate.ts';
import { loadRootCrl } from './root-crl.ts';
import { writeRootCrl } from './write-root-crl.ts';

/** A CA that the root certified and that is not to be believed any more. */
export type RootRevocation = {
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** CRLReason, RFC 5280 §5.3.1; not certificateHold and not removeFromCRL. */
  readonly reason: number;
};

/** What {@link renewRootCrl} takes. */
export type RenewRootCrlOptions = {
  /** The data directory; its ca/root.pem and ca/root.crl are read, and ca/root.crl is replaced. */
  readonly directory: string;
  /** Where the root's key is, when it was taken out of the data directory. */
  readonly rootKeyFile?: string | undefined;
  /** Opens the root's key. */
  readonly rootPassphrase: string;
  /** Added to what is on the CRL already. */
  readonly revoke?: readonly RootRevocation[] | undefined;
  readonly clock: Clock;
};

/**
 * Makes the next CRL of the root: valid for a year, with a higher number than the one before.
 *
 * @returns what was written
 * @throws {FatalError} when the key does not open or is another one's, the CRL before is not the root's, something is
 *   to be revoked that cannot be, or the file cannot be written; nothing has changed then
 */
export async function renewRootCrl(options: RenewRootCrlOptions): Promise<CertificateList> {
  const { directory, revoke = [], clock } = options;
  const folder = hierarchyFolder(directory);
  const now = clock.now();
  const rootFile = certificateFile(folder, 'root');
  const root = readAuthorityCertificate(rootFile);
  checkAuthorityCertificate(root, rootFile, now);
  const keyPath = options.rootKeyFile ?? keyFile(folder, 'root');
  const signer = openSigner(keyPath, options.rootPassphrase);
  if (Buffer.compare(signer.subjectPublicKeyInfo, root.subjectPublicKeyInfo) !== 0) {
    throw new FatalError(`the private key ${keyPath} is not that of ${rootFile}`, {
      hint: 'give the key that was made together with this root',
    });
  }
  const before = loadRootCrl(directory, root);
  const file = rootCrlFile(folder);
  try {
    return await writeRootCrl(file, {
      root,
      signer,
      // A clock that was set back must not make a CRL that looks older than the one before.
      thisUpdate: new Date(Math.max(now.getTime(), before?.thisUpdate.getTime() ?? 0)),
      // RFC 5280 §5.2.3: strictly increasing, also where a backup of the file was lost.
      crlNumber: Math.max(Number(before?.crlNumber ?? 0n) + 1, now.getTime()),
      entries: addEntries(before, revoke, now),
    });
  } catch (cause) {
    if (cause instanceof FatalError) throw cause;
    throw new FatalError(`cannot make the CRL ${file}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'check that the folder is writable and the disk is not full; the old CRL is still there',
      cause,
    });
  }
}

function openSigner(path: string, passphrase: string): SynchronousSigner {
  const key = loadEncryptedKey(path, passphrase);
  try {
    const signer = createSoftwareSigner(key);
    signer.selfTestSync();
    return signer;
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new FatalError(`the private key ${path} cannot be used: ${cause.message}`, {
      hint: 'restore it from a backup',
      cause,
    });
  }
}

function addEntries(
  before: CertificateList | undefined,
  revoke: readonly RootRevocation[],
  now: Date,
): readonly CrlEntry[] {
  const entries = new Map<string, CrlEntry>();
  for (const { serialNumber, revocationDate, reason, invalidityDate } of before?.entries() ?? []) {
    const revokedAt = revocationDate.getTime();
    entries.set(serialNumber, { serialNumber, revokedAt, reason, invalidityDate: invalidityDate?.getTime() ?? null });
  }
  for (const { serialNumber: text, reason } of revoke) {
    const serialNumber = readSerialNumber(text);
    if (entries.has(serialNumber)) throw new FatalError(`certificate ${serialNumber} is on the CRL already`);
    checkReason(reason);
    entries.set(serialNumber, { serialNumber, revokedAt: now.getTime(), reason, invalidityDate: null });
  }
  return [...entries.values()];
}

/** As CRLs are read: lower case, two digits an octet, without zero octets in front. */
function readSerialNumber(text: string): string {
  const digits = text.replaceAll(':', '').toLowerCase().replace(/^0+/, '');
  if (/^[0-9a-f]{1,40}$/.test(digits)) return digits.length % 2 === 0 ? digits : `0${digits}`;
  throw new FatalError(`'${text}' is not a serial number`, {
    hint: 'give it in hexadecimal, as openssl x509 shows it',
  });
}

function checkReason(reason: number): void {
  // What is held would have to be released again, for which there is no delta of this CRL and no answer in OCSP.
  const isForGood = reason !== crlReasons.certificateHold && reason !== crlReasons.removeFromCRL;
  if (isCrlReason(reason) && isForGood) return;
  throw new FatalError(`${reason} is not a reason for which a CA is revoked`, { hint: 'see RFC 5280 §5.3.1' });
}
