import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CertificateRequestMessageError,
  readCertificateRequestMessage,
  readCertificateRequestMessages,
  verifyProofOfPossession,
} from '../../src/certificate-request-message.ts';
import {
  bitString,
  explicit,
  implicitConstructed,
  integer,
  nullValue,
  objectIdentifier,
  sequence,
} from '../../src/der/writer.ts';
import { writeGeneralName } from '../../src/general-names.ts';
import { parseName, writeName } from '../../src/names.ts';
import { signatureAlgorithmFor } from '../../src/signature-algorithms.ts';
import { newKey, spkiOf } from '../support/certificates.ts';

const key = newKey();
const sender = explicit(0, writeGeneralName({ kind: 'dns', value: 'device.example' }));
const publicKey = implicitConstructed(6, spkiOf(key));
const subject = explicit(5, writeName(parseName('CN=device')));
const request = sequence(integer(1), sequence(publicKey));

/** CertReqMsg whose signature is over `signedOctets`, by default the input. */
function message(input: Uint8Array, certificateRequest = request, signedOctets = input): Uint8Array {
  const { identifier, sign } = signatureAlgorithmFor(key);
  const signature = bitString(sign(signedOctets));
  return sequence(
    certificateRequest,
    implicitConstructed(1, sequence(implicitConstructed(0, input), identifier, signature)),
  );
}

const inputOf = (spki = spkiOf(key), authInfo = sender): Uint8Array => sequence(authInfo, spki);
const verify = (der: Uint8Array) => verifyProofOfPossession(readCertificateRequestMessage(der));

describe('RFC 4211 §4.1: a signature over a POPOSigningKeyInput', () => {
  it('proves possession when the template has no subject, and tells who the signer says it is', () => {
    const read = readCertificateRequestMessage(message(inputOf()));
    assert.deepEqual(verifyProofOfPossession(read), { ok: true });
    assert.ok(read.proofOfPossession.kind === 'signature');
    assert.deepEqual(read.proofOfPossession.input?.sender, { kind: 'dns', value: 'device.example' });
  });

  it('proves nothing when it is over the request', () => {
    const result = verify(message(inputOf(), request, request));
    assert.match(result.ok ? '' : result.reason, /does not verify/);
  });

  it('proves nothing about another key', () => {
    const result = verify(message(inputOf(spkiOf(newKey()))));
    assert.match(result.ok ? '' : result.reason, /about another key/);
  });

  it('must be left out when the template has a subject', () => {
    const result = verify(message(inputOf(), sequence(integer(1), sequence(subject, publicKey))));
    assert.match(result.ok ? '' : result.reason, /beside a subject/);
  });

  it('is not accepted with a MAC, for which there is no shared secret', () => {
    const mac = sequence(
      sequence(objectIdentifier('1.2.840.113533.7.66.13'), nullValue()),
      bitString(Buffer.alloc(20)),
    );
    const result = verify(message(inputOf(spkiOf(key), mac)));
    assert.match(result.ok ? '' : result.reason, /MAC/);
  });

  it('is malformed when it is anything else', () => {
    for (const input of [
      sequence(),
      sequence(integer(1)),
      sequence(sender),
      sequence(sender, spkiOf(key), nullValue()),
    ]) {
      assert.throws(
        () => readCertificateRequestMessage(message(input)),
        (error) => error instanceof CertificateRequestMessageError && error.code === 'malformed',
      );
    }
  });
});

describe('RFC 4211 §3: CertReqMessages', () => {
  it('are read one by one', () => {
    const read = readCertificateRequestMessages(sequence(message(inputOf()), message(inputOf())));
    assert.deepEqual(read.map(verifyProofOfPossession), [{ ok: true }, { ok: true }]);
  });

  it('are one at least and 64 at most, and nothing after them', () => {
    const one = message(inputOf());
    const wrong = [sequence(), sequence(...Array(65).fill(one)), Buffer.concat([sequence(one), Buffer.alloc(1)])];
    for (const der of [...wrong, Buffer.from('junk'), Buffer.alloc(0)]) {
      assert.throws(() => readCertificateRequestMessages(der), CertificateRequestMessageError);
    }
  });
});
