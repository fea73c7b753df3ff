// Credentials of the bridge, from the service CA: the core's own server certificate, and what RAs, perspectives, operators
// and joiners present. The URI is the whole identity (no subject), so that nobody can be tempted to read another one.
// The caller decides who gets which URI and records what was issued; this only writes and signs.
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import type { Clock } from '@gatehouse/runtime/clock';
import { assembleCertificate, checkIssuedSync } from '../x509/certificate.ts';
import type { CertificateTemplate } from '../x509/certificate-template.ts';
import { writeTbsCertificate } from '../x509/certificate-template.ts';
import { newSerialNumber } from '../x509/serial-number.ts';
import type { Authority } from './authority.ts';
import { createAuthorityTemplate } from './authority-template.ts';

/** Which side of TLS the holder may be. */
export type ServiceCertificateUsage = 'client' | 'server' | 'both';

/** What goes into a service certificate. */
export type ServiceCertificateOptions = {
  /** The service CA; its signer must answer synchronously. */
  readonly service: Authority;
  /** `spiffe://gatehouse.internal/…`. */
  readonly uri: string;
  readonly dnsNames?: readonly string[];
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** From now; cut at the end of the service CA. */
  readonly lifeMs: number;
  readonly usage: ServiceCertificateUsage;
  /** 2 octets in front of the serial number. */
  readonly instancePrefix: Uint8Array;
  readonly clock: Clock;
};

/** Core, gates and operators may run on machines whose clocks differ by so much. */
const backdateMs = 300_000;

const purposes = {
  client: [keyPurposes.clientAuth],
  server: [keyPurposes.serverAuth],
  both: [keyPurposes.serverAuth, keyPurposes.clientAuth],
} as const;

/**
 * Issues a certificate of the service CA.
 *
 * @returns DER
 * @throws {CoreError} when the key is of a kind that cannot sign, or the result is not what was intended
 * @throws {RangeError} when there is no life left in it
 */
export function issueServiceCertificate(options: ServiceCertificateOptions): Uint8Array {
  const { service, uri, dnsNames = [], subjectPublicKeyInfo, lifeMs, clock } = options;
  const now = clock.now().getTime();
  const tbs = writeTbsCertificate(templateFor(service, options.usage), {
    serialNumber: newSerialNumber(options.instancePrefix),
    notBefore: new Date(Math.max(now - backdateMs, service.certificate.notBefore.getTime())),
    notAfter: new Date(Math.min(now + lifeMs, service.certificate.notAfter.getTime())),
    subject: [],
    subjectPublicKeyInfo,
    names: [{ kind: 'uri', value: uri }, ...dnsNames.map((value) => ({ kind: 'dns', value }) as const)],
    extensions: [],
  });
  const signature = service.signer.sign(tbs);
  if (!(signature instanceof Uint8Array)) throw new TypeError('the service CA needs a signer that answers at once');
  const certificate = assembleCertificate(tbs, service.signer.signatureAlgorithm, signature);
  checkIssuedSync({ certificate, tbs, issuer: service.certificate });
  return certificate;
}

const templates = new WeakMap<Authority, Partial<Record<ServiceCertificateUsage, CertificateTemplate>>>();

function templateFor(service: Authority, usage: ServiceCertificateUsage): CertificateTemplate {
  const known = templates.get(service) ?? {};
  const template =
    known[usage] ??
    createAuthorityTemplate(service, {
      keyUsage: ['digitalSignature'],
      rsaKeyUsage: [],
      extendedKeyUsage: purposes[usage],
      basicConstraints: { isCa: false },
      policies: [],
      authorityInformationAccess: { ocsp: [], caIssuers: [] },
      crlDistributionPoints: [],
    });
  templates.set(service, { ...known, [usage]: template });
  return template;
}
