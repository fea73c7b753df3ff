// The envelope of OCSP responses against the general DER writer, for every length.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bitString, enumerated, explicit, objectIdentifier, octetString, sequence } from '../../src/der/writer.ts';
import { ocspIds } from '../../src/object-identifiers.ts';
import { composeOcspResponse, type OcspErrorStatus, ocspErrorResponse } from '../../src/ocsp/response.ts';

describe('RFC 6960 §4.2.1: OCSPResponse', () => {
  const bytes = (maxLength: number) =>
    fc.integer({ min: 0, max: maxLength }).map((length) => new Uint8Array(length).fill(0x5a));
  // Around the lengths at which the octets of a length become more.
  const anyLength = fc.oneof(
    bytes(300),
    bytes(70_000),
    fc.constantFrom(127, 128, 255, 256, 65_535, 65_536).map((length) => new Uint8Array(length)),
  );

  it('is what the DER writer makes of the same parts', () => {
    fc.assert(
      fc.property(
        anyLength,
        bytes(80),
        anyLength,
        fc.array(anyLength, { maxLength: 3 }),
        (data, algorithm, signature, certificates) => {
          const responseData = octetString(data);
          const signatureAlgorithm = sequence(algorithm);
          const wrapped = certificates.map((certificate) => sequence(certificate));
          const basic = sequence(
            responseData,
            signatureAlgorithm,
            bitString(signature),
            ...(wrapped.length === 0 ? [] : [explicit(0, sequence(...wrapped))]),
          );
          const expected = sequence(
            enumerated(0),
            explicit(0, sequence(objectIdentifier(ocspIds.basic), octetString(basic))),
          );
          const response = composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates: wrapped });
          assert.equal(Buffer.compare(response, expected), 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('§4.2.1: an error has a status and nothing else', () => {
    const expected: readonly (readonly [OcspErrorStatus, number])[] = [
      ['malformedRequest', 1],
      ['internalError', 2],
      ['tryLater', 3],
      ['sigRequired', 5],
      ['unauthorized', 6],
    ];
    for (const [status, value] of expected) {
      assert.deepEqual(Buffer.from(ocspErrorResponse(status)), Buffer.from(sequence(enumerated(value))));
    }
  });
});
