// The gate that the tests over the wire run against: a label for each policy that a test needs, the profiles behind them, and
// makers of devices that it knows.

import { encodePem } from '@gatehouse/pkix/pem';
import { createManufacturer } from '../../test-support/certificates.ts';
import type { StackOptions } from './stack.ts';

/** Makers of devices: one that the gate knows, one whose devices may only fetch, one that it does not know. */
export const manufacturer = createManufacturer('Acme');
export const otherManufacturer = createManufacturer('Other');
export const stranger = createManufacturer('Nobody');

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
  fleeting: { profile: 'fleeting', renewal: { expiredGrace: '1h' } },
  bound: { profile: 'device-identity', channelBinding: { policy: 'required' } },
  exported: {
    profile: 'device-identity',
    channelBinding: { policy: 'required', acceptsExporterOnTls12: true },
  },
  module: { profile: 'device-identity' },
  quiet: { profile: 'device-identity', csrAttributes: { classic: false, template: false } },
  'renewal-only': { profile: 'device-identity', operations: ['cacerts', 'simplereenroll'] },
  password: { profile: 'device-identity', authentication: { requires: 'credentials' } },
};

const served = ['device', 'approved', 'named', 'fleeting', 'bound', 'exported', 'quiet', 'renewal-only', 'password'];

/** What the stack is made of. */
export const settings: StackOptions = {
  profiles,
  files: {
    // With the intermediate CA, for devices that send nothing but their own certificate.
    'coap/acme.pem':
      encodePem('CERTIFICATE', manufacturer.root.certificate) +
      encodePem('CERTIFICATE', manufacturer.intermediate.certificate),
    'coap/acme-root.pem': encodePem('CERTIFICATE', manufacturer.root.certificate),
    'coap/other.pem': encodePem('CERTIFICATE', otherManufacturer.root.certificate),
  },
  evidenceAnchors: ['coap/acme-root.pem', 'coap/other.pem'],
  est: {
    labels,
    defaultLabel: 'device',
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
      { name: 'other-idevid', file: 'coap/other.pem', labels: ['client'] },
    ],
  },
};
