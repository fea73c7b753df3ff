// The root's own CRL as the running core publishes it. It is made where the root's key is (renew-root-crl.ts); here it is
// read and judged, so that nothing is published in the root's name that the root did not sign.
import { readFileSync } from 'node:fs';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { type CertificateList, readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { PkixError } from '@gatehouse/pkix/errors';
import { FatalError } from '@gatehouse/runtime/fatal';
import { hierarchyFolder, rootCrlFile } from './files.ts';
import { rootCrlFault } from './write-root-crl.ts';

const renewHint = 'restore it from a backup, or make another one with the root key: gatehouse crl generate root';

/**
 * Reads the root's CRL of a data directory. Whether its time is over is not judged: an old one says more than none.
 *
 * @returns undefined when there is none, as in directories that were made before there was one
 * @throws {FatalError} when it cannot be read, or is not the root's
 */
export function loadRootCrl(directory: string, root: Certificate): CertificateList | undefined {
  const file = rootCrlFile(hierarchyFolder(directory));
  const der = readIfThere(file);
  if (der === undefined) return undefined;
  const crl = readCrl(file, der);
  const fault = rootCrlFault(crl, root);
  if (fault === undefined) return crl;
  throw new FatalError(`the CRL ${file} is not the one of the root: ${fault}`, { hint: renewHint });
}

function readIfThere(file: string): Uint8Array | undefined {
  try {
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new FatalError(`cannot read the CRL ${file}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'check the owner and the mode of the file',
      cause,
    });
  }
}

function readCrl(file: string, der: Uint8Array): CertificateList {
  try {
    const crl = readCertificateList(der);
    // Entries are read when they are asked for: a damaged one must show now.
    for (const _ of crl.entries());
    return crl;
  } catch (cause) {
    if (!(cause instanceof PkixError)) throw cause;
    throw new FatalError(`the CRL ${file} is corrupt: ${cause.detail}`, { hint: renewHint, cause });
  }
}
