/** Certificates that a person names: a file in PEM or DER, in which the first one is meant and the others may be its issuers. */
import { readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';

const label = 'CERTIFICATE';
/** What servers keep in one file with their certificates; it is passed over. */
const keyLabels = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PARAMETERS'];

/** Reads all certificates of a file, one at least. Throws FatalError that names the file. */
export function readCertificateFile(file: string): readonly [Certificate, ...Certificate[]] {
  let octets: Buffer;
  try {
    octets = readFileSync(file);
  } catch (cause) {
    throw new FatalError(`cannot read ${file}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  return decodeCertificates(octets, file);
}

/** Reads certificates in PEM, DER, or a certs-only message. Throws FatalError. @param source for messages */
export function decodeCertificates(octets: Buffer, source: string): readonly [Certificate, ...Certificate[]] {
  try {
    const [first, ...others] = decode(octets).map((der) => readCertificate(der));
    if (first !== undefined) return [first, ...others];
  } catch (cause) {
    if (!(cause instanceof PkixError)) throw cause;
    throw new FatalError(`${source} is not a certificate: ${cause.detail}`, {
      hint: 'it must be one in PEM or DER; others may follow it in PEM',
      cause,
    });
  }
  throw new FatalError(`${source} holds no certificate`);
}

function decode(octets: Buffer): readonly Uint8Array[] {
  if (octets.includes('-----BEGIN ')) {
    return decodePem(octets.toString('latin1'), [label, ...keyLabels])
      .filter((block) => block.label === label)
      .map(({ der }) => der);
  }
  try {
    readCertificate(octets);
    return [octets];
  } catch (error) {
    // RFC 5280 §4.2.2.1: caIssuers may also lead to a certs-only message.
    try {
      return readCertificatesOnly(octets);
    } catch {
      throw error;
    }
  }
}
