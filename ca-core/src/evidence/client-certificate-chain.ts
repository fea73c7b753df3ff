// Evidence of type `client-certificate-chain`: the certificate with which a client, such as a device with its
// manufacturer's IDevID (IEEE 802.1AR), showed itself to the RA. It proves that an anchor of ours leads to this
// certificate and to nothing else: that its holder was at the gate is the RA's word, and who it was is its subject.
import { type Certificate, certificateFingerprint, readCertificate } from '@gatehouse/pkix/certificate';
import { validatePath } from '@gatehouse/pkix/certification-path';
import { PkixError } from '@gatehouse/pkix/errors';
import { formatName } from '@gatehouse/pkix/names';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import type { Anchors } from './anchors.ts';

/** The bound of `Evidence.certificates` in the contract. */
const maximumCertificates = 8;

/**
 * Validates the chain at `at` (RFC 5280 §6) for TLS clients; a certificate that has ended, where an anchor allows it
 * (IEEE 802.1AR, RFC 9148 §9.1), at its end.
 *
 * @returns subject, serial number and fingerprint of the client's certificate, and the anchor
 * @throws CoreError `evidence-invalid` naming what is wrong with it
 */
export function verifyClientCertificateChain(evidence: Evidence, { all, ofExpired }: Anchors, at: Date): string {
  if (evidence.certificates.length > maximumCertificates) {
    throw refuse(`more than ${maximumCertificates} certificates`);
  }
  const certificate = read('the client certificate', evidence.payload);
  const intermediates = evidence.certificates.map((der, i) => read(`certificate ${i + 1} of the chain`, der));
  const validate = (anchors: readonly Certificate[], when: Date) =>
    validatePath({ certificate, intermediates, anchors, at: when, purpose: keyPurposes.clientAuth });
  const hasEnded = certificate.notAfter.getTime() < at.getTime();
  const now = validate(all, at);
  const result = now.ok || !hasEnded || ofExpired.length === 0 ? now : validate(ofExpired, certificate.notAfter);
  if (!result.ok) throw refuse(result.reason);
  const anchor = result.path[result.path.length - 1] ?? certificate;
  const fingerprint = Buffer.from(certificateFingerprint(certificate)).toString('hex');
  return `client-certificate-chain: ${formatName(certificate.subject)}, serial number ${certificate.serialNumber}, SHA-256 ${fingerprint}, anchor ${formatName(anchor.subject)}`;
}

function read(what: string, der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (cause) {
    if (cause instanceof PkixError) throw refuse(`${what}: ${cause.detail}`, cause);
    throw cause;
  }
}

function refuse(detail: string, cause?: unknown): CoreError {
  return new CoreError('evidence-invalid', `client-certificate-chain: ${detail}`, { cause });
}
