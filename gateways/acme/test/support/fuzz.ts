// Arbitraries for requests to an ACME server: JSON that looks like its messages, texts that look like its values, and right
// messages that were damaged, in their JSON, in their JWS and in their DER.

import fc from 'fast-check';

/** Members that some request has, and that make JSON interesting to this server. */
const memberNames = [
  ...['contact', 'termsOfServiceAgreed', 'onlyReturnExisting', 'externalAccountBinding', 'status', 'identifiers'],
  ...[
    'notBefore',
    'notAfter',
    'profile',
    'replaces',
    'identifier',
    'csr',
    'certificate',
    'reason',
    'account',
    'oldKey',
  ],
  ...[
    'protected',
    'payload',
    'signature',
    'type',
    'value',
    'resource',
    'keyAuthorization',
    '__proto__',
    'constructor',
    'toString',
  ],
];

/** Values that are near to what a member may be. */
const nearValues = fc.oneof(
  fc.constantFrom(
    'dns',
    'ip',
    'deactivated',
    'valid',
    'plain',
    '',
    '*',
    '*.',
    '.',
    '::',
    '127.0.0.1',
    '10.0.0.01',
    'fe80::1%eth0',
  ),
  fc.constantFrom(
    '*.a.example.com',
    'a.*.example.com',
    '*.*.a.example.com',
    'a..example.com',
    'xn--zzzzzz.example.com',
    'ä.example.com',
  ),
  fc.constantFrom(
    '2026-01-01T00:00:00Z',
    '2026-01-01',
    '9999-12-31T23:59:59Z',
    '0000-00-00T00:00:00Z',
    'AAAA.AAAA',
    'x.y',
  ),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.emailAddress().map((address) => `mailto:${address}`),
  fc.webUrl(),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.base64String().map((text) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -2, max: 300 }),
  fc.boolean(),
  fc.constant(null),
);

/** JSON that looks like a message of ACME. */
export const acmeJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    nearValues,
    fc.array(tie('value'), { maxLength: 5 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...memberNames), fc.string()), tie('value'), { maxKeys: 5 }),
})).object;

/** What happens to a sequence of octets. */
export type Damage = { readonly at: number; readonly octets: Uint8Array; readonly removes: number };

/** Damages octets at one to four places. */
export const damages: fc.Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    octets: fc.uint8Array({ maxLength: 6 }),
    removes: fc.nat(6),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Does it. */
export function damage(octets: Uint8Array, list: readonly Damage[]): Uint8Array {
  let result = octets;
  for (const { at, octets: added, removes } of list) {
    const index = Math.floor(at * result.length);
    result = Buffer.concat([result.subarray(0, index), added, result.subarray(index + removes)]);
  }
  return result;
}

/** Replaces one member somewhere in JSON. @param at which of them, from 0 to 1 */
export function replaceMember(value: unknown, at: number, replacement: unknown): unknown {
  const places = countPlaces(value);
  let index = Math.floor(at * places);
  const walk = (item: unknown): unknown => {
    if (index-- === 0) return replacement;
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, member]) => [name, walk(member)]));
  };
  return walk(value);
}

function countPlaces(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return 1 + Object.values(value).reduce((sum: number, member: unknown) => sum + countPlaces(member), 0);
}
