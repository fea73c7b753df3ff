// OCSP responses as they are read: those of openssl, those made of parts that may be wrong, and foreign bytes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crlReasons } from '../../src/crl/extensions.ts';
import {
  concat,
  enumerated,
  explicit,
  generalizedTime,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  wrap,
} from '../../src/der/writer.ts';
import type { Extension } from '../../src/extensions.ts';
import { formatName } from '../../src/names.ts';
import { ocspIds } from '../../src/object-identifiers.ts';
import { issuerHashes } from '../../src/ocsp/certificate-id.ts';
import { readOcspRequest } from '../../src/ocsp/request.ts';
import { type OcspErrorStatus, ocspErrorResponse } from '../../src/ocsp/response.ts';
import {
  type BasicOcspResponse,
  maximumResponseOctets,
  OcspResponseError,
  readOcspResponse,
} from '../../src/ocsp/response-contents.ts';
import { now } from '../support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from '../support/foreign-bytes.ts';
import { makeOcspWorld, opensslRequest, opensslResponse } from './openssl.ts';
import { byKey, byName, makeResponseData, makeSingle, signResponse } from './response-shapes.ts';

const world = makeOcspWorld();
const { issuer, responder, leaf } = world;
const { serialNumber } = leaf.certificate;

function readBasic(der: Uint8Array): BasicOcspResponse {
  const response = readOcspResponse(der);
  assert.equal(response.status, 'successful');
  return response;
}

function refuses(der: Uint8Array, detail: RegExp): void {
  assert.throws(
    () => readOcspResponse(der),
    (error) => error instanceof OcspResponseError && error.code === 'malformed' && detail.test(error.detail),
  );
}

type SingleParts = Omit<Parameters<typeof makeSingle>[0], 'issuer' | 'thisUpdate'>;

/** A response of the delegated responder with one single response. */
function respond(single: SingleParts = {}, data: Partial<Parameters<typeof makeResponseData>[0]> = {}): Buffer {
  const singles = [makeSingle({ issuer: issuer.certificate, thisUpdate: now, ...single })];
  const responderId = byKey(responder.certificate);
  const responseData = makeResponseData({ responderId, producedAt: now, singles, ...data });
  return signResponse(responseData, responder.key, [responder]);
}

describe('RFC 6960 §4.2.1: responses of openssl', () => {
  const request = opensslRequest(issuer.certificate, [leaf.certificate], ['-nonce']);

  it('reads good, with the nonce of the request and the certificate of the responder', () => {
    const der = opensslResponse(world, request, [{ state: 'V', serialNumber }], ['-resp_key_id', '-ndays', '1']);
    const response = readBasic(der);
    const [single] = response.singles;
    assert.deepEqual(single?.status, { kind: 'good' });
    assert.equal(single?.certificateId.serialNumber, serialNumber);
    assert.equal((single?.nextUpdate?.getTime() ?? 0) - (single?.thisUpdate.getTime() ?? 0), 24 * 60 * 60 * 1000);
    assert.deepEqual(Buffer.from(response.nonce ?? []), Buffer.from(readOcspRequest(request).nonce ?? [1]));
    assert.deepEqual(
      response.certificates.map(({ subject }) => formatName(subject)),
      ['CN=responder'],
    );
    assert.deepEqual(response.responderId, {
      kind: 'by-key',
      keyHash: issuerHashes('sha1', responder.certificate).key,
    });
  });

  it('reads revoked with time and reason, and the name of the responder', () => {
    const revocation = '260203040506Z,keyCompromise';
    const response = readBasic(opensslResponse(world, request, [{ state: 'R', revocation, serialNumber }]));
    const at = new Date('2026-02-03T04:05:06Z');
    assert.deepEqual(response.singles[0]?.status, { kind: 'revoked', at, reason: crlReasons.keyCompromise });
    assert.deepEqual(response.responderId, { kind: 'by-name', name: responder.certificate.subject });
    assert.equal(response.singles[0]?.nextUpdate, undefined);
  });

  it('reads revoked without a reason, and unknown', () => {
    const revoked = opensslResponse(world, request, [{ state: 'R', revocation: '260203040506Z', serialNumber }]);
    assert.deepEqual(readBasic(revoked).singles[0]?.status, {
      kind: 'revoked',
      at: new Date('2026-02-03T04:05:06Z'),
      reason: 0,
    });
    assert.deepEqual(readBasic(opensslResponse(world, request, [])).singles[0]?.status, { kind: 'unknown' });
  });
});

