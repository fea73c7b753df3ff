// ResponseData against `openssl ocsp`: what it says of each certificate, and that it verifies the delegated responder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { nullValue, sequence } from '@gatehouse/pkix/der/writer';
import { attribute } from '@gatehouse/pkix/names';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { issuerHashes, type OcspHash, ocspHashes, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { composeOcspResponse } from '@gatehouse/pkix/ocsp/response';
import { encodePem } from '@gatehouse/pkix/pem';
import { generateSoftwareKey, type KeyAlgorithm } from '../../src/keys/software-key.ts';
import { createSoftwareSigner, type SynchronousSigner } from '../../src/keys/software-signer.ts';
import { type ResponseDataContents, type SingleStatus, writeResponseData } from '../../src/x509/ocsp-response-data.ts';
import { contentsFor, createTestAuthority, issueTestCertificate, type TestAuthority } from './builders.ts';

type Responder = { readonly certificate: Certificate; readonly signer: SynchronousSigner };

function createResponder(authority: TestAuthority, algorithm: KeyAlgorithm): Responder {
  const signer = createSoftwareSigner(generateSoftwareKey(algorithm));
  const contents = contentsFor(signer.subjectPublicKeyInfo, {
    subject: [[attribute('CN', 'Responder')]],
    names: [],
    extensions: [{ id: extensionIds.ocspNoCheck, isCritical: false, value: nullValue() }],
  });
  const { der } = issueTestCertificate(authority, { extendedKeyUsage: [keyPurposes.OCSPSigning] }, contents);
  return { certificate: readCertificate(der), signer };
}

const authority = createTestAuthority('ecdsa-p384');
const responder = createResponder(authority, 'ecdsa-p256');
const leaf = readCertificate(issueTestCertificate(authority, {}, contentsFor(generateLeafKey())).der);

function generateLeafKey(): Uint8Array {
  return createSoftwareSigner(generateSoftwareKey('ecdsa-p256')).subjectPublicKeyInfo;
}

// `openssl ocsp` compares with the clock of the machine, in whole seconds.
const producedAt = new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000);
const nextUpdate = new Date(producedAt.getTime() + 24 * 60 * 60 * 1000);

function single(changes: Partial<SingleStatus> & { readonly hash?: OcspHash } = {}): SingleStatus {
  const { hash = 'sha1', ...rest } = changes;
  const certificateId = writeCertificateId(hash, authority.certificate, leaf.serialNumber);
  return { certificateId, status: { kind: 'good' }, thisUpdate: producedAt, nextUpdate, ...rest };
}

function respond(
  singles: readonly SingleStatus[],
  by: Responder = responder,
  changes: Partial<ResponseDataContents> = {},
): Buffer {
  const responderKeyHash = issuerHashes('sha1', by.certificate).key;
  const responseData = writeResponseData({ responderKeyHash, producedAt, singles, ...changes });
  const { signatureAlgorithm } = by.signer;
  const signature = by.signer.sign(responseData);
  return composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates: [by.certificate.der] });
}

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-ocsp-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

