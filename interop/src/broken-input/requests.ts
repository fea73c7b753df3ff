// Certification requests that can be read and that no certificate can follow: structure, signature, keys.

import { octetString } from '@gatehouse/pkix/der/writer';
import { extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import {
  alternativeNameExtension,
  attribute,
  craftRequest,
  extension,
  extensionRequest,
  otherKey,
} from '../crafted-request.ts';
import { type BrokenInput, body, crafted, withKey } from './row.ts';

const structure = 'RFC 2986 §4';
const keys = 'BR §6.1.5, §6.1.6';

/** The rows. */
export const requests: readonly BrokenInput[] = [
  // Requests that are not in order.
  { name: 'a request of version 2', section: structure, status: 400, request: crafted({ version: 1 }) },
  {
    name: 'a field behind the attributes',
    section: structure,
    status: 400,
    request: crafted({ behindInfo: octetString(Buffer.of(1)) }),
  },
  {
    name: 'a wrong signature',
    section: 'RFC 7030 §4.2.1',
    status: 400,
    request: ({ valid }) => body(flipLastOctet(valid)),
  },
  {
    name: 'a key that did not sign',
    section: 'RFC 7030 §3.4',
    status: 400,
    request: () => body(craftRequest({ subjectPublicKeyInfo: otherKey() })),
  },
  {
    name: 'an extension that occurs twice',
    section: 'RFC 5280 §4.2',
    status: 400,
    request: crafted({
      attributes: [
        extensionRequest(alternativeNameExtension('a.example.com'), alternativeNameExtension('b.example.com')),
      ],
    }),
  },
  {
    name: 'an extension request that occurs twice',
    section: 'RFC 2985 §5.4.2',
    status: 400,
    request: crafted({
      attributes: [
        extensionRequest(alternativeNameExtension('a.example.com')),
        extensionRequest(alternativeNameExtension('b.example.com')),
      ],
    }),
  },
  {
    name: 'an extension that cannot be read',
    section: 'RFC 5280 §4.2.1.6',
    status: 400,
    request: crafted({
      attributes: [extensionRequest(extension(extensionIds.subjectAlternativeName, Buffer.from('3005', 'hex')))],
    }),
  },
  {
    name: 'a challengePassword that is no string',
    section: 'RFC 2985 §5.4.1',
    status: 400,
    request: crafted({ attributes: [attribute(pkcs9Attributes.challengePassword, octetString(Buffer.of(1)))] }),
  },
  // Keys.
  {
    name: 'an RSA key of 1024 bits',
    section: keys,
    status: 400,
    request: withKey(['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']),
  },
  {
    name: 'an RSA key with exponent 3',
    section: keys,
    status: 400,
    request: withKey(['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_pubexp:3']),
  },
  {
    name: 'a key on secp256k1',
    section: keys,
    status: 400,
    request: withKey(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']),
  },
  {
    name: 'a key on P-224',
    section: keys,
    status: 400,
    request: withKey(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-224']),
  },
  {
    name: 'a curve given by its parameters',
    section: 'RFC 5480 §2.1.1',
    status: 400,
    request: withKey(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit']),
  },
  { name: 'an Ed448 key', section: keys, status: 400, request: withKey(['-algorithm', 'ED448']) },
  {
    name: 'a signature over SHA-1',
    section: 'RFC 9155',
    status: 400,
    request: withKey(['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'], 'sha1'),
  },
];

function flipLastOctet(octets: Buffer): Buffer {
  const flipped = Buffer.from(octets);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 0x01;
  return flipped;
}
