// The chains of a certificate, RFC 8555 §7.4.2: the one that the keep gave, and others that an operator configured for the
// same issuing key, such as one that ends in the former root. A trust anchor is left out of each: who trusts it has it.

import { readFileSync } from 'node:fs';
import { type Certificate, CertificateError, readCertificate } from '@gatehouse/pkix/certificate';
import { areNamesEqual } from '@gatehouse/pkix/names';
import { decodePem, encodePem, PemError } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { StoredCertificate } from './state/certificates.ts';

/** Writes chains. */
export type Chains = {
  /** How many chains a certificate has beside the default one. */
  countAlternates(certificate: StoredCertificate): number;
  /** The certificate with a chain as PEM, leaf first. @param alternate 0 is the default one @returns undefined for none */
  write(certificate: StoredCertificate, alternate: number): string | undefined;
};

/** Chains of one issuing key, PEM. */
type IssuerChains = readonly [string, ...string[]];

/** An issuing CA has few chains, and a gate few issuing CAs. */
const maximumIssuers = 64;

/**
 * Reads the chains.
 *
 * @param files absolute paths of PEM files with alternates, issuing CA first
 * @param defaultFile the same of the chain that takes the place of the keep's
 * @throws {FatalError} for a file that holds no chain
 */
export function openChains(files: readonly string[], defaultFile?: string): Chains {
  const alternates = files.map(readChain);
  const preferred = defaultFile === undefined ? undefined : readChain(defaultFile);
  const byChain = new Map<string, IssuerChains>();

  const chainsOf = ({ chain }: StoredCertificate): IssuerChains => {
    const known = byChain.get(chain);
    if (known !== undefined) return known;
    const [issuer, ...others] = readStoredChain(chain);
    const chains: IssuerChains =
      issuer === undefined
        ? ['']
        : [
            writeChain(preferred !== undefined && isSameIssuer(preferred[0], issuer) ? preferred : [issuer, ...others]),
            ...alternates.filter(([first]) => isSameIssuer(first, issuer)).map((one) => writeChain(one)),
          ];
    if (byChain.size >= maximumIssuers) byChain.clear();
    byChain.set(chain, chains);
    return chains;
  };

  return {
    countAlternates: (certificate) => chainsOf(certificate).length - 1,
    write: (certificate, alternate) => {
      const chain = chainsOf(certificate)[alternate];
      return chain === undefined ? undefined : encodePem('CERTIFICATE', certificate.certificate) + chain;
    },
  };
}

/** The form in which chains are stored. @param chain DER, issuing CA first */
export function storeChain(chain: readonly Uint8Array[]): string {
  return JSON.stringify(chain.map((der) => Buffer.from(der).toString('base64')));
}

function readStoredChain(chain: string): readonly Certificate[] {
  const list: readonly string[] = JSON.parse(chain);
  return list.map((base64) => readCertificate(Buffer.from(base64, 'base64')));
}

function readChain(file: string): readonly [Certificate, ...Certificate[]] {
  try {
    const [first, ...others] = decodePem(readFileSync(file, 'latin1'), ['CERTIFICATE']).map(({ der }) =>
      readCertificate(der),
    );
    if (first !== undefined) return [first, ...others];
  } catch (error) {
    if (!(error instanceof CertificateError || error instanceof PemError || isFileError(error))) throw error;
    throw new FatalError(`${file} cannot be read as a chain: ${error.message}`, {
      hint: 'acme.alternateChains lists PEM files, each with the issuing CA first',
      cause: error,
    });
  }
  throw new FatalError(`${file} holds no certificate`);
}

function isFileError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** RFC 8555 §9.1 allows the trust anchor; RFC 8446 §4.4.2 lets it be left out, and nobody needs it. */
function writeChain(chain: readonly Certificate[]): string {
  return chain
    .filter(({ issuer, subject }) => !areNamesEqual(issuer, subject))
    .map(({ der }) => encodePem('CERTIFICATE', der))
    .join('');
}

function isSameIssuer(a: Certificate, b: Certificate): boolean {
  return areNamesEqual(a.subject, b.subject) && Buffer.compare(a.subjectPublicKeyInfo, b.subjectPublicKeyInfo) === 0;
}
