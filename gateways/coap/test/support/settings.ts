// The gate that the tests over the wire run against: a label for each policy that a test needs, the profiles behind them, and
// makers of devices that it knows.

import { randomBytes } from 'node:crypto';
import { signCertificateList } from '@gatehouse/gateway-kit/test-support/certificate-list';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { encodePem } from '@gatehouse/pkix/pem';
import { createManufacturer } from '../../test-support/certificates.ts';
import type { StackOptions } from './stack.ts';

/** Makers of devices: one that the gate knows, one for another label, one that it does not know. */
export const manufacturer = createManufacturer('Acme');
export const otherManufacturer = createManufacturer('Other');
export const stranger = createManufacturer('Nobody');

/** One that the gate trusts and the keep does not. */
export const unproven = createManufacturer('Unproven');

/** One whose devices live for ever, unless they stand in its CRL. */
export const longLived = createManufacturer('Long Lived');
const notAfter = new Date(Date.now() - 86_400_000);
export const outlived = longLived.createDevice('OLD-1', { notAfter });
export const outlivedRevoked = longLived.createDevice('OLD-2', { notAfter });
export const revoked = longLived.createDevice('NEW-2');
const { intermediate } = longLived;
const revocationList = signCertificateList({
  key: intermediate.key,
  issuer: intermediate.certificate,
  nextUpdate: new Date(Date.now() + 86_400_000),
  revoked: [outlivedRevoked, revoked].map(({ certificate }) => readCertificate(certificate).serialNumber),
});

/** A key that generated keys can be encrypted to (RFC 7030 §4.4.1.1). */
export const keyEncryptionKey = { identifier: Buffer.from('sensor-42'), key: randomBytes(32) };

const shared = `
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
lints: { sets: [rfc5280], refuseAt: error }
`;

const profiles = {
  approved: `
name: approved
description: Devices that a person approves
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
extendedKeyUsage: [clientAuth]
validity: { default: 90d, maximum: 90d, backdate: 1m }
approval: required
${shared}`,
  named: `
name: named
description: Devices known by a common name alone
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
extendedKeyUsage: [clientAuth]
validity: { default: 90d, maximum: 90d, backdate: 1m }
${shared}`,
  proven: `
name: proven
description: Devices whose chain the keep verifies itself
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: drop }
names: { allowed: [] }
extendedKeyUsage: [clientAuth]
validity: { default: 90d, maximum: 90d, backdate: 1m }
evidence: [{ type: client-certificate-chain }]
${shared}`,
  serving: `
name: serving
description: Servers known by a common name alone
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
extendedKeyUsage: [serverAuth]
validity: { default: 90d, maximum: 90d, backdate: 1m }
${shared}`,
  fleeting: `
name: fleeting
description: Devices whose certificates end at once
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
extendedKeyUsage: [clientAuth]
validity: { default: 2s, maximum: 1d, backdate: 1s }
${shared}`,
};

const labels = {
  device: { profile: 'device-identity' },
  client: { profile: 'tls-client' },
  approved: { profile: 'approved' },
  named: { profile: 'named' },
  serving: { profile: 'serving' },
  fleeting: { profile: 'fleeting', renewal: { expiredGrace: '1h' } },
  bound: { profile: 'device-identity', channelBinding: { policy: 'required' } },
  exported: {
    profile: 'device-identity',
    channelBinding: { policy: 'required', acceptsExporterOnTls12: true },
  },
  module: { profile: 'device-identity' },
  quiet: { profile: 'device-identity', csrAttributes: { classic: false, template: false } },
  proven: { profile: 'proven' },
  'long-lived': { profile: 'device-identity' },
  'renewal-only': { profile: 'device-identity', operations: ['cacerts', 'simplereenroll'] },
  password: { profile: 'device-identity', authentication: { requires: 'credentials' } },
};

const served = [
  'device',
  'approved',
  'named',
  'serving',
  'fleeting',
  'proven',
  'bound',
  'exported',
  'quiet',
  'renewal-only',
  'password',
];

/** What the stack is made of. */
export const settings: StackOptions = {
  profiles,
  files: {
    // With the intermediate CA, for devices that send nothing but their own certificate.
    'coap/acme.pem':
      encodePem('CERTIFICATE', manufacturer.root.certificate) +
      encodePem('CERTIFICATE', manufacturer.intermediate.certificate),
    'coap/acme-root.pem': encodePem('CERTIFICATE', manufacturer.root.certificate),
    'coap/unproven.pem': encodePem('CERTIFICATE', unproven.root.certificate),
    'coap/long-lived.pem':
      encodePem('CERTIFICATE', longLived.root.certificate) + encodePem('CERTIFICATE', intermediate.certificate),
    'coap/long-lived.crl': encodePem('X509 CRL', revocationList),
    'coap/sensor-42.key': keyEncryptionKey.key.toString('hex'),
    'coap/other.pem': encodePem('CERTIFICATE', otherManufacturer.root.certificate),
  },
  evidenceAnchors: ['coap/acme-root.pem', 'coap/other.pem', 'coap/long-lived.pem'],
  est: {
    labels,
    defaultLabel: 'device',
    keyEncryption: { keys: [{ id: 'sensor-42', file: 'coap/sensor-42.key' }] },
    trustAnchors: [
      {
        name: 'acme-idevid',
        file: 'coap/acme.pem',
        labels: served,
        operations: ['simpleenroll', 'serverkeygen'],
        names: { subjectAttributes: ['serialNumber={serialNumber}', 'CN=*', 'O=*'], dnsSuffixes: ['example.com'] },
      },
      {
        name: 'acme-module',
        file: 'coap/acme.pem',
        labels: ['module'],
        names: { subjectAttributes: ['serialNumber={hwSerialNum}'] },
      },
      { name: 'unproven-idevid', file: 'coap/unproven.pem', labels: ['proven'] },
      {
        name: 'long-lived',
        file: 'coap/long-lived.pem',
        labels: ['long-lived'],
        acceptsExpired: true,
        revocationList: 'coap/long-lived.crl',
      },
      { name: 'other-idevid', file: 'coap/other.pem', labels: ['client'] },
    ],
  },
};
