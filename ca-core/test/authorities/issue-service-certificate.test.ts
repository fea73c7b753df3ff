// Credentials of the bridge: one URI, the right side of TLS, never longer than the service CA.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { extensionOf, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { readExtendedKeyUsage, readKeyUsage } from '@gatehouse/pkix/extensions';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createAuthorityTemplate } from '../../src/authorities/authority-template.ts';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import {
  issueServiceCertificate,
  type ServiceCertificateOptions,
} from '../../src/authorities/issue-service-certificate.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import { generateSoftwareKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { verifyStrictly } from '../openssl.ts';
import { plainFacts } from '../x509/builders.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-service-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const now = new Date('2026-03-01T10:00:00Z');
const clock = createManualClock(now);
await createHierarchy({ directory, passphrase: 'online', rootPassphrase: 'offline', clock });
const { service, issuing } = loadAuthorities({ directory, passphrase: 'online', clock });
const { subjectPublicKeyInfo } = createSoftwareSigner(generateSoftwareKey('ecdsa-p256'));
const uri = 'spiffe://gatehouse.internal/ra/est-dmz';
const hourMs = 3_600_000;

function issue(changes: Partial<ServiceCertificateOptions> = {}) {
  return readCertificate(
    issueServiceCertificate({
      service,
      uri,
      subjectPublicKeyInfo,
      lifeMs: 24 * hourMs,
      usage: 'client',
      instancePrefix: Uint8Array.of(0x11, 0x22),
      clock,
      ...changes,
    }),
  );
}

describe('service certificates', () => {
  it('carry the URI and nothing else as identity', () => {
    const certificate = issue();
    assert.deepEqual(certificate.subject, []);
    assert.deepEqual(subjectAlternativeNames(certificate), [{ kind: 'uri', value: uri }]);
    assert.equal(extensionOf(certificate, extensionIds.subjectAlternativeName)?.isCritical, true);
  });

  it("carry the core's DNS name when it is asked for", () => {
    const names = subjectAlternativeNames(issue({ dnsNames: ['core.gatehouse.internal'], usage: 'server' }));
    assert.deepEqual(names, [
      { kind: 'uri', value: uri },
      { kind: 'dns', value: 'core.gatehouse.internal' },
    ]);
  });

  it('are for the side of TLS that was asked for, and only sign', () => {
    const purposes = { client: ['clientAuth'], server: ['serverAuth'], both: ['serverAuth', 'clientAuth'] } as const;
    for (const usage of ['client', 'server', 'both'] as const) {
      const certificate = issue({ usage });
      assert.deepEqual(
        readExtendedKeyUsage(extensionOf(certificate, extensionIds.extendedKeyUsage)?.value ?? Buffer.alloc(0)),
        purposes[usage].map((name) => keyPurposes[name]),
      );
      assert.deepEqual(readKeyUsage(extensionOf(certificate, extensionIds.keyUsage)?.value ?? Buffer.alloc(0)), [
        'digitalSignature',
      ]);
    }
  });

  it('live as long as asked from now, and begin a little earlier', () => {
    const certificate = issue();
    assert.equal(certificate.notBefore.toISOString(), '2026-03-01T09:55:00.000Z');
    assert.equal(certificate.notAfter.toISOString(), '2026-03-02T10:00:00.000Z');
  });

  it('never outlive the service CA', () => {
    const certificate = issue({ lifeMs: 20 * 365 * 24 * hourMs });
    assert.deepEqual(certificate.notAfter, service.certificate.notAfter);
  });

  it('have the instance prefix in their serial number', () => {
    assert.match(issue().serialNumber, /^1122[0-9a-f]{32}$/);
  });

  it('pass openssl verify -x509_strict and node', () => {
    const anchor = service.certificate.der;
    verifyStrictly({ anchor, certificate: issue().der, purpose: 'sslclient', at: now });
    verifyStrictly({ anchor, certificate: issue({ usage: 'server' }).der, purpose: 'sslserver', at: now });
    assert.ok(new X509Certificate(issue().der).verify(new X509Certificate(anchor).publicKey));
  });

  it('need a signer that answers at once', () => {
    const signer = { ...service.signer, isSynchronous: false, sign: async () => Buffer.alloc(64) };
    assert.throws(() => issue({ service: { ...service, signer } }), TypeError);
  });

  it('refuse a life that is over', () => {
    assert.throws(() => issue({ lifeMs: -hourMs }), RangeError);
  });
});

describe('RFC 5280 §4.2.1.9: an authority is bound only to what its path length allows', () => {
  const ca = (pathLength: number | undefined) => ({
    ...plainFacts,
    keyUsage: ['keyCertSign', 'cRLSign'] as const,
    basicConstraints: { isCa: true, pathLength },
  });

  it('the issuing CA certifies CAs with path length 0', () => {
    createAuthorityTemplate(issuing, ca(0));
    assert.throws(() => createAuthorityTemplate(issuing, ca(1)), RangeError);
    assert.throws(() => createAuthorityTemplate(issuing, ca(undefined)), RangeError);
  });

  it('the service CA certifies no CA', () => {
    assert.throws(() => createAuthorityTemplate(service, ca(0)), RangeError);
    createAuthorityTemplate(service, plainFacts);
  });
});
