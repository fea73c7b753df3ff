// ARCHITECTURE §1.6: whatever octets a requester sends, it gets a precise refusal or a certificate, never our own failure.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { bitString, integer, objectIdentifier, octetString, sequence, set, wrap } from '@gatehouse/pkix/der/writer';
import { attributeTypes, extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError, type CoreErrorType } from '@gatehouse/proto/core-error';
import fc from 'fast-check';
import { enroll } from '../../../src/enrollment/pipeline.ts';
import { certificationRequest, enrollRequest, newKey } from '../../support/enrollment.ts';
import { contextOf, openTestKeep } from '../../support/keep.ts';

const { keep, close } = await openTestKeep((signer) => signer);
after(close);

const key = newKey();
const subjectPublicKeyInfo = createPublicKey(key).export({ type: 'spki', format: 'der' });
const { identifier, sign } = signatureAlgorithmFor(key);
const parameters = { numRuns: 400 };

/** What a request comes to: 'issued', 'pending' or the type of the refusal. */
async function outcomeOf(request: EnrollRequest): Promise<CoreErrorType | 'issued' | 'pending'> {
  try {
    return (await enroll(keep, contextOf(keep), request)).kind;
  } catch (error) {
    if (error instanceof CoreError) return error.code;
    throw error;
  }
}

const ours: ReadonlySet<string> = new Set(['internal', 'unavailable', 'conflict', 'unauthorized']);

async function assertDecided(request: EnrollRequest): Promise<void> {
  const outcome = await outcomeOf(request);
  assert.ok(!ours.has(outcome), outcome);
}

/** A request that the key has truly signed, whatever stands in it. */
function signed(subject: Uint8Array, ...attributes: readonly Uint8Array[]): Uint8Array {
  const info = sequence(integer(0), subject, subjectPublicKeyInfo, wrap(0xa0, ...attributes));
  return sequence(info, identifier, bitString(sign(info)));
}

const extensionRequest = (...extensions: readonly Uint8Array[]): Uint8Array =>
  sequence(objectIdentifier(pkcs9Attributes.extensionRequest), set(sequence(...extensions)));

const profile = fc.constantFrom('tls-server', 'tls-client', 'device-identity', 'ocsp-signing', 'sub-ca');
const octets = fc.uint8Array({ maxLength: 40 });
const stringTag = fc.constantFrom(0x0c, 0x13, 0x14, 0x16, 0x1c, 0x1e, 0x04, 0x02);
const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.constantFrom('a.example.com', '*.example.com', 'a\0b', '192.0.2.1'),
);
const value = fc.oneof(
  octets,
  text.map((each) => Buffer.from(each)),
);
const attributeType = fc.constantFrom(...Object.values(attributeTypes), '1.2.3.4');

const subject = fc
  .array(fc.array(fc.tuple(attributeType, stringTag, value), { minLength: 1, maxLength: 2 }), { maxLength: 4 })
  .map((names) =>
    sequence(
      ...names.map((relative) =>
        set(...relative.map(([type, tag, each]) => sequence(objectIdentifier(type), wrap(tag, each)))),
      ),
    ),
  );

const generalName = fc.tuple(fc.integer({ min: 0x80, max: 0x88 }), value).map(([tag, each]) => wrap(tag, each));
const alternativeNames = fc
  .array(
    fc.oneof(
      generalName,
      fc.tuple(fc.constantFrom(0xa0, 0xa3, 0xa4, 0xa5), value).map(([tag, each]) => wrap(tag, each)),
    ),
    {
      maxLength: 5,
    },
  )
  .map((names) => sequence(objectIdentifier(extensionIds.subjectAlternativeName), octetString(sequence(...names))));
const anyExtension = fc
  .tuple(fc.constantFrom(...Object.values(extensionIds), '1.2.3.4'), octets)
  .map(([id, each]) => sequence(objectIdentifier(id), octetString(each)));

describe('a request', () => {
  it('of which octets were changed, cut off or put in', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(6), octets, fc.boolean(), async (at, removed, inserted, isMessage) => {
        const der = certificationRequest({ key, subject: 'CN=a.example.com', names: ['DNS:a.example.com'] });
        const position = at % der.length;
        const value = Buffer.concat([der.subarray(0, position), inserted, der.subarray(position + removed)]);
        const $case = isMessage ? 'certificateRequestMessage' : 'certificationRequest';
        await assertDecided(enrollRequest(der, { subjectKey: { $case, value } }));
      }),
      parameters,
    ));

  it('of random octets in place of a key', () =>
    fc.assert(
      fc.asyncProperty(octets, fc.nat(), fc.nat(255), async (random, at, octet) => {
        const changed = Buffer.from(subjectPublicKeyInfo);
        changed[at % changed.length] = octet;
        for (const spki of [random, changed]) {
          const stated = { subjectPublicKeyInfo: Buffer.from(spki), proofOfPossession: 'word' };
          await assertDecided(enrollRequest(Buffer.alloc(0), { subjectKey: { $case: 'publicKey', value: stated } }));
        }
      }),
      parameters,
    ));

  it('whose key has signed any subject', () =>
    fc.assert(
      fc.asyncProperty(profile, subject, async (name, each) => {
        await assertDecided(enrollRequest(signed(each), { profile: name }));
      }),
      parameters,
    ));

  it('whose key has signed any alternative names and any extension', () =>
    fc.assert(
      fc.asyncProperty(profile, subject, alternativeNames, anyExtension, async (name, each, names, extension) => {
        await assertDecided(enrollRequest(signed(sequence(), extensionRequest(names)), { profile: name }));
        await assertDecided(enrollRequest(signed(each, extensionRequest(names, extension)), { profile: name }));
      }),
      parameters,
    ));

  it('whose key has signed any attribute', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(pkcs9Attributes)), octets, async (type, random) => {
        await assertDecided(enrollRequest(signed(sequence(), sequence(objectIdentifier(type), set(random)))));
      }),
      parameters,
    ));
});

describe('what an RA adds', () => {
  const assigned = fc.record({
    subject: fc.option(text, { nil: undefined }),
    subjectAlternativeNames: fc.array(
      fc.oneof(
        fc
          .tuple(fc.constantFrom('dns', 'ip', 'uri', 'email'), text)
          .map(([$case, each]) => ({ name: { $case: $case as 'dns', value: each } })),
        octets.map((each) => ({ name: { $case: 'der' as const, value: Buffer.from(each) } })),
      ),
      { maxLength: 4 },
    ),
    replacesRequested: fc.boolean(),
  });

  it('any names, any certificate to renew, any wish for validity, any evidence', () =>
    fc.assert(
      fc.asyncProperty(
        profile,
        assigned,
        octets,
        fc.integer(),
        octets,
        async (name, names, renews, seconds, payload) => {
          await assertDecided(
            enrollRequest(certificationRequest({ key, names: ['DNS:a.example.com'] }), {
              profile: name,
              names,
              renews: Buffer.from(renews),
              validity: { seconds, nanos: seconds % 1000 },
              evidence: [
                { type: 'client-certificate-chain', payload: Buffer.from(payload), certificates: [], statements: [] },
              ],
            }),
          );
        },
      ),
      parameters,
    ));
});
