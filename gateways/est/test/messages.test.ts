import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CertificationRequest, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { sequence } from '@gatehouse/pkix/der/writer';
import { parseGeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { formatName, parseName, writeName } from '@gatehouse/pkix/names';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import { CoreError, coreErrorTypes } from '@gatehouse/ra-client/core-error';
import { createManualClock } from '@gatehouse/runtime/clock';
import fc from 'fast-check';
import { readChangeSubjectName } from '../src/change-subject-name.ts';
import { checkChannelBinding } from '../src/channel-binding.ts';
import { answerCoreError, answerEstError, EstError } from '../src/errors.ts';
import { createHeldKeys } from '../src/held-keys.ts';
import { writeKeyAndCertificate } from '../src/multipart.ts';
import { readRequestBody } from '../src/translate.ts';
import { newRequest } from './support/requests.ts';

describe('refusals of the keep', () => {
  const expected: Readonly<Record<string, number>> = {
    malformed: 400,
    'bad-csr': 400,
    'bad-key': 400,
    'rejected-name': 400,
    unauthorized: 403,
    'out-of-scope': 403,
    'profile-refuses': 403,
    'evidence-missing': 403,
    'evidence-invalid': 403,
    'profile-unknown': 500,
    'already-revoked': 409,
    'not-found': 404,
    conflict: 409,
    'rate-limited': 429,
    unavailable: 503,
    internal: 500,
  };

  for (const type of Object.keys(coreErrorTypes) as (keyof typeof coreErrorTypes)[]) {
    it(`answer ${expected[type]} to ${type}, in one line`, () => {
      const answer = answerCoreError(
        new CoreError(type, 'a detail\nwith a line', { incident: 'I1', retryAfterSeconds: 7 }),
      );
      assert.equal(answer.status, expected[type]);
      assert.match(answer.body ?? '', /^[^\n]+\n$/);
      const hasRetry = answer.status === 429 || answer.status === 503;
      assert.equal(answer.headers?.['retry-after'], hasRetry ? '7' : undefined);
      if (answer.status === 500) assert.doesNotMatch(answer.body ?? '', /detail/);
    });
  }

  it('always say when to come again with 429 and 503', () => {
    for (const error of [new CoreError('unavailable', 'x'), new CoreError('rate-limited', 'x')]) {
      assert.match(answerCoreError(error).headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
    }
    assert.match(answerEstError(new EstError('unavailable', 'x')).headers?.['retry-after'] ?? '', /^[1-9]\d*$/);
  });
});

describe('RFC 8951 §3: request bodies', () => {
  it('of any octets are read or refused with 400 or 413', () => {
    const der = newRequest({ names: ['DNS:a.example'] });
    const refusesWell = (body: Uint8Array) => {
      try {
        readRequestBody(body);
      } catch (error) {
        assert.ok(error instanceof EstError && (error.code === 'malformed' || error.code === 'too-large'));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refusesWell));
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 0, max: 255 }), (at, octet) => {
        const changed = Uint8Array.from(der);
        changed[at] = octet;
        refusesWell(changed);
        refusesWell(Buffer.from(Buffer.from(changed).toString('base64')));
      }),
    );
  });
});

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

describe('RFC 7030 §3.5: channel binding', () => {
  const value = Buffer.alloc(32, 5);
  const peer = (
    tlsUnique: Buffer | undefined,
    exporter: Buffer | undefined,
    tlsVersion: 'TLSv1.2' | 'TLSv1.3',
    proxyAddress?: string,
  ) => ({
    remoteAddress: '',
    tlsVersion,
    cipher: '',
    chain: [],
    channelBinding: { tlsUnique, exporter: () => exporter },
    proxyAddress,
  });
  const rules = { policy: 'optional', acceptsExporterOnTls12: false } as const;

  it('accepts base64 of the value and nothing near it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 64 }), fc.string({ maxLength: 90 }), (finished, text) => {
        const connection = peer(Buffer.from(finished), undefined, 'TLSv1.2');
        const right = Buffer.from(finished).toString('base64');
        checkChannelBinding(rules, right, connection);
        if (text.trim() !== right) assert.throws(() => checkChannelBinding(rules, text, connection), EstError);
      }),
    );
  });

  it('refuses what cannot be checked: no value, a proxy', () => {
    const text = value.toString('base64');
    assert.throws(() => checkChannelBinding(rules, text, peer(undefined, undefined, 'TLSv1.2')), EstError);
    assert.throws(() => checkChannelBinding(rules, text, peer(value, value, 'TLSv1.2', '192.0.2.9')), EstError);
    assert.throws(() => checkChannelBinding(rules, '', peer(Buffer.alloc(0), undefined, 'TLSv1.2')), EstError);
    checkChannelBinding({ ...rules, policy: 'none' }, text, peer(undefined, undefined, 'TLSv1.2'));
    checkChannelBinding(rules, undefined, peer(undefined, undefined, 'TLSv1.2'));
  });
});

describe('RFC 7030 §4.4.2: multipart answers', () => {
  it('have a boundary of their own and no Content-Transfer-Encoding', () => {
    const write = () =>
      writeKeyAndCertificate({ contentType: 'application/pkcs8', der: Buffer.alloc(9) }, Buffer.alloc(9));
    const [first, second] = [write(), write()];
    assert.notEqual(first.contentType, second.contentType);
    assert.doesNotMatch(first.body, /transfer-encoding/i);
    assert.ok(first.body.indexOf('application/pkcs8') < first.body.indexOf('application/pkcs7-mime'));
  });
});

describe('keys that wait for approval', () => {
  it('are overwritten when they are released, and forgotten in time', () => {
    const clock = createManualClock(new Date('2026-01-01T00:00:00Z'));
    const held = createHeldKeys(clock, 1_000);
    const key = { privateKey: Buffer.alloc(8, 1), certificationRequest: Buffer.alloc(1), idempotencyKey: 'k' };
    held.hold('a', key);
    assert.equal(held.find('a'), key);
    held.release('a');
    assert.deepEqual([held.find('a'), key.privateKey], [undefined, Buffer.alloc(8)]);
    held.hold('b', { ...key, privateKey: Buffer.alloc(8, 2) });
    clock.advance(1_000);
    assert.equal(held.find('b'), undefined);
  });
});
