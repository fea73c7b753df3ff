// Reads a CA certificate of the hierarchy from its file. It says what is wrong with the file, not whether the certificate
// may be used.
import { readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';

/**
 * Reads the one certificate in a PEM file.
 *
 * @throws {FatalError} when the file is missing, unreadable or holds anything else
 */
export function readAuthorityCertificate(path: string): Certificate {
  const text = readText(path);
  try {
    const blocks = decodePem(text, ['CERTIFICATE']);
    const [block] = blocks;
    if (block !== undefined && blocks.length === 1) return readCertificate(block.der);
  } catch (cause) {
    if (!(cause instanceof PkixError)) throw cause;
    throw new FatalError(`the certificate ${path} is corrupt: ${cause.detail}`, {
      hint: 'restore it from a backup',
      cause,
    });
  }
  throw new FatalError(`${path} holds several certificates where one must stand`, {
    hint: 'leave only the certificate of this authority in it',
  });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing) {
      throw new FatalError(`the certificate ${path} is missing`, { hint: 'restore it from a backup', cause });
    }
    throw new FatalError(`cannot read the certificate ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'check the owner and the mode of the file',
      cause,
    });
  }
}
