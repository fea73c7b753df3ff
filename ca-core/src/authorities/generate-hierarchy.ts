// The keys and certificates of a new hierarchy, in memory: a root that signs one issuing CA and then rests, a service CA
// that only vouches for the bridge, and the key of the audit log. Nothing here touches the disk.
import { type KeyObject, randomBytes } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { attribute, checkUpperBounds, type Name, NameError, writeName } from '@gatehouse/pkix/names';
import { FatalError } from '@gatehouse/runtime/fatal';
import { generateSoftwareKey, type KeyAlgorithm } from '../keys/software-key.ts';
import { createSoftwareSigner, type SynchronousSigner } from '../keys/software-signer.ts';
import { crlUrl, issuerUrl } from '../revocation/crl-scope.ts';
import { assembleCertificate, checkIssuedSync } from '../x509/certificate.ts';
import { createCertificateTemplate, writeTbsCertificate } from '../x509/certificate-template.ts';
import type { TemplateIssuer } from '../x509/key-identifier.ts';
import { newInstancePrefix, newSerialNumber } from '../x509/serial-number.ts';

/** Private keys, and certificates as DER. */
export type Hierarchy = {
  readonly keys: {
    readonly root: KeyObject;
    readonly issuing: KeyObject;
    readonly service: KeyObject;
    readonly audit: KeyObject;
  };
  readonly certificates: { readonly root: Uint8Array; readonly issuing: Uint8Array; readonly service: Uint8Array };
};

const rootYears = 20;
const issuingYears = 10;
const serviceYears = 10;
/** Relying parties whose clock is a little behind must be able to use a hierarchy that was made just now. */
const backdateMs = 3_600_000;

/** A CA certificate that is to be made; `issuer` undefined makes it self-signed. */
type AuthorityPlan = {
  readonly subject: Name;
  readonly signer: SynchronousSigner;
  readonly years: number;
  /** CAs that may follow below; undefined sets no limit. */
  readonly pathLength: number | undefined;
  readonly issuer: { readonly certificate: Uint8Array; readonly signer: SynchronousSigner } | undefined;
  /** Base URL below which the issuer's certificate and CRL are found. */
  readonly statusUrl?: string | undefined;
};

/**
 * Makes a hierarchy that is valid from one hour before `now`. All common names end in the same random suffix, so that
 * the roots of two data directories are never taken for each other.
 *
 * @param options.statusUrl base URL below which the root's CRL and certificate will be published, without a slash at its
 *   end; undefined: the issuing CA's certificate names no place
 * @throws {FatalError} when the organization is no valid organizationName
 */
export function generateHierarchy({
  organization,
  now,
  statusUrl,
  algorithm = 'ecdsa-p256',
}: {
  readonly organization: string;
  readonly now: Date;
  readonly statusUrl?: string | undefined;
  /** Of the issuing CA's key. */
  readonly algorithm?: KeyAlgorithm | undefined;
}): Hierarchy {
  const suffix = randomBytes(4).toString('hex').toUpperCase();
  const keys = {
    root: generateSoftwareKey('ecdsa-p384'),
    issuing: generateSoftwareKey(algorithm),
    service: generateSoftwareKey('ecdsa-p256'),
    audit: generateSoftwareKey('ed25519'),
  };
  const rootSigner = createSoftwareSigner(keys.root);
  const notBefore = new Date(now.getTime() - backdateMs);
  const root = certify(notBefore, {
    subject: nameAuthority(`Gatehouse Root CA ${suffix}`, organization),
    signer: rootSigner,
    years: rootYears,
    // RFC 5280 §6.1 does not look at a trust anchor's path length, and a root outlives what is planned today.
    pathLength: undefined,
    issuer: undefined,
  });
  const issuing = certify(notBefore, {
    subject: nameAuthority(`Gatehouse Issuing CA ${suffix}`, organization),
    signer: createSoftwareSigner(keys.issuing),
    years: issuingYears,
    // One more level, for the profile sub-ca.
    pathLength: 1,
    issuer: { certificate: root, signer: rootSigner },
    statusUrl,
  });
  const service = certify(notBefore, {
    subject: nameAuthority(`Gatehouse Service CA ${suffix}`, organization),
    signer: createSoftwareSigner(keys.service),
    years: serviceYears,
    pathLength: 0,
    issuer: undefined,
  });
  return { keys, certificates: { root, issuing, service } };
}

function nameAuthority(commonName: string, organization: string): Name {
  try {
    const name = [[attribute('O', organization)], [attribute('CN', commonName)]];
    checkUpperBounds(name);
    return name;
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    throw new FatalError(`the organization cannot stand in a certificate: ${cause.detail}`, {
      hint: 'give 1 to 64 characters',
      cause,
    });
  }
}

function certify(notBefore: Date, plan: AuthorityPlan): Uint8Array {
  const { subject, signer, issuer, statusUrl } = plan;
  const subjectPublicKeyInfo = signer.subjectPublicKeyInfo;
  const self: TemplateIssuer = { subjectDer: writeName(subject), subjectPublicKeyInfo, extensions: [] };
  const issuerFacts: TemplateIssuer = issuer === undefined ? self : readCertificate(issuer.certificate);
  const issuerSigner = issuer?.signer ?? signer;
  const template = createCertificateTemplate({
    issuer: issuerFacts,
    signatureAlgorithm: issuerSigner.signatureAlgorithm,
    keyUsage: ['keyCertSign', 'cRLSign'],
    rsaKeyUsage: [],
    extendedKeyUsage: [],
    basicConstraints: { isCa: true, pathLength: plan.pathLength },
    policies: [],
    // No responder: the root's key is not there to certify one.
    authorityInformationAccess: {
      ocsp: [],
      caIssuers: statusUrl === undefined ? [] : [issuerUrl(statusUrl, issuerFacts)],
    },
    crlDistributionPoints: statusUrl === undefined ? [] : [crlUrl(statusUrl, 'root')],
  });
  const tbs = writeTbsCertificate(template, {
    serialNumber: newSerialNumber(newInstancePrefix()),
    notBefore,
    notAfter: yearsAfter(notBefore, plan.years),
    subject,
    subjectPublicKeyInfo,
    names: [],
    extensions: [],
  });
  const certificate = assembleCertificate(tbs, issuerSigner.signatureAlgorithm, issuerSigner.sign(tbs));
  checkIssuedSync({ certificate, tbs, issuer: issuerFacts });
  return certificate;
}

// RFC 5280 §4.1.2.5: notAfter belongs to the period, so the last second is the one before the anniversary.
function yearsAfter(start: Date, years: number): Date {
  const end = new Date(start);
  end.setUTCFullYear(end.getUTCFullYear() + years);
  return new Date(end.getTime() - 1000);
}