/** What `openssl ocsp` says, both streams; it fails when the response does not verify. */
function judge(
  response: Uint8Array,
  { hash = 'sha1', request }: { readonly hash?: OcspHash; readonly request?: Uint8Array } = {},
): string {
  const anchor = file('anchor.pem', encodePem('CERTIFICATE', authority.certificate.der));
  const certificate = file('leaf.pem', encodePem('CERTIFICATE', leaf.der));
  // Without `-no_nonce` openssl adds one of its own to a request, also to one that it was given.
  const asked =
    request === undefined
      ? [`-${hash}`, '-issuer', anchor, '-cert', certificate]
      : ['-reqin', file('request.der', request)];
  const parameters = [
    '-respin',
    file('response.der', response),
    '-CAfile',
    anchor,
    '-resp_text',
    '-no_nonce',
    ...asked,
  ];
  return execFileSync('/bin/sh', ['-c', 'exec openssl ocsp "$@" 2>&1', 'openssl', ...parameters], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

describe('RFC 6960 §4.2.1: ResponseData as openssl reads it', () => {
  it('says good, under SHA-1 and SHA-256', () => {
    for (const hash of ocspHashes) {
      const words = judge(respond([single({ hash })]), { hash });
      assert.match(words, /Response verify OK/);
      assert.match(words, /leaf\.pem: good/);
      assert.match(words, /Version: 1 \(0x0\)/);
      assert.match(
        words,
        new RegExp(
          `Responder Id: ${Buffer.from(issuerHashes('sha1', responder.certificate).key).toString('hex').toUpperCase()}`,
        ),
      );
    }
  });

  it('says revoked with time and reason, and leaves unspecified out', () => {
    const at = new Date('2026-02-03T04:05:06.789Z');
    const compromised = judge(respond([single({ status: { kind: 'revoked', at, reason: 1 } })]));
    assert.match(
      compromised,
      /leaf\.pem: revoked[\s\S]*Reason: keyCompromise\s+Revocation Time: Feb {2}3 04:05:06 2026 GMT/,
    );
    const unspecified = judge(respond([single({ status: { kind: 'revoked', at, reason: 0 } })]));
    assert.match(unspecified, /leaf\.pem: revoked/);
    assert.doesNotMatch(unspecified, /Reason/);
  });

  it('says unknown', () =>
    assert.match(judge(respond([single({ status: { kind: 'unknown' } })])), /leaf\.pem: unknown/));

  it('RFC 9654 §2.1: repeats the nonce', () => {
    const nonce = Buffer.alloc(32, 0x3c);
    const request = writeOcspRequest({ certificateIds: [single().certificateId], nonce });
    assert.match(judge(respond([single()], responder, { nonce }), { request }), /Response verify OK/);
    // RFC 6960 §4.4.1: a response without a nonce may answer a request with one.
    assert.match(judge(respond([single()]), { request }), /no nonce in response[\s\S]*Response verify OK/);
    const wrong = respond([single()], responder, { nonce: Buffer.alloc(32, 0x3d) });
    assert.throws(() => judge(wrong, { request }), { stdout: /Nonce Verify error/ });
  });

  it('§4.4.4 and §4.4.8: archive cutoff and extended revoke', () => {
    const archiveCutoff = new Date('2020-01-02T03:04:05Z');
    const words = judge(respond([single({ archiveCutoff })], responder, { isExtendedRevoke: true }));
    assert.match(words, /Archive Cutoff:\s+Jan {2}2 03:04:05 2020 GMT/);
    // openssl 3.0 calls the identifier 'valid'.
    assert.match(words, /Response Extensions:\s+(?:valid|1\.3\.6\.1\.5\.5\.7\.48\.1\.9|Extended OCSP Status)/);
    assert.match(words, /leaf\.pem: good/);
  });

  it('answers for several certificates at once', () => {
    const other = writeCertificateId('sha1', authority.certificate, '0102');
    const words = judge(respond([single({ certificateId: other, status: { kind: 'unknown' } }), single()]));
    assert.match(words, /leaf\.pem: good/);
    assert.match(words, /Serial Number: 0102/);
  });

  for (const algorithm of ['rsa-2048', 'ed25519', 'ecdsa-p521'] as const) {
    it(`verifies a responder with ${algorithm}`, () => {
      assert.match(judge(respond([single()], createResponder(authority, algorithm))), /Response verify OK/);
    });
  }
});

describe('RFC 6960 §4.2.1: ResponseData, octet for octet', () => {
  it('RFC 5019 §2.2.4: has no version and no fractions of a second', () => {
    const at = new Date('2026-01-02T03:04:05.999Z');
    const certificateId = sequence();
    const der = writeResponseData({
      responderKeyHash: Buffer.alloc(20, 0xaa),
      producedAt: at,
      singles: [{ certificateId, status: { kind: 'good' }, thisUpdate: at, nextUpdate: at }],
    });
    const time = Buffer.from('20260102030405Z').toString('hex');
    assert.equal(
      Buffer.from(der).toString('hex'),
      `3055a2160414${'aa'.repeat(20)}180f${time}302a30283000` + `8000180f${time}a011180f${time}`,
    );
  });

  it('refuses what OCSP cannot say', () => {
    const contents = { responderKeyHash: new Uint8Array(20), producedAt, singles: [single()] };
    assert.throws(() => writeResponseData({ ...contents, responderKeyHash: new Uint8Array(32) }), RangeError);
    assert.throws(() => writeResponseData({ ...contents, singles: [] }), RangeError);
    for (const reason of [-1, 7, 8, 11, 1.5, Number.NaN]) {
      const status = { kind: 'revoked', at: producedAt, reason } as const;
      assert.throws(() => writeResponseData({ ...contents, singles: [single({ status })] }), RangeError);
    }
  });
});
