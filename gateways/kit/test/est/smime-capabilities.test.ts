import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import {
  chooseContentEncryption,
  chooseKeyTransport,
  chooseKeyWrap,
  demandKeyWrap,
} from '@gatehouse/gateway-kit/est/key-encryption-choice';
import { readSmimeCapabilities, requestedCapabilities } from '@gatehouse/gateway-kit/est/smime-capabilities';
import { foreignBytes } from '@gatehouse/gateway-kit/test-support/foreign-bytes';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { DerError } from '@gatehouse/pkix/der/reader';
import { explicit, integer, nullValue, objectIdentifier, octetString, sequence } from '@gatehouse/pkix/der/writer';
import { algorithms, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import fc from 'fast-check';

const list = (...entries: readonly (readonly [string, Uint8Array?])[]) =>
  readSmimeCapabilities(
    sequence(...entries.map(([id, parameters]) => sequence(objectIdentifier(id), ...(parameters ? [parameters] : [])))),
  );
const key = newKey();

describe('RFC 8551 §2.5.2: SMIMECapabilities', () => {
  const value = sequence(
    sequence(objectIdentifier(algorithms.aes256Cbc)),
    sequence(objectIdentifier('1.2.840.113549.3.2'), integer(128)),
  );

  it('are read in the order of preference, with their parameters', () => {
    const capabilities = readSmimeCapabilities(value);
    assert.deepEqual(
      capabilities.map(({ id, parameters }) => [id, parameters === undefined]),
      [
        [algorithms.aes256Cbc, true],
        ['1.2.840.113549.3.2', false],
      ],
    );
    assert.deepEqual(readSmimeCapabilities(sequence()), []);
  });

  it('are found as an attribute, and as an extension that is asked for (RFC 4262)', () => {
    const read = (shape: Parameters<typeof newRequest>[0]) =>
      requestedCapabilities(readCertificationRequest(newRequest({ key, subject: 'CN=a', ...shape })));
    const type = pkcs9Attributes.smimeCapabilities;
    assert.equal(read({ attributes: [{ type, values: [value] }] })?.length, 2);
    assert.equal(read({ extensions: [{ id: type, isCritical: false, value }] })?.length, 2);
    assert.equal(read({}), undefined);
    for (const values of [[], [value, value], [octetString(value)]]) {
      assert.throws(() => read({ attributes: [{ type, values }] }), EstError);
    }
  });

  it('are refused when they are too many', () => {
    assert.throws(() => list(...Array.from({ length: 65 }, () => [algorithms.aes256Cbc] as const)), /more than 64/);
  });

  it('are read or refused by DerError, whatever the octets', () => {
    fc.assert(
      fc.property(foreignBytes(value), (bytes) => {
        try {
          readSmimeCapabilities(bytes);
        } catch (error) {
          assert.ok(error instanceof DerError, String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('RFC 7030 §4.4.2: the algorithms that are chosen', () => {
  const refuses = (choose: () => unknown, detail: RegExp) =>
    assert.throws(
      choose,
      (error) => error instanceof EstError && error.code === 'malformed' && detail.test(error.detail),
    );

  it('are the first that the client lists and that are used here', () => {
    const capabilities = list([algorithms.aes192Cbc], [algorithms.aes128Gcm], [algorithms.aes256Cbc]);
    assert.equal(chooseContentEncryption(capabilities), 'aes-128-gcm');
    assert.equal(chooseKeyWrap(list([algorithms.aes192Wrap], [algorithms.aes256Wrap]), 'P-256'), 'aes-192-wrap');
    assert.equal(chooseKeyTransport(list([algorithms.rsaEncryption], [algorithms.rsaesOaep])), 'pkcs1');
  });

  it('are AES-128-CBC where only key encipherment is listed, and none where other ciphers are', () => {
    assert.equal(chooseContentEncryption(list([algorithms.aes256Wrap], ['1.2.3'])), 'aes-128-cbc');
    refuses(() => chooseContentEncryption(list([algorithms.desEde3Cbc])), /content encryption algorithm/);
  });

  it('are the key wrap of the shared key alone', () => {
    demandKeyWrap(list([algorithms.aes192Wrap]), 24);
    refuses(() => demandKeyWrap(list([algorithms.aes192Wrap]), 32), /AES-256 key wrap/);
  });

  it('are RSAES-OAEP with SHA-256, never with the SHA-1 that empty parameters mean', () => {
    const identifier = (oid: string) => sequence(objectIdentifier(oid), nullValue());
    const oaep = (...parameters: readonly Uint8Array[]) => list([algorithms.rsaesOaep, sequence(...parameters)]);
    assert.equal(chooseKeyTransport(list([algorithms.rsaesOaep])), 'oaep-sha256');
    assert.equal(chooseKeyTransport(oaep(explicit(0, identifier(algorithms.sha256)))), 'oaep-sha256');
    refuses(() => chooseKeyTransport(oaep()), /key transport/);
    refuses(() => chooseKeyTransport(oaep(explicit(0, identifier(algorithms.sha512)))), /key transport/);
    refuses(() => chooseKeyTransport(list([algorithms.rsaesOaep, integer(1)])), /key transport/);
    refuses(() => chooseKeyTransport(list([algorithms.aes128Wrap])), /key transport/);
  });

  it('are of the scheme that fits the curve, where schemes are listed (RFC 5753 §7.1.5)', () => {
    const wrap = sequence(objectIdentifier(algorithms.aes256Wrap));
    const sha256 = list([algorithms.dhSinglePassStdDhSha256Kdf, wrap]);
    assert.equal(chooseKeyWrap(sha256, 'P-256'), 'aes-256-wrap');
    refuses(() => chooseKeyWrap(sha256, 'P-384'), /ECDH on P-384/);
    refuses(() => chooseKeyWrap(list([algorithms.dhSinglePassStdDhSha256Kdf, integer(1)]), 'P-256'), /ECDH on P-256/);
    refuses(() => chooseKeyWrap(list(), 'P-521'), /ECDH on P-521/);
  });
});
