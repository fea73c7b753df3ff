// The file that holds a gate's server certificate: PRIVATE KEY (PKCS#8), own CERTIFICATE, then the intermediates; mode 0600.
// It is only a store: what does not fit the configuration any more, or cannot be read, is simply not there.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import type { ServerCertificate } from './https-server.ts';

/** A server certificate with what must be known to use it. */
export type StoredServerCertificate = ServerCertificate & {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly names: readonly GeneralName[];
};

/**
 * Reads the file.
 *
 * @throws {FatalError} when it is missing or others may read it
 * @throws {Error} when it does not hold a key with its certificate
 */
export function readServerCertificate(file: string): StoredServerCertificate {
  const blocks = decodePem(readPrivateFile(file).toString('latin1'), ['PRIVATE KEY', 'CERTIFICATE']);
  const key = blocks.find(({ label }) => label === 'PRIVATE KEY')?.der;
  if (key === undefined) throw new Error('the private key is missing');
  return describe(
    createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs8' }),
    blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => der),
  );
}

/**
 * Writes the file, durably and all at once.
 *
 * @param certificates DER, own certificate first
 * @throws {FatalError} when it cannot be written
 */
export function writeServerCertificate(
  file: string,
  privateKey: KeyObject,
  certificates: readonly Uint8Array[],
): StoredServerCertificate {
  const stored = describe(privateKey, certificates);
  writePrivateFile(file, stored.privateKey + stored.certificateChain);
  return stored;
}

function describe(privateKey: KeyObject, certificates: readonly Uint8Array[]): StoredServerCertificate {
  const [own] = certificates;
  if (own === undefined) throw new Error('the certificate is missing');
  if (!new X509Certificate(own).checkPrivateKey(privateKey)) {
    throw new Error('the key does not belong to the certificate');
  }
  const certificate = readCertificate(own);
  return {
    certificateChain: certificates.map((der) => encodePem('CERTIFICATE', der)).join(''),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    names: subjectAlternativeNames(certificate),
  };
}
