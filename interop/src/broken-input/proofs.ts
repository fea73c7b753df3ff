// Renewals of what is not the client's own, and proofs that prove nothing: who asks, by what, over which connection.

import { octetString, utf8String } from '@gatehouse/pkix/der/writer';
import { pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { alternativeNameExtension, attribute, commonName, extensionRequest } from '../crafted-request.ts';
import { estPath, toBase64 } from '../curl/enroll.ts';
import { type BrokenInput, challenge, crafted } from './row.ts';

const renewal = 'RFC 7030 §4.2.2';
const credentials = 'RFC 7030 §3.2.3';
const certificates = 'RFC 7030 §3.3.2';
const binding = 'RFC 7030 §3.5';

/** The rows. */
export const proofs: readonly BrokenInput[] = [
  // Renewals.
  {
    name: 'a renewal with another subject',
    section: renewal,
    status: 400,
    request: ({ client }) => ({
      ...client,
      path: estPath('simplereenroll', 'tls-client'),
      ...crafted({ subject: commonName('other.example.com') })(),
    }),
  },
  {
    name: 'a renewal with another alternative name',
    section: renewal,
    status: 400,
    request: ({ client, clientRequestWith }) => ({
      ...client,
      path: estPath('simplereenroll', 'tls-client'),
      body: toBase64(clientRequestWith('further.example.com')),
    }),
  },
  {
    name: 'the renewal of a revoked certificate',
    section: renewal,
    status: 401,
    header: challenge,
    request: async (material) => ({
      ...(await material.revokedClient()),
      path: estPath('simplereenroll', 'tls-client'),
    }),
  },
  {
    name: 'a renewal under the label of another profile',
    section: renewal,
    status: 403,
    request: ({ client }) => ({ ...client, path: estPath('simplereenroll', 'device-identity') }),
  },
  // Who asks.
  {
    name: 'a request without credentials',
    section: credentials,
    status: 401,
    header: challenge,
    request: () => ({ account: undefined }),
  },
  {
    name: 'a wrong password',
    section: credentials,
    status: 401,
    header: challenge,
    request: () => ({ account: { username: 'demo', password: 'wrong' } }),
  },
  {
    name: 'an unknown user',
    section: credentials,
    status: 401,
    header: challenge,
    request: () => ({ account: { username: 'nobody', password: 'x' } }),
  },
  {
    name: 'credentials that are not base64',
    section: 'RFC 7617 §2',
    status: 401,
    header: challenge,
    request: () => ({ account: undefined, headers: ['Authorization: Basic !!!'] }),
  },
  {
    name: 'a scheme that the label does not offer',
    section: 'RFC 9110 §11.6.1',
    status: 401,
    header: challenge,
    request: () => ({ account: undefined, headers: ['Authorization: Bearer abc'] }),
  },
  {
    name: 'a certificate of a CA that nobody knows',
    section: certificates,
    status: 401,
    header: challenge,
    request: ({ stranger }) => ({ account: undefined, clientCertificate: stranger }),
  },
  {
    name: 'a server certificate as proof of a client',
    section: certificates,
    status: 403,
    request: ({ server }) => server,
  },
  {
    name: 'a password alone where a certificate is demanded too',
    section: certificates,
    status: 403,
    request: () => ({ path: estPath('simpleenroll', 'both') }),
  },
  {
    name: 'a password where only a certificate counts',
    section: certificates,
    status: 403,
    request: () => ({ path: estPath('simpleenroll', 'certificate') }),
  },
  {
    name: 'csrattrs without credentials where the label demands them',
    section: 'RFC 7030 §4.5',
    status: 401,
    header: challenge,
    request: () => ({ path: estPath('csrattrs', 'guarded'), body: undefined, account: undefined }),
  },
  // Channel binding.
  {
    name: 'a request without channel binding where it is demanded',
    section: binding,
    status: 403,
    request: () => ({ path: estPath('simpleenroll', 'bound') }),
  },
  {
    name: 'the channel binding of another connection',
    section: binding,
    status: 403,
    request: crafted({
      attributes: [attribute(pkcs9Attributes.challengePassword, utf8String(toBase64(Buffer.alloc(32))))],
    }),
  },
  // Key generation.
  {
    name: 'key encryption for a key that nobody knows',
    section: 'RFC 7030 §4.4.1.1',
    status: 400,
    request: () => ({
      path: estPath('serverkeygen'),
      ...crafted({
        attributes: [
          extensionRequest(alternativeNameExtension('broken.example.com')),
          attribute(pkcs9Attributes.decryptKeyIdentifier, octetString(Buffer.from('nobody'))),
        ],
      })(),
    }),
  },
];