describe('RFC 6960 §4.2.1: the form of a response', () => {
  it('reads an error as its status', () => {
    const statuses: readonly OcspErrorStatus[] = [
      'malformedRequest',
      'internalError',
      'tryLater',
      'sigRequired',
      'unauthorized',
    ];
    for (const status of statuses) assert.deepEqual(readOcspResponse(ocspErrorResponse(status)), { status });
    refuses(sequence(enumerated(4)), /status 4/);
    refuses(sequence(enumerated(0)), /no response bytes/);
  });

  it('reads its own parts', () => {
    const archiveCutoff = new Date('2020-01-01T00:00:00Z');
    const cutoff: Extension = { id: ocspIds.archiveCutoff, isCritical: false, value: generalizedTime(archiveCutoff) };
    const nonce: Extension = { id: ocspIds.nonce, isCritical: false, value: octetString(Uint8Array.of(1, 2)) };
    const response = readBasic(
      respond(
        { nextUpdate: now, extensions: [cutoff], status: wrap(0xa1, generalizedTime(now), explicit(0, enumerated(6))) },
        { version: integer(0), extensions: [nonce], responderId: byName(responder.certificate) },
      ),
    );
    assert.deepEqual(response.singles[0]?.archiveCutoff, archiveCutoff);
    assert.deepEqual(response.singles[0]?.nextUpdate, now);
    assert.deepEqual(response.singles[0]?.status, { kind: 'revoked', at: now, reason: 6 });
    assert.deepEqual(Buffer.from(response.nonce ?? []), Buffer.of(1, 2));
    assert.equal(response.responderId.kind, 'by-name');
  });

  it('refuses another response type, another version, no single response and an unknown status', () => {
    const type = objectIdentifier('1.3.6.1.5.5.7.48.1.99');
    refuses(sequence(enumerated(0), explicit(0, sequence(type, octetString(sequence())))), /response type/);
    refuses(respond({}, { version: integer(1) }), /version/);
    refuses(respond({}, { singles: [] }), /end/);
    refuses(respond({ status: Uint8Array.of(0x83, 0x00) }), /status is unknown/);
    refuses(respond({ status: Uint8Array.of(0x80, 0x01, 0x00) }), /null is not empty/);
    refuses(respond({ status: wrap(0xa1, generalizedTime(now), explicit(0, enumerated(7))) }), /reason/);
    refuses(respond({}, { responderId: concat() }), /must stand/);
  });

  it('§4.4: refuses unknown critical extensions, and only those', () => {
    const unknown = (isCritical: boolean): Extension => ({ id: '1.3.6.1.4.1.99999.1', isCritical, value: nullValue() });
    refuses(respond({ extensions: [unknown(true)] }), /critical/);
    refuses(respond({}, { extensions: [unknown(true)] }), /critical/);
    const response = readBasic(respond({ extensions: [unknown(false)] }, { extensions: [unknown(false)] }));
    assert.deepEqual([response.extensions.length, response.singles[0]?.extensions.length], [1, 1]);
  });

  it('refuses more than 64 KiB before it reads them', () => {
    refuses(new Uint8Array(maximumResponseOctets + 1), /65537 octets/);
  });

  it('takes foreign bytes or throws OcspResponseError', () => {
    const nonce: Extension = { id: ocspIds.nonce, isCritical: false, value: octetString(Uint8Array.of(1, 2)) };
    const cutoff: Extension = { id: ocspIds.archiveCutoff, isCritical: false, value: generalizedTime(now) };
    const revoked = wrap(0xa1, generalizedTime(now), explicit(0, enumerated(1)));
    assertOnlyThrows(
      readOcspResponse,
      [OcspResponseError],
      foreignBytes(
        respond(
          { nextUpdate: now, extensions: [cutoff], status: revoked },
          { version: integer(0), extensions: [nonce] },
        ),
        respond({}, { responderId: byName(responder.certificate) }),
      ),
      4000,
    );
  });
});
