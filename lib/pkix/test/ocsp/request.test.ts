// OCSP requests: those of openssl, our own, and those that are refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bitString, explicit, integer, nullValue, octetString, sequence } from '../../src/der/writer.ts';
import { type Extension, writeExtensions } from '../../src/extensions.ts';
import { writeGeneralName } from '../../src/general-names.ts';
import { ocspIds } from '../../src/object-identifiers.ts';
import { writeCertificateId } from '../../src/ocsp/certificate-id.ts';
import { maximumRequestOctets, OcspRequestError, readOcspRequest, writeOcspRequest } from '../../src/ocsp/request.ts';
import { signatureAlgorithmFor } from '../../src/signature-algorithms.ts';
import { assertOnlyThrows, foreignBytes } from '../support/foreign-bytes.ts';
import { makeOcspWorld, opensslRequest, opensslRequestText } from './openssl.ts';

const { issuer, leaf, responder } = makeOcspWorld();
const certificateId = writeCertificateId('sha1', issuer.certificate, leaf.certificate.serialNumber);

/** A request of parts that may be wrong. */
function makeRequest(parts: {
  readonly version?: Uint8Array;
  readonly requestorName?: Uint8Array;
  readonly requests?: readonly Uint8Array[];
  readonly extensions?: readonly Extension[];
  readonly signature?: Uint8Array;
}): Uint8Array {
  const { version, requestorName, requests = [sequence(certificateId)], extensions, signature } = parts;
  const tbsRequest = sequence(
    ...(version === undefined ? [] : [explicit(0, version)]),
    ...(requestorName === undefined ? [] : [explicit(1, requestorName)]),
    sequence(...requests),
    ...(extensions === undefined ? [] : [explicit(2, writeExtensions(extensions))]),
  );
  return signature === undefined ? sequence(tbsRequest) : sequence(tbsRequest, explicit(0, signature));
}

function nonce(value: Uint8Array): Extension {
  return { id: ocspIds.nonce, isCritical: false, value };
}

function refuses(der: Uint8Array, detail: RegExp): void {
  assert.throws(
    () => readOcspRequest(der),
    (error) => error instanceof OcspRequestError && error.code === 'malformed' && detail.test(error.detail),
  );
}

describe('RFC 6960 §4.1: requests of openssl', () => {
  it('reads one with a SHA-1 CertID and a nonce', () => {
    const request = readOcspRequest(opensslRequest(issuer.certificate, [leaf.certificate], ['-nonce']));
    assert.equal(request.isSigned, false);
    assert.equal(request.nonce?.length, 16);
    assert.equal(request.certificateIds.length, 1);
    assert.deepEqual(Buffer.from(request.certificateIds[0]?.der ?? []), Buffer.from(certificateId));
  });

  it('reads one with several SHA-256 CertIDs and no nonce', () => {
    const der = opensslRequest(issuer.certificate, [leaf.certificate, responder.certificate], ['-sha256', '-no_nonce']);
    const request = readOcspRequest(der);
    assert.equal(request.nonce, undefined);
    const expected = [leaf, responder].map(({ certificate }) =>
      Buffer.from(writeCertificateId('sha256', issuer.certificate, certificate.serialNumber)),
    );
    assert.deepEqual(
      request.certificateIds.map(({ der: id }) => Buffer.from(id)),
      expected,
    );
  });

  it('writes what openssl writes, octet for octet', () => {
    const der = opensslRequest(issuer.certificate, [leaf.certificate], ['-no_nonce']);
    assert.deepEqual(Buffer.from(writeOcspRequest({ certificateIds: [certificateId] })), der);
  });

  it('writes a nonce that openssl reads', () => {
    const text = opensslRequestText(
      writeOcspRequest({ certificateIds: [certificateId], nonce: Buffer.alloc(32, 0xab) }),
    );
    assert.match(text, /Serial Number: C0FFEE0001/);
    assert.match(text, /OCSP Nonce:\s+0420(AB){32}/);
  });
});

describe('RFC 6960 §4.1.1: the form of a request', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[0-9a-f]{1,18}$/), { minLength: 1, maxLength: 16 }),
        fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: undefined }),
        (serials, octets) => {
          const certificateIds = serials.map((digits) =>
            writeCertificateId('sha256', issuer.certificate, `01${digits}${digits}`),
          );
          const read = readOcspRequest(writeOcspRequest({ certificateIds, nonce: octets }));
          assert.deepEqual(
            read.certificateIds.map(({ serialNumber }) => serialNumber),
            serials.map((s) => `01${s}${s}`),
          );
          assert.deepEqual(read.nonce && Buffer.from(read.nonce), octets && Buffer.from(octets));
        },
      ),
    );
  });

  it('takes a version that is written though it is the default', () => {
    assert.equal(readOcspRequest(makeRequest({ version: integer(0) })).certificateIds.length, 1);
    refuses(makeRequest({ version: integer(1) }), /version/);
  });

  it('§4.1.2: passes over a signature and the name of the requestor, and says so', () => {
    const { identifier, sign } = signatureAlgorithmFor(leaf.key);
    const requestorName = writeGeneralName({ kind: 'directory', value: leaf.certificate.subject });
    const signature = sequence(identifier, bitString(sign(Buffer.from('any'))));
    const der = makeRequest({ requestorName, signature });
    assert.equal(readOcspRequest(der).isSigned, true);
    refuses(makeRequest({ requestorName, signature: sequence(identifier) }), /bitString/);
  });

  it('refuses an empty list of requests', () => refuses(makeRequest({ requests: [] }), /end/));
  it('refuses octets after the request', () => {
    refuses(Buffer.concat([makeRequest({}), Buffer.of(0)]), /too many/);
  });
});

