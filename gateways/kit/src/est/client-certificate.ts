// Judges the certificate a client showed in its TLS or DTLS handshake. There are two stores, RFC 7030 §3.6: our own CA, whose
// certificates the keep vouches for one by one, and foreign anchors (IEEE 802.1AR manufacturers), which count only for
// the labels and operations they are listed for. OpenSSL's word on the chain is never taken.

import { type Certificate, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { validatePath } from '@gatehouse/pkix/certification-path';
import { PkixError } from '@gatehouse/pkix/errors';
import { findExtension, type KeyUsage, readExtendedKeyUsage, readKeyUsage } from '@gatehouse/pkix/extensions';
import { formatName } from '@gatehouse/pkix/names';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { type CertificateRecord, CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import type { PeerFacts } from '../peer.ts';
import type { CaCertificates } from './ca-certificates.ts';
import type { Label } from './configuration.ts';
import type { ForeignAnchor } from './foreign-anchors.ts';
import type { OperationName } from './operation-names.ts';

/** A certificate of our own CA, with what the keep recorded about it. */
export type OwnCertificate = {
  readonly kind: 'own';
  readonly certificate: Certificate;
  readonly record: CertificateRecord;
  /** Key purposes; undefined: any. */
  readonly purposes: readonly string[] | undefined;
};

/** A certificate of a foreign anchor, valid for this label and operation. */
export type ForeignCertificate = {
  readonly kind: 'foreign';
  readonly certificate: Certificate;
  readonly anchor: ForeignAnchor;
  /** Between the certificate and the anchor, DER, nearest first. */
  readonly intermediates: readonly Uint8Array[];
};

/** A client certificate that was accepted. */
export type ClientCertificate = OwnCertificate | ForeignCertificate;

/** What came of judging. A reason may be told to the client: it holds the certificate. */
export type CertificateVerdict =
  | { readonly kind: 'absent' }
  | { readonly kind: 'accepted'; readonly client: ClientCertificate }
  | {
      readonly kind: 'refused';
      readonly reason: string;
      /** It comes from an anchor that is trusted, but not for this label or operation. */
      readonly isOutOfPlace: boolean;
    };

/** What certificates are judged by. */
export type CertificateJudge = {
  readonly core: CoreClient;
  readonly caCertificates: CaCertificates;
  readonly foreignAnchors: readonly ForeignAnchor[];
  readonly clock: Clock;
};

/** What a certificate is judged for. */
export type JudgedExchange = {
  readonly requestId: string;
  readonly label: Label;
  /**
   * undefined for what every holder of a certificate that counts under the label may have, where a transport gives nothing
   * to others (RFC 9148 §3): the operations of a foreign anchor are then not looked at.
   */
  readonly operation: OperationName | undefined;
  readonly peer: Pick<PeerFacts, 'certificate' | 'chain'>;
};

const refused = (reason: string, isOutOfPlace = false): CertificateVerdict => ({
  kind: 'refused',
  reason,
  isOutOfPlace,
});

/**
 * Judges the client certificate of an exchange for its label and operation.
 *
 * @throws {CoreError} when the keep cannot be asked
 */
export async function judgeClientCertificate(
  judge: CertificateJudge,
  exchange: JudgedExchange,
): Promise<CertificateVerdict> {
  const { peer } = exchange;
  if (peer.certificate === undefined) return { kind: 'absent' };
  let certificate: Certificate;
  let sent: readonly Certificate[];
  try {
    certificate = readCertificate(peer.certificate);
    sent = peer.chain.map(readCertificate);
    // What is asked of it further on must be readable too: a certificate of another maker may hold anything there.
    purposesOf(certificate);
    usagesOf(certificate);
    subjectAlternativeNames(certificate);
  } catch (error) {
    if (!(error instanceof PkixError)) throw error;
    return refused(`the client certificate cannot be read: ${error.detail}`);
  }
  const own = await judgeOwn(judge, exchange, certificate, sent);
  return own ?? judgeForeign(judge, exchange, certificate, sent);
}

/** A verdict, or undefined when the certificate does not come from our own CA. */
async function judgeOwn(
  { core, caCertificates, clock }: CertificateJudge,
  { label, operation, requestId }: JudgedExchange,
  certificate: Certificate,
  sent: readonly Certificate[],
): Promise<CertificateVerdict | undefined> {
  const { anchors, intermediates } = await caCertificates.current();
  const now = clock.now();
  const isExpired = certificate.notAfter.getTime() < now.getTime();
  // RFC 7030 has no rule for it; a device that slept over the end may come back where the label allows it.
  const graceMs = operation === 'simplereenroll' ? label.renewal.expiredGrace : 0;
  const at = isExpired && now.getTime() - certificate.notAfter.getTime() <= graceMs ? certificate.notAfter : now;
  const path = validatePath({ certificate, intermediates: [...intermediates, ...sent], anchors, at });
  if (!path.ok) {
    // Told apart from a foreign certificate by its issuer, so that the client hears the true reason.
    const isOurs = [...intermediates, ...anchors].some((issuer) => isIssuedBy(certificate, issuer));
    return isOurs ? refused(isExpired ? 'the client certificate has expired' : path.reason) : undefined;
  }
  let record: CertificateRecord;
  try {
    record = await core.getCertificate({ certificate: certificate.der }, { requestId });
  } catch (error) {
    if (error instanceof CoreError && error.code === 'not-found')
      return refused('the client certificate is not known here');
    throw error;
  }
  switch (record.state) {
    case CertificateState.CERTIFICATE_STATE_REVOKED:
      return refused('the client certificate is revoked');
    case CertificateState.CERTIFICATE_STATE_HELD:
      return refused('the client certificate is on hold');
  }
  return { kind: 'accepted', client: { kind: 'own', certificate, record, purposes: purposesOf(certificate) } };
}

function judgeForeign(
  { foreignAnchors, clock }: CertificateJudge,
  { label, operation }: JudgedExchange,
  certificate: Certificate,
  sent: readonly Certificate[],
): CertificateVerdict {
  const now = clock.now();
  let reason = 'the client certificate is of no CA that is trusted here';
  let isOutOfPlace = false;
  for (const anchor of foreignAnchors) {
    const isExpired = certificate.notAfter.getTime() < now.getTime();
    const pathAt = (at: Date) =>
      validatePath({ certificate, intermediates: [...anchor.intermediates, ...sent], anchors: anchor.anchors, at });
    const path = pathAt(isExpired && anchor.acceptsExpired ? certificate.notAfter : now);
    if (!path.ok) {
      // The client hears the true reason, also where there are CAs between it and the anchor.
      if (isExpired && pathAt(certificate.notAfter).ok) reason = 'the client certificate has expired';
      else if (certificate.notBefore.getTime() > now.getTime() && pathAt(certificate.notBefore).ok)
        reason = 'the client certificate is not valid yet';
      else if (anchor.anchors.some((issuer) => isIssuedBy(certificate, issuer))) reason = path.reason;
      continue;
    }
    const isForOperation = operation === undefined || anchor.operations.includes(operation);
    if (!anchor.labels.includes(label.name) || !isForOperation) {
      // The same CA may stand in another entry, for other labels.
      isOutOfPlace = true;
      reason = `certificates of ${anchor.name} do not count ${operation === undefined ? '' : `for ${operation} `}here`;
      continue;
    }
    const misuse = misuseOf(path.path);
    if (misuse !== undefined) return refused(misuse);
    const status = anchor.revocationStatus(certificate, now);
    if (status !== 'good') {
      return refused(
        status === 'revoked' ? 'the client certificate is revoked' : 'the status of the client certificate is unknown',
      );
    }
    return {
      kind: 'accepted',
      client: {
        kind: 'foreign',
        certificate,
        anchor,
        // The path from the certificate to the anchor, without either end.
        intermediates: path.path.slice(1, -1).map(({ der }) => der),
      },
    };
  }
  return refused(reason, isOutOfPlace);
}

/**
 * Why the certificates of a path from a client's to an anchor are not meant for what is done with them; undefined when they
 * are. A CA that is bound to other purposes (RFC 5280 §4.2.1.12, as everybody reads it for CAs) makes no clients, and who
 * proves a key by signing must be allowed to (§4.2.1.3, RFC 5246 §7.4.8): a CA's own certificate is no device's.
 */
function misuseOf([certificate, ...issuers]: readonly Certificate[]): string | undefined {
  if (certificate === undefined) return 'there is no client certificate';
  if (!isForClients(purposesOf(certificate))) return 'the client certificate is not for clients';
  if (usagesOf(certificate)?.includes('digitalSignature') === false)
    return 'the client certificate is not for signatures';
  const other = issuers.find((issuer) => !isForClients(purposesOf(issuer)));
  return other === undefined ? undefined : `its issuer '${formatName(other.subject)}' is not for clients`;
}

/** Whether a certificate with these purposes may stand for a client. */
export function isForClients(purposes: readonly string[] | undefined): boolean {
  return (
    purposes === undefined ||
    purposes.includes(keyPurposes.clientAuth) ||
    purposes.includes(keyPurposes.anyExtendedKeyUsage) ||
    purposes.includes(keyPurposes.cmcRA)
  );
}

function purposesOf(certificate: Certificate): readonly string[] | undefined {
  const extension = findExtension(certificate.extensions, extensionIds.extendedKeyUsage);
  return extension === undefined ? undefined : readExtendedKeyUsage(extension.value);
}

function usagesOf(certificate: Certificate): readonly KeyUsage[] | undefined {
  const extension = findExtension(certificate.extensions, extensionIds.keyUsage);
  return extension === undefined ? undefined : readKeyUsage(extension.value);
}

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return Buffer.compare(certificate.issuerDer, issuer.subjectDer) === 0;
}
