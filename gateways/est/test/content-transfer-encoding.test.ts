import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withContentTransferEncoding } from '../src/content-transfer-encoding.ts';
import { writeKeyAndCertificate } from '../src/multipart.ts';

describe('RFC 8951 §3: Content-Transfer-Encoding for those who demand it', () => {
  it('stands in the header of an answer in base64, beside its other fields', () => {
    const answer = { status: 200, contentType: 'application/csrattrs', body: 'MAA=', headers: { allow: 'GET' } };
    assert.deepEqual(withContentTransferEncoding(answer), {
      ...answer,
      headers: { allow: 'GET', 'content-transfer-encoding': 'base64' },
    });
  });

  it('stands in each part of a multipart answer, and not in its header', () => {
    const der = Buffer.from('3000', 'hex');
    const parts = writeKeyAndCertificate({ contentType: 'application/pkcs8', der }, der);
    const answer = withContentTransferEncoding({ status: 200, ...parts });
    assert.equal(answer.headers, undefined);
    assert.equal(
      answer.body?.match(/^Content-Type: .*\r\nContent-Transfer-Encoding: base64\r\n\r\nMAA=\r$/gm)?.length,
      2,
    );
    assert.equal(answer.body?.replaceAll('Content-Transfer-Encoding: base64\r\n', ''), parts.body);
  });

  it('is not in answers that are no base64', () => {
    const answer = { status: 202, contentType: 'text/plain; charset=utf-8', body: 'wait\n' };
    assert.equal(withContentTransferEncoding(answer), answer);
    assert.deepEqual(withContentTransferEncoding({ status: 204 }), { status: 204 });
  });
});
