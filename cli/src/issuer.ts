/**
 * Finds the certificate of the CA that issued another one: by name, and by the signature, which alone decides. Where it is
 * looked for is an order of nearness: what the person says, what stands in the same file, this data directory's own CAs,
 * and last the place that the certificate itself names.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, extensionOf } from '@gatehouse/pkix/certificate';
import { readAuthorityInformationAccess } from '@gatehouse/pkix/extensions';
import { areNamesEqual, formatName } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { FatalError } from '@gatehouse/runtime/fatal';
import { decodeCertificates, readCertificateFile } from './certificate-file.ts';
import type { DataDirectory } from './data-directory.ts';
import { download } from './http.ts';

/** Where to look. */
export type IssuerSources = {
  /** The one that the person names: no other is taken. */
  readonly file?: string | undefined;
  /** What came along with the certificate. */
  readonly others?: readonly Certificate[] | undefined;
  readonly data: DataDirectory;
};

/** Largest answer of a caIssuers URL. */
const maximumOctets = 256 * 1024;

/** Finds the issuer. Throws FatalError that says where it was looked for. */
export async function findIssuer(certificate: Certificate, sources: IssuerSources): Promise<Certificate> {
  const { file, others = [], data } = sources;
  if (file !== undefined) {
    const issuer = readCertificateFile(file).find((candidate) => hasIssued(candidate, certificate));
    if (issuer !== undefined) return issuer;
    throw new FatalError(`no certificate in ${file} issued the one with serial number ${certificate.serialNumber}`, {
      hint: `its issuer is '${formatName(certificate.issuer)}'`,
    });
  }
  const near = [...others, ...trustedHere(data)].find((candidate) => hasIssued(candidate, certificate));
  return near ?? (await fetchIssuer(certificate));
}

/** The CAs of a data directory, if there is one. */
export function trustedHere(data: DataDirectory): readonly Certificate[] {
  return ['trust/chain.pem', 'trust/root.pem']
    .map((name) => join(data.path, name))
    .filter((path) => existsSync(path))
    .flatMap((path) => readCertificateFile(path));
}

/** Whether `issuer` bears the name and the key that a certificate was signed with. */
export function hasIssued(issuer: Certificate, certificate: Certificate): boolean {
  if (!areNamesEqual(issuer.subject, certificate.issuer)) return false;
  const { signatureAlgorithm: algorithm, tbs: data, signature } = certificate;
  return verifySignature({ algorithm, spki: issuer.subjectPublicKeyInfo, data, signature }).ok;
}

/** The URLs of a certificate's authorityInformationAccess, those for http and https. */
export function informationAccess(certificate: Certificate): {
  readonly ocsp: readonly string[];
  readonly caIssuers: readonly string[];
} {
  const extension = extensionOf(certificate, extensionIds.authorityInformationAccess);
  if (extension === undefined) return { ocsp: [], caIssuers: [] };
  const { ocsp, caIssuers } = readAuthorityInformationAccess(extension.value);
  const isHttp = (url: string): boolean => /^https?:/i.test(url);
  return { ocsp: ocsp.filter(isHttp), caIssuers: caIssuers.filter(isHttp) };
}

async function fetchIssuer(certificate: Certificate): Promise<Certificate> {
  const name = formatName(certificate.issuer);
  const hint = 'name the file with its certificate: --issuer FILE';
  const [url] = informationAccess(certificate).caIssuers;
  if (url === undefined) throw new FatalError(`the certificate of the issuer '${name}' is not known here`, { hint });
  const octets = await download(url, { maximumOctets }).catch((cause: unknown) => {
    if (!(cause instanceof FatalError)) throw cause;
    throw new FatalError(`the issuer '${name}' is not known here: ${cause.message}`, { hint, cause });
  });
  const issuer = decodeCertificates(octets, url).find((candidate) => hasIssued(candidate, certificate));
  if (issuer === undefined) throw new FatalError(`what ${url} gives is not the issuer '${name}'`, { hint });
  return issuer;
}