describe('RFC 6960 §4.4: extensions of a request', () => {
  const unknown = (isCritical: boolean): Extension => ({ id: '1.3.6.1.4.1.99999.1', isCritical, value: nullValue() });

  it('ignores an unknown one that is not critical', () => {
    assert.equal(readOcspRequest(makeRequest({ extensions: [unknown(false)] })).nonce, undefined);
    const single = sequence(certificateId, explicit(0, writeExtensions([unknown(false)])));
    assert.equal(readOcspRequest(makeRequest({ requests: [single] })).certificateIds.length, 1);
  });

  it('refuses an unknown one that is critical, of the request and of a single request', () => {
    refuses(makeRequest({ extensions: [unknown(true)] }), /critical extension 1\.3\.6\.1\.4\.1\.99999\.1/);
    const single = sequence(certificateId, explicit(0, writeExtensions([unknown(true)])));
    refuses(makeRequest({ requests: [single] }), /critical extension/);
  });

  it('RFC 9654 §2.1: takes a nonce of 1 to 128 octets, critical or not', () => {
    for (const length of [1, 32, 128]) {
      const value = octetString(new Uint8Array(length));
      assert.equal(readOcspRequest(makeRequest({ extensions: [nonce(value)] })).nonce?.length, length);
    }
    const critical = { ...nonce(octetString(Uint8Array.of(7))), isCritical: true };
    assert.deepEqual(readOcspRequest(makeRequest({ extensions: [critical] })).nonce, Buffer.of(7));
  });

  it('RFC 9654 §2.1: refuses a nonce of 0 or more than 128 octets, and one that is no OCTET STRING', () => {
    refuses(makeRequest({ extensions: [nonce(octetString(new Uint8Array(0)))] }), /0 octets/);
    refuses(makeRequest({ extensions: [nonce(octetString(new Uint8Array(129)))] }), /129 octets/);
    refuses(makeRequest({ extensions: [nonce(Buffer.alloc(16, 0x55))] }), /OCSP request/);
    refuses(makeRequest({ extensions: [nonce(octetString(Uint8Array.of(1))), nonce(nullValue())] }), /twice/);
  });
});

describe('OCSP requests: limits', () => {
  it('refuses more than 2048 octets before it reads them', () => {
    refuses(new Uint8Array(maximumRequestOctets + 1), /2049 octets/);
  });

  it('takes 16 requests and refuses 17', () => {
    const small = sequence(writeCertificateId('sha1', issuer.certificate, '05'));
    assert.equal(readOcspRequest(makeRequest({ requests: Array(16).fill(small) })).certificateIds.length, 16);
    refuses(makeRequest({ requests: Array(17).fill(small) }), /more than 16/);
  });

  it('does not write what it would not read', () => {
    const error = { name: 'OcspRequestError' };
    assert.throws(() => writeOcspRequest({ certificateIds: [] }), error);
    assert.throws(() => writeOcspRequest({ certificateIds: Array(17).fill(certificateId) }), error);
    assert.throws(() => writeOcspRequest({ certificateIds: [certificateId], nonce: new Uint8Array(0) }), error);
    assert.throws(() => writeOcspRequest({ certificateIds: [certificateId], nonce: new Uint8Array(129) }), error);
  });

  it('takes foreign bytes or throws OcspRequestError', () => {
    const plain = writeOcspRequest({ certificateIds: [certificateId, certificateId], nonce: Buffer.alloc(32, 1) });
    const single = sequence(certificateId, explicit(0, writeExtensions([nonce(octetString(Uint8Array.of(1)))])));
    const { identifier, sign } = signatureAlgorithmFor(leaf.key);
    const full = makeRequest({
      version: integer(0),
      requestorName: writeGeneralName({ kind: 'dns', value: 'a.example' }),
      requests: [single],
      signature: sequence(identifier, bitString(sign(Buffer.from('any')))),
    });
    assertOnlyThrows(readOcspRequest, [OcspRequestError], foreignBytes(plain, full), 4000);
  });
});
