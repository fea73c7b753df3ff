// Writes the root's own CRL (RFC 5280 §5): complete, without a distribution point, valid for a year, because the key that
// signs it rests in between. It is on the disk as a whole or not at all, and never without a look at what was signed.
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { type CertificateList, readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import type { SynchronousSigner } from '../keys/software-signer.ts';
import type { CrlEntry } from '../x509/crl-entry.ts';
import { assembleCrlFile } from '../x509/crl-file.ts';
import { writeTbsCertList } from '../x509/tbs-cert-list.ts';
import { syncDirectory } from './sync-directory.ts';

/** What goes into the CRL. */
export type RootCrlContents = {
  readonly root: Certificate;
  /** The root's. */
  readonly signer: SynchronousSigner;
  readonly thisUpdate: Date;
  readonly crlNumber: number;
  readonly entries: readonly CrlEntry[];
};

const lifeMs = 365 * 86_400_000;

/** Signs the CRL and puts it in the place of `file`; answers what was written. Throws what the file system throws. */
export async function writeRootCrl(file: string, contents: RootCrlContents): Promise<CertificateList> {
  const { root, signer, thisUpdate, crlNumber, entries } = contents;
  const { signatureAlgorithm } = signer;
  const made = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const tbsFile = `${made}.tbs`;
  try {
    // RFC 5280 §5.1.2.5: a CRL that outlived its issuer would be believed by nobody.
    const nextUpdate = new Date(Math.min(thisUpdate.getTime() + lifeMs, root.notAfter.getTime()));
    await writeTbsCertList(tbsFile, { issuer: root, signatureAlgorithm, thisUpdate, nextUpdate, crlNumber }, [entries]);
    const signature = signer.sign(await readFile(tbsFile));
    await assembleCrlFile({ tbsFile, signatureAlgorithm, signature, file: made });
    const crl = readCertificateList(await readFile(made));
    const fault = rootCrlFault(crl, root);
    if (fault !== undefined) throw new Error(`the CRL that was signed is not the one that was intended: ${fault}`);
    renameSync(made, file);
    syncDirectory(dirname(file));
    return crl;
  } finally {
    await rm(made, { force: true });
    await rm(tbsFile, { force: true });
  }
}

/** Why a CRL is not the root's own complete one, or undefined. Its times are not looked at. */
export function rootCrlFault(crl: CertificateList, root: Certificate): string | undefined {
  if (Buffer.compare(crl.issuerDer, root.subjectDer) !== 0) return 'its issuer is not the root';
  // RFC 5280 §5.2.4, §5.2.5: a delta or a part of one would let revoked CAs be believed.
  if (crl.baseCrlNumber !== undefined || crl.issuingDistributionPoint !== undefined) return 'it is not complete';
  const { signatureAlgorithm: algorithm, tbs: data, signature } = crl;
  const verification = verifySignature({ algorithm, spki: root.subjectPublicKeyInfo, data, signature });
  return verification.ok ? undefined : verification.reason;
}
