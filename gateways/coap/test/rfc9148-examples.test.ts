import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { challengePassword, readCertificationRequest, requestedNames } from '@gatehouse/pkix/certification-request';
import { certificatesOnly, readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { formatName } from '@gatehouse/pkix/names';
import { contentFormats } from '../src/content-formats.ts';
import { decodeMessage } from '../src/message/codec.ts';
import { methods, responseCodes } from '../src/message/codes.ts';
import { optionNumbers } from '../src/message/option-numbers.ts';
import { answerDocument, answerGeneratedKey, answerOutcome } from '../src/translate.ts';
import {
  certificateResponse,
  csrAttributes,
  enrollmentRequest,
  enrollmentResponse,
  generatedKey,
  keyCertificate,
  keyRequest,
} from './support/rfc9148-examples.ts';

const only = (container: Uint8Array): Uint8Array => {
  const [certificate] = readCertificatesOnly(container);
  if (certificate === undefined) throw new Error('the container holds no certificate');
  return certificate;
};

describe('RFC 9148 Appendix A.1: cacerts', () => {
  it('reads the request as it is printed', () => {
    const text = (value: string) => Buffer.from(value);
    const option = (delta: number, value: Uint8Array) => Buffer.concat([Buffer.of((delta << 4) | value.length), value]);
    const datagram = Buffer.concat([
      Buffer.of(0x41, 0x01, 0x12, 0x34, 0x9a),
      option(3, text('example.com')),
      option(4, Buffer.of(0x23, 0x7d)),
      option(4, text('est')),
      option(0, text('crts')),
      option(6, Buffer.of(0x01, 0x19)),
    ]);
    const decoded = decodeMessage(datagram);
    assert.equal(decoded.kind, 'message');
    if (decoded.kind !== 'message') return;
    const { message } = decoded;
    assert.deepEqual([message.type, message.code, Buffer.from(message.token)], ['con', methods.get, Buffer.of(0x9a)]);
    const values = (number: number) =>
      message.options.filter((each) => each.number === number).map(({ value }) => Buffer.from(value));
    assert.deepEqual(values(optionNumbers.uriPath).map(String), ['est', 'crts']);
    assert.deepEqual(values(optionNumbers.accept), [Buffer.of(0x01, 0x19)]);
    assert.equal(contentFormats.certificatesOnly, 0x0119);
  });

  it('writes the container of the printed response, octet by octet', () => {
    const container = certificatesOnly([only(certificateResponse)]);
    assert.deepEqual(only(container), only(certificateResponse));
    const answer = answerDocument(container, contentFormats.certificatesOnly);
    assert.equal(answer.code, responseCodes.content);
    assert.equal(formatName(readCertificate(only(certificateResponse)).subject).includes('CN=Root CA'), true);
  });
});

describe('RFC 9148 Appendix A.2: enroll and reenroll', () => {
  it('reads the CSR: subject, HardwareModuleName and the challengePassword of its connection', () => {
    const request = readCertificationRequest(enrollmentRequest);
    assert.match(formatName(request.subject), /serialNumber=Wt1234/);
    assert.equal(requestedNames(request)[0]?.kind, 'other');
    assert.ok((challengePassword(request) ?? '').length > 0);
  });

  it('answers in both formats with the printed certificate', () => {
    const certificate = only(enrollmentResponse);
    const outcome = {
      kind: 'issued',
      certificate,
      chain: [],
      serialNumber: readCertificate(certificate).serialNumber,
      requestId: 'r',
      notBefore: readCertificate(certificate).notBefore,
      notAfter: readCertificate(certificate).notAfter,
      isRepeated: false,
    } as const;
    const contained = answerOutcome(outcome, contentFormats.certificatesOnly);
    assert.equal(contained.code, responseCodes.changed);
    assert.deepEqual(only(contained.payload ?? Buffer.alloc(0)), certificate);
    const bare = answerOutcome(outcome, contentFormats.certificate);
    assert.deepEqual([bare.contentFormat, bare.payload], [contentFormats.certificate, certificate]);
  });
});

describe('RFC 9148 Appendix A.3: serverkeygen', () => {
  it('reads the CSR without names', () => {
    assert.equal(formatName(readCertificationRequest(keyRequest).subject), 'O=skg example');
  });

  it('writes key and certificate in the order and the encoding of the printed response', () => {
    const certificate = only(keyCertificate);
    const answer = answerGeneratedKey(
      {
        kind: 'issued',
        certificate,
        serialNumber: readCertificate(certificate).serialNumber,
        key: { isEncrypted: false, der: Buffer.from(generatedKey) },
        delivered: () => undefined,
        undelivered: async () => undefined,
      },
      contentFormats.certificatesOnly,
    );
    const container = certificatesOnly([certificate]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(container.length);
    assert.deepEqual(
      Buffer.from(answer.payload ?? []),
      Buffer.concat([
        Buffer.from('8419011c588a', 'hex'),
        generatedKey,
        Buffer.from('19011959', 'hex'),
        length,
        container,
      ]),
    );
    assert.deepEqual([answer.code, answer.contentFormat, answer.isSecret], [responseCodes.changed, 62, true]);
  });
});

describe('RFC 9148 Appendix A.4: csrattrs', () => {
  it('answers with DER where HTTPS has base64', () => {
    const answer = answerDocument(csrAttributes, contentFormats.csrAttributes);
    assert.deepEqual([answer.code, answer.contentFormat], [responseCodes.content, 285]);
    assert.equal(csrAttributes[0], 0x30);
  });
});
