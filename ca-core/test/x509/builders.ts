// Builders for the tests of certificates: an authority of any key algorithm, and contents that a test changes where it
// looks.
import assert from 'node:assert/strict';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import { attribute, writeName } from '@gatehouse/pkix/names';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { generateSoftwareKey, type KeyAlgorithm } from '../../src/keys/software-key.ts';
import { createSoftwareSigner, type SynchronousSigner } from '../../src/keys/software-signer.ts';
import { assembleCertificate } from '../../src/x509/certificate.ts';
import {
  type CertificateContents,
  createCertificateTemplate,
  type TemplateFacts,
  writeTbsCertificate,
} from '../../src/x509/certificate-template.ts';
import { newSerialNumber } from '../../src/x509/serial-number.ts';

export const instancePrefix = Uint8Array.of(0x2a, 0x01);

/** Facts with nothing in them; what a template must have is added by the test. */
export const plainFacts = {
  keyUsage: ['digitalSignature'],
  rsaKeyUsage: [],
  extendedKeyUsage: [],
  basicConstraints: { isCa: false },
  policies: [],
  authorityInformationAccess: { ocsp: [], caIssuers: [] },
  crlDistributionPoints: [],
} as const satisfies Omit<TemplateFacts, 'issuer' | 'signatureAlgorithm'>;

/** Facts with every extension that a template can have. */
export const fullFacts = {
  extendedKeyUsage: [keyPurposes.serverAuth, keyPurposes.clientAuth],
  policies: ['2.23.140.1.2.1'],
  authorityInformationAccess: { ocsp: ['http://status.example/ocsp'], caIssuers: ['http://status.example/ca.cer'] },
  crlDistributionPoints: ['http://status.example/crl'],
};

export type TestAuthority = { readonly certificate: Certificate; readonly signer: SynchronousSigner };

/** A self-signed CA that is valid from 2026 to 2060. */
export function createTestAuthority(algorithm: KeyAlgorithm, rsaPadding: 'pkcs1' | 'pss' = 'pkcs1'): TestAuthority {
  const signer = createSoftwareSigner(generateSoftwareKey(algorithm), { rsaPadding });
  const subject = [[attribute('CN', `Test CA ${algorithm} ${rsaPadding}`)]];
  const { subjectPublicKeyInfo, signatureAlgorithm } = signer;
  const template = createCertificateTemplate({
    ...plainFacts,
    issuer: { subjectDer: writeName(subject), subjectPublicKeyInfo, extensions: [] },
    signatureAlgorithm,
    keyUsage: ['keyCertSign', 'cRLSign'],
    basicConstraints: { isCa: true },
  });
  const tbs = writeTbsCertificate(
    template,
    contentsFor(subjectPublicKeyInfo, {
      subject,
      names: [],
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2060-01-01T00:00:00Z'),
    }),
  );
  const certificate = readCertificate(assembleCertificate(tbs, signatureAlgorithm, signer.sign(tbs)));
  return { certificate, signer };
}

/** Contents for a TLS server named www.example.com, with the fields that a test wants otherwise. */
export function contentsFor(
  subjectPublicKeyInfo: Uint8Array,
  changes: Partial<CertificateContents> = {},
): CertificateContents {
  return {
    serialNumber: newSerialNumber(instancePrefix),
    notBefore: new Date('2026-06-01T00:00:00Z'),
    notAfter: new Date('2046-08-30T23:59:59Z'),
    subject: [[attribute('CN', 'www.example.com')]],
    subjectPublicKeyInfo,
    names: [{ kind: 'dns', value: 'www.example.com' }],
    extensions: [],
    ...changes,
  };
}

/** Writes and signs one certificate of an authority. */
export function issueTestCertificate(
  authority: TestAuthority,
  facts: Partial<TemplateFacts>,
  contents: CertificateContents,
): { readonly der: Uint8Array; readonly tbs: Uint8Array } {
  const { signatureAlgorithm } = authority.signer;
  const template = createCertificateTemplate({
    ...plainFacts,
    issuer: authority.certificate,
    signatureAlgorithm,
    ...facts,
  });
  const tbs = writeTbsCertificate(template, contents);
  return { der: assembleCertificate(tbs, signatureAlgorithm, authority.signer.sign(tbs)), tbs };
}

/** The value of an extension that must be there. */
export function extensionValue(certificate: Certificate, id: string): Uint8Array {
  const extension = extensionOf(certificate, id);
  assert.ok(extension, `extension ${id} is there`);
  return extension.value;
}
