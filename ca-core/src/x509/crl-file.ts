// Puts a CRL (RFC 5280 §5.1) together from a TBSCertList that lies in a file and its signature, in bounded memory. The
// result is on the disk when it is told of; giving it its name is the caller's, who first records it.
import { createHash } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { bitString, concat, writeHead } from '@gatehouse/pkix/der/writer';
import { readChunks, writeAll } from './octet-file.ts';

/** Where the parts are, and where the CRL goes. */
export type CrlFileParts = {
  /** The TBSCertList that was signed; it is left as it is. */
  readonly tbsFile: string;
  /** AlgorithmIdentifier, DER: the one in the TBSCertList. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** A name on the file system of the final one; what is there is replaced. */
  readonly file: string;
};

/** Octets of the CRL and SHA-256 over them. */
export type AssembledCrl = { readonly size: number; readonly sha256: Uint8Array };

/** Writes CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue } and syncs it. On failure no file is left. */
export async function assembleCrlFile(parts: CrlFileParts): Promise<AssembledCrl> {
  const { tbsFile, signatureAlgorithm, signature, file } = parts;
  const tail = concat(signatureAlgorithm, bitString(signature));
  const { size: tbsSize } = await stat(tbsFile);
  const head = writeHead(0x30, tbsSize + tail.length);
  const hash = createHash('sha256');
  const target = await open(file, 'w', 0o644);
  let size = 0;
  const append = async (octets: Uint8Array) => {
    hash.update(octets);
    size += octets.length;
    await writeAll(target, octets);
  };
  try {
    await append(head);
    for await (const chunk of readChunks(tbsFile)) await append(chunk);
    await append(tail);
    if (size !== head.length + tbsSize + tail.length) throw new Error(`${tbsFile} changed while it was read`);
    await target.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await target.close();
  }
  return { size, sha256: hash.digest() };
}
