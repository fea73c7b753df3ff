// The gate that the tests over the wire run against: a label for each policy that a test needs, the profiles behind
// them, and users that may enrol under example.com.

import { createHash, createPublicKey } from 'node:crypto';
import { createManufacturer, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { encodePem } from '@gatehouse/pkix/pem';
import type { ClientIdentity } from './client.ts';
import type { StackOptions } from './stack.ts';

/** Makers of devices: one that the gate knows, one that it does not. */
export const manufacturer = createManufacturer('CN=Acme Devices CA,O=Acme');
export const stranger = createManufacturer('CN=Nobody CA');

const proxyKey = newKey();
const proxyCertificate = stranger.issue({ subject: 'CN=proxy', key: proxyKey });

/** A proxy that may speak for clients. */
export const proxy: ClientIdentity = { key: proxyKey, certificates: [proxyCertificate] };

/** Signs bearer tokens. */
export const tokenKey = newKey();

/** A password of every user. */
export const password = 'correct horse';

const shared = `
keys: [{ kind: ec, curves: [P-256] }, { kind: rsa, minimumBits: 2048, maximumBits: 3072 }]
keyUsage: [digitalSignature]
lints: { sets: [rfc5280], refuseAt: error }
`;

const profiles = {
  approved: `
name: approved
description: Servers that a person approves
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: refuse }
names: { allowed: [dns], atLeastOne: true }
extendedKeyUsage: [serverAuth]
validity: { default: 90d, maximum: 90d, backdate: 1m }
approval: required
${shared}`,
  agent: `
name: agent
description: Registration authorities of the field
subject: { rule: from-request, attributes: [{ type: CN, presence: required }], others: refuse }
names: { allowed: [] }
extendedKeyUsage: [clientAuth, cmcRA]
validity: { default: 30d, maximum: 30d, backdate: 1m }
${shared}`,
  strict: `
name: strict
description: A subject of which parts are dictated
subject:
  rule: from-request
  attributes:
    - { type: O, presence: fixed, value: Example Inc }
    - { type: CN, presence: required }
    - { type: serialNumber, presence: required }
  others: refuse
names: { allowed: [dns, ip], required: [dns] }
extendedKeyUsage: [serverAuth, clientAuth]
validity: { default: 30d, maximum: 30d, backdate: 1m }
${shared.replace('curves: [P-256]', 'curves: [P-384]')}`,
  big: `
name: big
description: RSA keys alone
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }], others: refuse }
names: { allowed: [dns], atLeastOne: true }
extendedKeyUsage: [serverAuth]
validity: { default: 30d, maximum: 30d, backdate: 1m }
${shared.replace('{ kind: ec, curves: [P-256] }, ', '').replace('minimumBits: 2048', 'minimumBits: 3072')}`,
};

const names = {
  dnsSuffixes: ['example.com'],
  ipRanges: ['127.0.0.0/8'],
  subjectAttributes: ['CN=dev-*', 'serialNumber=*', 'agent:CN=*', 'tls-client:O=*'],
};

/** What the stack is made of. */
export const settings: StackOptions = {
  profiles,
  users: [
    { name: 'alice', password, names, digestRealm: 'Gatehouse EST' },
    { name: 'bob', password, names, labels: ['default'] },
    { name: 'once', password, names, uses: 1 },
    { name: 'twice', password, names, uses: 2 },
    { name: 'nothing', password },
  ],
  files: {
    'est/acme.pem': encodePem('CERTIFICATE', manufacturer.certificate),
    'est/token-keys.json': JSON.stringify({
      keys: [{ ...createPublicKey(tokenKey).export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' }],
    }),
  },
  evidenceAnchors: ['est/acme.pem'],
  est: {
    labels: {
      default: { profile: 'tls-server' },
      'tls-server': { profile: 'tls-server', authentication: { schemes: ['basic', 'digest', 'bearer'] } },
      'tls-client': { profile: 'tls-client' },
      'tls-server-client': { profile: 'tls-server-client' },
      'device-identity': { profile: 'device-identity' },
      'ca:7': { profile: 'tls-server' },
      approved: { profile: 'approved' },
      strict: { profile: 'strict' },
      big: { profile: 'big' },
      agent: { profile: 'agent' },
      factory: { profile: 'device-identity' },
      'certificate-only': { profile: 'tls-client', authentication: { requires: 'certificate' } },
      both: { profile: 'tls-client', authentication: { requires: 'both' } },
      bound: { profile: 'tls-server', channelBinding: { policy: 'required' } },
      'bound-12': { profile: 'tls-server', channelBinding: { policy: 'required', acceptsExporterOnTls12: true } },
      unbound: { profile: 'tls-server', channelBinding: { policy: 'none' } },
      lenient: { profile: 'tls-server', acceptsMissingContentType: true },
      quiet: { profile: 'tls-server', csrAttributes: { classic: false, template: false } },
      guarded: { profile: 'tls-server', authentication: { csrAttributes: true } },
      'renewal-only': { profile: 'tls-server', operations: ['cacerts', 'simplereenroll'] },
    },
    defaultLabel: 'default',
    trustAnchors: [
      {
        name: 'acme-idevid',
        file: 'est/acme.pem',
        labels: ['factory'],
        operations: ['simpleenroll'],
        names: { subjectAttributes: ['serialNumber={serialNumber}', 'CN=acme-*', 'O={CN}'] },
      },
      { name: 'acme-plain', file: 'est/acme.pem', labels: ['device-identity'] },
    ],
    certificates: [
      {
        subject: ['CN=agent-*'],
        operations: ['simpleenroll', 'simplereenroll', 'serverkeygen'],
        names: { dnsSuffixes: ['field.example.com'] },
        isRegistrationAuthority: true,
      },
    ],
    tokenIssuers: [
      {
        issuer: 'https://id.example.com',
        audience: 'est',
        keys: 'est/token-keys.json',
        labels: ['tls-server'],
        names: { dnsSuffixes: ['tokens.example.com'] },
      },
    ],
    proxies: [{ certificateSha256: createHash('sha256').update(proxyCertificate).digest('hex') }],
    // A test that guesses must not shut out the others, which come from the same address.
    backOff: { addressFailures: 1000 },
  },
};
