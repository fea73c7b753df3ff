import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CertificateRequestMessageError,
  readCertificateRequestMessage,
  verifyProofOfPossession,
} from '../src/certificate-request-message.ts';
import { bitString, explicit, implicitConstructed, integer, sequence, wrap } from '../src/der/writer.ts';
import { subjectAlternativeName, writeExtensions } from '../src/extensions.ts';
import { formatName, parseName, writeName } from '../src/names.ts';
import { signatureAlgorithmFor } from '../src/signature-algorithms.ts';
import { newKey, spkiOf } from './support/certificates.ts';
import { assertOnlyThrows, foreignBytes } from './support/foreign-bytes.ts';

const key = newKey();
const template = (...fields: readonly Uint8Array[]) => sequence(integer(7), sequence(...fields));
const subject = explicit(5, writeName(parseName('CN=device')));
const publicKey = implicitConstructed(6, spkiOf(key));
const extensions = implicitConstructed(
  9,
  writeExtensions([subjectAlternativeName([{ kind: 'dns', value: 'a.example' }])]),
);
const whole = template(subject, publicKey, extensions);

function signed(request: Uint8Array, signedOctets = request, ...before: readonly Uint8Array[]): Uint8Array {
  const { identifier, sign } = signatureAlgorithmFor(key);
  return sequence(request, implicitConstructed(1, sequence(...before, identifier, bitString(sign(signedOctets)))));
}
const refuses = (der: Uint8Array, code: string, detail: RegExp) =>
  assert.throws(
    () => readCertificateRequestMessage(der),
    (error) => error instanceof CertificateRequestMessageError && error.code === code && detail.test(error.detail),
  );
const reasonOf = (der: Uint8Array) => {
  const result = verifyProofOfPossession(readCertificateRequestMessage(der));
  return result.ok ? '' : result.reason;
};

describe('RFC 4211 §3 to §5: certificate request messages', () => {
  it('are read with subject, key, extensions and names', () => {
    const message = readCertificateRequestMessage(signed(whole));
    assert.equal(formatName(message.subject), 'CN=device');
    assert.equal(message.requestId, '07');
    assert.deepEqual(Buffer.from(message.subjectPublicKeyInfo), spkiOf(key));
    assert.deepEqual(message.names, [{ kind: 'dns', value: 'a.example' }]);
    assert.deepEqual(verifyProofOfPossession(message), { ok: true });
  });
  it('may have no subject and no extensions', () => {
    const message = readCertificateRequestMessage(signed(template(publicKey)));
    assert.deepEqual([message.subject, message.names], [[], []]);
  });
  it('are refused without a public key', () => refuses(signed(template(subject)), 'bad-csr', /no public key/));
  it('are refused with a subject that is too long', () => {
    refuses(
      signed(template(explicit(5, writeName(parseName(`CN=${'a'.repeat(65)}`))), publicKey)),
      'bad-csr',
      /CN: 65/,
    );
  });
  it('are refused with trailing octets or above 16 KiB', () => {
    refuses(Buffer.concat([signed(whole), Buffer.from([0])]), 'malformed', /too many/);
    refuses(Buffer.alloc(16385, 0x30), 'malformed', /16384/);
  });
  it('throw nothing but CertificateRequestMessageError, whatever they are', () => {
    assertOnlyThrows(
      (bytes) => verifyProofOfPossession(readCertificateRequestMessage(bytes)),
      [CertificateRequestMessageError],
      foreignBytes(signed(whole)),
    );
  });
});

describe('RFC 4211 §4.1: proof of possession', () => {
  it('is not a signature over something else', () =>
    assert.match(reasonOf(signed(whole, Buffer.from('x'))), /does not verify/));
  it('is not a signature over a separate input', () =>
    assert.match(reasonOf(signed(whole, whole, wrap(0xa0, integer(1)))), /POPOSigningKeyInput/));
  it("is not the RA's word, an encrypted key, or nothing", () => {
    assert.match(reasonOf(sequence(whole, wrap(0x80))), /raVerified/);
    assert.match(reasonOf(sequence(whole, wrap(0xa2))), /keyEncipherment/);
    assert.match(reasonOf(sequence(whole)), /there is none/);
  });
});
