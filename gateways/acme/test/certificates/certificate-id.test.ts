// The identifier of a certificate: RFC 9773's own example, one spelling for each, and hostile text.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { certificateIdOf, parseCertificateId } from '../../src/certificate-id.ts';
import { createIssuer, read } from '../support/issuer.ts';

const issuer = createIssuer();

describe('RFC 9773 §4.1: the identifier of a certificate', () => {
  it('keeps the zero octet that makes the serial number positive, as in the example', () => {
    const id = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
    const parts = parseCertificateId(id);
    assert.equal(Buffer.from(parts?.keyIdentifier ?? []).toString('hex'), '69885b6b87464041e1b37b847ba0ae2cde01c8d4');
    assert.equal(parts?.serialNumber, '87654321');
  });

  it('is made of the authority key identifier and the serial number', () => {
    for (const serial of ['01', '7f', '80', 'ff00', '0102', '87654321', '009a']) {
      const octets = Buffer.from(serial, 'hex');
      const contents = (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), octets]) : octets;
      const certificate = read(issuer.issue({ serialNumber: contents }));
      const id = certificateIdOf(certificate) ?? '';
      assert.equal(id.split('.')[1], contents.toString('base64url'));
      assert.equal(parseCertificateId(id)?.serialNumber, certificate.serialNumber);
    }
  });

  it('has one spelling', () => {
    const good = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE';
    const others = [
      '',
      '.',
      good.replace('.', ''),
      `${good}=`,
      `${good}.`,
      good.replace('.', '..'),
      'aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE=',
      'aYhba4dGQEHhs3uEe6CuLN4ByNR.AIdlQyE',
      // A zero octet too many, a negative number, the number 0.
      'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AAAB',
      'aYhba4dGQEHhs3uEe6CuLN4ByNQ.h2VDIQ',
      'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA',
      `${good.split('.')[0]}.${Buffer.alloc(22, 1).toString('base64url')}`,
      'a+hba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE',
      'x'.repeat(10_000),
    ];
    for (const text of others) assert.equal(parseCertificateId(text), undefined, text.slice(0, 60));
  });

  it('is never another text for what was read', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/)),
        (text) => {
          const parts = parseCertificateId(text);
          if (parts === undefined) return;
          const magnitude = Buffer.from(parts.serialNumber, 'hex');
          const contents = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), magnitude]) : magnitude;
          assert.equal(
            `${Buffer.from(parts.keyIdentifier).toString('base64url')}.${contents.toString('base64url')}`,
            text,
          );
        },
      ),
    );
  });
});
