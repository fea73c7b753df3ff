import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readChangeSubjectName } from '@gatehouse/gateway-kit/est/change-subject-name';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { type CertificationRequest, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { sequence } from '@gatehouse/pkix/der/writer';
import { parseGeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { formatName, parseName, writeName } from '@gatehouse/pkix/names';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import fc from 'fast-check';

describe('RFC 6402 §2.8: ChangeSubjectName', () => {
  const request = (value: Uint8Array): CertificationRequest =>
    readCertificationRequest(newRequest({ attributes: [{ type: cmcControls.changeSubjectName, values: [value] }] }));
  const subject = writeName(parseName('CN=new,O=Example'));
  const names = writeGeneralNames([parseGeneralName('DNS:new.example')]);

  it('holds a subject, names, or both', () => {
    const both = readChangeSubjectName(request(sequence(subject, names)));
    assert.equal(formatName(both?.subject ?? []), 'CN=new,O=Example');
    assert.deepEqual(both?.names, [{ kind: 'dns', value: 'new.example' }]);
    assert.equal(readChangeSubjectName(request(sequence(subject)))?.names, undefined);
    assert.equal(readChangeSubjectName(request(sequence(names)))?.subject, undefined);
    assert.deepEqual(readChangeSubjectName(request(sequence(writeName([]))))?.subject, []);
    assert.equal(readChangeSubjectName(readCertificationRequest(newRequest({}))), undefined);
  });

  it('is refused when it is empty, in the wrong order, or anything else', () => {
    for (const value of [
      sequence(),
      sequence(names, subject),
      sequence(subject, subject),
      sequence(names, names),
      subject,
    ]) {
      assert.throws(() => readChangeSubjectName(request(value)), EstError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        const csr = { ...request(sequence()), attributes: [{ type: cmcControls.changeSubjectName, values: [octets] }] };
        try {
          readChangeSubjectName(csr);
        } catch (error) {
          assert.ok(error instanceof EstError && error.code === 'malformed');
        }
      }),
    );
  });
});
