import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName } from '@gatehouse/pkix/names';
import { shapeNames } from '../../src/enrollment/shape-names.ts';
import { generateSoftwareKey, type KeyAlgorithm } from '../../src/keys/software-key.ts';
import { lintCertificate, readLintSubject } from '../../src/lint/lint.ts';
import type { KeyRule } from '../../src/profiles/profile.ts';
import { contentsFor, createTestAuthority, issueTestCertificate } from '../x509/builders.ts';
import { builtin } from './profile-file.ts';

/** What a client of each built-in profile asks for. */
const requests: Readonly<Record<string, readonly [subject: string, ...names: string[]]>> = {
  'tls-server': ['CN=www.example.com', 'DNS:www.example.com', 'DNS:*.example.com', 'IP:127.0.0.1'],
  'tls-client': ['CN=Alice,O=Example,C=DE', 'email:alice@example.com'],
  'tls-server-short-lived': ['CN=www.example.com', 'DNS:www.example.com', 'IP:127.0.0.1'],
  'tls-server-validated': ['CN=www.example.com', 'DNS:www.example.com', 'DNS:*.example.com', 'IP:127.0.0.1'],
  'tls-server-validated-short-lived': ['', 'DNS:www.example.com', 'IP:127.0.0.1'],
  'tls-client-short-lived': ['CN=job,O=Example', 'URI:spiffe://example.org/job'],
  'tls-server-client': ['', 'DNS:broker.example.com', 'URI:spiffe://example.org/broker'],
  'device-identity': ['serialNumber=0815,O=Example'],
  'gateway-tls': ['CN=localhost', 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
  'ra-credential': ['CN=dropped', 'URI:spiffe://gatehouse.internal/ra/est'],
  'ocsp-signing': ['CN=Example OCSP'],
  'sub-ca': ['CN=Example Sub CA,O=Example'],
};

const algorithms: Readonly<Record<KeyRule['kind'], KeyAlgorithm>> = {
  ec: 'ecdsa-p384',
  rsa: 'rsa-3072',
  ed25519: 'ed25519',
  'ml-dsa': 'ml-dsa-65',
};

const subjectKeys = new Map(
  Object.entries(algorithms).map(([kind, algorithm]) => [
    kind,
    createPublicKey(generateSoftwareKey(algorithm)).export({ type: 'spki', format: 'der' }),
  ]),
);
const authority = createTestAuthority('ecdsa-p256');
const notBefore = new Date('2026-06-01T00:00:00Z');

describe('built-in profiles: certificates', () => {
  for (const [name, [subject, ...names]] of Object.entries(requests)) {
    const profile = builtin(name);
    for (const { kind } of profile.keys) {
      it(`${name}: no lint of its sets objects to a certificate with the longest life and a key of kind ${kind}`, () => {
        const shaped = shapeNames(profile, { subject: parseName(subject), names: names.map(parseGeneralName) });
        const key = subjectKeys.get(kind);
        assert.ok(key !== undefined);
        const notAfter = new Date(notBefore.getTime() + profile.validity.maximumMs - 1000);
        const { der, tbs } = issueTestCertificate(
          authority,
          { ...profile, isWithoutRevocation: profile.status === 'no-rev-avail' },
          contentsFor(key, { ...shaped, notBefore, notAfter }),
        );
        const findings = lintCertificate(readLintSubject(tbs), { ...profile.lints, at: notBefore });
        assert.deepEqual(
          findings.filter(({ refuses }) => refuses).map(({ lint, detail }) => `${lint.id}: ${detail}`),
          [],
        );
        assert.ok(
          new X509Certificate(der).verify(
            createPublicKey({
              key: Buffer.from(authority.certificate.subjectPublicKeyInfo),
              format: 'der',
              type: 'spki',
            }),
          ),
        );
      });
    }
  }
});
