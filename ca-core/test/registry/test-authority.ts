// A service CA in memory, and certificates of it with any names.
import { readCertificate } from '@gatehouse/pkix/certificate';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Authority } from '../../src/authorities/authority.ts';
import { createAuthorityTemplate } from '../../src/authorities/authority-template.ts';
import { generateHierarchy } from '../../src/authorities/generate-hierarchy.ts';
import { generateSoftwareKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { assembleCertificate } from '../../src/x509/certificate.ts';
import { writeTbsCertificate } from '../../src/x509/certificate-template.ts';
import { newSerialNumber } from '../../src/x509/serial-number.ts';

/** A service CA that begins at the clock's time. */
export function createTestAuthority(clock: Clock): Authority {
  const { keys, certificates } = generateHierarchy({ organization: 'Example', now: clock.now() });
  return {
    name: 'service',
    certificate: readCertificate(certificates.service),
    chain: [certificates.service],
    signer: createSoftwareSigner(keys.service),
  };
}

/** A SubjectPublicKeyInfo that nobody has used. */
export function newSubjectKey(): Uint8Array {
  return createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).subjectPublicKeyInfo;
}

/** A certificate with these names, DER. */
export function certify(service: Authority, names: readonly GeneralName[]): Uint8Array {
  const template = createAuthorityTemplate(service, {
    keyUsage: ['digitalSignature'],
    rsaKeyUsage: [],
    extendedKeyUsage: [],
    basicConstraints: { isCa: false },
    policies: [],
    authorityInformationAccess: { ocsp: [], caIssuers: [] },
    crlDistributionPoints: [],
  });
  const tbs = writeTbsCertificate(template, {
    serialNumber: newSerialNumber(Uint8Array.of(0x11, 0x22)),
    notBefore: service.certificate.notBefore,
    notAfter: service.certificate.notAfter,
    subject: names.length === 0 ? service.certificate.subject : [],
    subjectPublicKeyInfo: newSubjectKey(),
    names,
    extensions: [],
  });
  const signature = service.signer.sign(tbs);
  if (!(signature instanceof Uint8Array)) throw new TypeError('a software signer answers at once');
  return assembleCertificate(tbs, service.signer.signatureAlgorithm, signature);
}
