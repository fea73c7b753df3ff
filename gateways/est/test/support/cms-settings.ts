// The gate that the tests of encrypted keys and of CMC run against.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createManufacturer } from '@gatehouse/gateway-kit/test-support/requests';
import { encodePem } from '@gatehouse/pkix/pem';
import { selfSignedCertificate } from './cmc.ts';
import type { StackOptions } from './stack.ts';

/** Maker of devices that the gate knows. */
export const manufacturer = createManufacturer('CN=Acme Devices CA,O=Acme');

/** A password of every user. */
export const password = 'correct horse';

/** Shared secrets of alice. */
export const secrets = {
  identity: 'alice and the gate alone know',
  revocation: 'for the day the key is lost',
};

/** Pre-shared key-encryption keys by their octets. */
export const keyEncryptionKeys = {
  text: { identifier: Buffer.from('device-42'), key: randomBytes(32) },
  binary: { identifier: Buffer.from('00ff10', 'hex'), key: randomBytes(16) },
  foreign: { identifier: Buffer.from('other label'), key: randomBytes(24) },
};

/** Somebody who waits for keys elsewhere. */
export const escrow = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
export const escrowCertificate = selfSignedCertificate(escrow, 'CN=escrow');

const shared = `
lints: { sets: [rfc5280], refuseAt: error }
validity: { default: 90d, maximum: 90d, backdate: 1m }
`;

const recipient = (name: string, keys: string, keyUsage: string): string => `
name: ${name}
description: Clients to whose keys others can be encrypted
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [dns] }
${keys}
keyUsage: [${keyUsage}]
extendedKeyUsage: [clientAuth]
${shared}`;

const profiles = {
  approved: `
name: approved
description: Servers that a person approves
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: refuse }
names: { allowed: [dns], atLeastOne: true }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [serverAuth]
approval: required
${shared}`,
  agent: `
name: agent
description: Registration authorities of the field
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [clientAuth, cmcRA]
${shared}`,
  recipient: recipient('recipient', 'keys: [{ kind: ec, curves: [P-256] }]', 'digitalSignature, keyAgreement'),
  'recipient-rsa': recipient(
    'recipient-rsa',
    'keys: [{ kind: rsa, minimumBits: 2048, maximumBits: 3072 }]',
    'digitalSignature, keyEncipherment',
  ),
};

const names = {
  dnsSuffixes: ['example.com'],
  ipRanges: ['127.0.0.0/8'],
  subjectAttributes: ['CN=dev-*', 'serialNumber=*', 'agent:CN=*', 'recipient:CN=*', 'recipient-rsa:CN=*'],
};

/** What the stack is made of. */
export const settings: StackOptions = {
  profiles,
  users: [
    { name: 'alice', password, names },
    { name: 'bob', password, names },
    { name: 'limited', password, names, labels: ['tls-client'] },
    { name: 'once', password, names, uses: 1 },
  ],
  files: {
    'est/acme.pem': encodePem('CERTIFICATE', manufacturer.certificate),
    'est/escrow.pem': encodePem('CERTIFICATE', escrowCertificate.der),
    'est/text.key': `${keyEncryptionKeys.text.key.toString('hex')}\n`,
    'est/binary.key': keyEncryptionKeys.binary.key.toString('hex'),
    'est/foreign.key': keyEncryptionKeys.foreign.key.toString('hex'),
    'est/shared-secrets.yaml': `
secrets:
  - { user: alice, identity: ${secrets.identity}, revocation: ${secrets.revocation} }
  - { user: limited, identity: limited shares another secret }
  - { user: once, identity: once shares another secret }
  - { user: nobody, identity: nobody has a user behind it }
`,
  },
  evidenceAnchors: ['est/acme.pem'],
  est: {
    sharedSecrets: 'est/shared-secrets.yaml',
    keyEncryption: {
      keys: [
        { id: 'device-42', file: 'est/text.key' },
        { id: 'hex:00ff10', file: 'est/binary.key' },
        { id: 'other label', file: 'est/foreign.key', labels: ['tls-client'] },
      ],
      certificates: [{ file: 'est/escrow.pem' }],
    },
    labels: {
      default: { profile: 'tls-server' },
      'tls-client': { profile: 'tls-client' },
      device: { profile: 'device-identity' },
      recipient: { profile: 'recipient' },
      'recipient-rsa': { profile: 'recipient-rsa' },
      approved: { profile: 'approved' },
      agent: { profile: 'agent' },
      bound: { profile: 'tls-server', channelBinding: { policy: 'required' } },
      'certificate-only': { profile: 'tls-client', authentication: { requires: 'certificate' } },
      simple: { profile: 'tls-server', operations: ['cacerts', 'simpleenroll'] },
    },
    defaultLabel: 'default',
    trustAnchors: [
      {
        name: 'acme-idevid',
        file: 'est/acme.pem',
        labels: ['device'],
        operations: ['fullcmc'],
        names: { subjectAttributes: ['serialNumber={serialNumber}'] },
      },
    ],
    certificates: [
      {
        subject: ['CN=agent-*'],
        names: { dnsSuffixes: ['field.example.com'] },
        isRegistrationAuthority: true,
      },
    ],
    // A test that guesses must not shut out the others, which come from the same address.
    backOff: { addressFailures: 1000, userFailures: 1000 },
  },
};
