import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before as beforeAll, describe, test } from 'node:test';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { enumerated, explicit, generalizedTime, octetString, sequence, wrap } from '@gatehouse/pkix/der/writer';
import { writeExtensions } from '@gatehouse/pkix/extensions';
import { ocspIds } from '@gatehouse/pkix/object-identifiers';
import { issuerHashes, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { composeOcspResponse, type OcspErrorStatus, ocspErrorResponse } from '@gatehouse/pkix/ocsp/response';
import { type SignatureAlgorithm, signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import fc from 'fast-check';
import { readCertificateFile } from '../src/certificate-file.ts';
import { describeOcspAnswer, formatOcspAnswer, type OcspQuestion, readOcspAnswer } from '../src/ocsp-answer.ts';
import { newDataDirectory } from './faults/support/data-directory.ts';

const url = 'http://ocsp.example.com';
const now = new Date('2030-01-01T12:00:00Z');
const before = new Date('2030-01-01T11:00:00Z');
const later = new Date('2030-01-02T11:00:00Z');

const hooks: (() => void)[] = [];
let root: SignatureAlgorithm;
let issuer: Certificate;
let certificate: Certificate;
let certificateId: Uint8Array;
let question: OcspQuestion;

// The root of a directory for trying out stands for any CA that answers for itself.
beforeAll(async () => {
  const directory = await newDataDirectory({ after: (hook: () => void) => void hooks.push(hook) });
  [issuer] = readCertificateFile(join(directory, 'trust/root.pem'));
  [certificate] = readCertificateFile(join(directory, 'trust/chain.pem'));
  const passphrase = readFileSync(join(directory, 'secrets/root-passphrase'), 'utf8').trim();
  root = signatureAlgorithmFor(createPrivateKey({ key: readFileSync(join(directory, 'ca/root.key.pem')), passphrase }));
  certificateId = writeCertificateId('sha256', issuer, certificate.serialNumber);
  question = { url, certificateId, issuer, nonce: undefined, now };
});

after(() => {
  for (const hook of hooks) hook();
});

/** CertStatus, DER. */
const good = Uint8Array.of(0x80, 0);
const held = wrap(0xa1, generalizedTime(before), explicit(0, enumerated(6)));

/** What the issuer itself would answer. */
function respond({ id = certificateId, status = good, nonce }: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const extensions = (value: Uint8Array) =>
    explicit(1, writeExtensions([{ id: ocspIds.nonce, isCritical: false, value: octetString(value) }]));
  const responseData = sequence(
    explicit(2, octetString(issuerHashes('sha1', issuer).key)),
    generalizedTime(before),
    sequence(sequence(id, status, generalizedTime(before), explicit(0, generalizedTime(later)))),
    ...(nonce === undefined ? [] : [extensions(nonce)]),
  );
  return composeOcspResponse({
    responseData,
    signatureAlgorithm: root.identifier,
    signature: root.sign(responseData),
    certificates: [],
  });
}

describe('RFC 6960 §3.2: an OCSP response is believed', () => {
  test('when it is signed, current, and about the certificate that was asked for', () => {
    const answer = readOcspAnswer(respond(), question);
    assert.deepEqual([answer.status.kind, answer.isDelegated, answer.nonce], ['good', false, 'none']);
  });

  test('and never when it is about another one', () => {
    const other = writeCertificateId('sha256', issuer, '0102');
    assert.throws(() => readOcspAnswer(respond({ id: other }), question), /about another certificate/);
  });

  test('and never after its time, or before', () => {
    const late = { ...question, now: new Date('2030-01-03') };
    assert.throws(() => readOcspAnswer(respond(), late), /does not hold: .*held until 2030-01-02/);
    const early = { ...question, now: new Date('2029-12-31') };
    assert.throws(() => readOcspAnswer(respond(), early), /does not hold: .*from 2030-01-01/);
  });

  test('and never when somebody else has signed it', () => {
    const response = respond();
    const altered = Buffer.from(response);
    altered[altered.length - 1] = (altered[altered.length - 1] ?? 0) ^ 1;
    assert.throws(() => readOcspAnswer(altered, question), /does not hold/);
  });

  test('and whatever else comes ends in one line', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        assert.throws(() => readOcspAnswer(octets, question), /^FatalError: what http.* cannot be read/);
      }),
    );
  });
});

describe('RFC 6960 §2.3: a refusal of the responder', () => {
  const statuses: readonly OcspErrorStatus[] = [
    'malformedRequest',
    'internalError',
    'tryLater',
    'sigRequired',
    'unauthorized',
  ];
  for (const status of statuses) {
    test(`is named, with what may help: ${status}`, () => {
      assert.throws(
        () => readOcspAnswer(ocspErrorResponse(status), question),
        (error: Error & { hint?: string }) => error.message === `${url} answered ${status}` && error.hint !== undefined,
      );
    });
  }
});

describe('RFC 9654 §2.1: a nonce', () => {
  const nonce = Buffer.alloc(32, 7);

  test('that is answered makes the answer fresh', () => {
    assert.equal(readOcspAnswer(respond({ nonce }), { ...question, nonce }).nonce, 'answered');
  });

  test('may be ignored', () => {
    assert.equal(readOcspAnswer(respond(), { ...question, nonce }).nonce, 'ignored');
  });

  test('that is another one unmasks a replayed answer', () => {
    assert.throws(
      () => readOcspAnswer(respond({ nonce: Buffer.alloc(32, 8) }), { ...question, nonce }),
      /its nonce is not the one of the request/,
    );
  });
});

describe('what is printed of an answer', () => {
  const asked = () => ({ url, method: 'GET', hash: 'sha1', certificate }) as const;

  test('is the status, since when and why, its times, who said so and how it was asked', () => {
    const text = formatOcspAnswer(readOcspAnswer(respond({ status: held }), question), asked());
    const lines = text.split('\n').map((line) => line.replace(/: +/, ': '));
    for (const line of [
      `Serial number: ${certificate.serialNumber}`,
      'Status: revoked',
      'Revoked: 2030-01-01 11:00:00Z (certificate-hold)',
      'Next update: 2030-01-02 11:00:00Z',
      `Asked: ${url} (GET, SHA-1)`,
    ]) {
      assert.ok(lines.includes(line), `${line}\nin\n${text}`);
    }
    assert.match(text, /^Responder: .*Root CA.* \(the issuer\)$/m);
  });

  test('is the same as JSON', () => {
    const json = JSON.parse(
      JSON.stringify(describeOcspAnswer(readOcspAnswer(respond({ status: held }), question), asked())),
    );
    assert.equal(json.status, 'revoked');
    assert.deepEqual(json.revocation, { revokedAt: before.toISOString(), reason: 'certificate-hold' });
    assert.deepEqual(json.asked, { url, method: 'GET', hash: 'sha1' });
    assert.equal(json.responder.isDelegated, false);
  });
});
