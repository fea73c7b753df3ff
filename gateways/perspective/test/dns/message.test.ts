import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode } from 'dns-packet';
import fc from 'fast-check';
import { isAnswerTo, readMessage, writeQuery } from '../../src/dns/message.ts';
import { isQueryName, readDomainName } from '../../src/dns/name.ts';
import {
  addressRecord,
  aliasRecord,
  caaRecord,
  extendedError,
  flags,
  optRecord,
  soaRecord,
  txtRecord,
  typeNumbers,
  uint16,
  type WireRecord,
  wireMessage,
  wireName,
} from '../support/dns-wire.ts';

const query = { id: 4711, name: 'a.test', type: 'TXT', isCheckingDisabled: false, hasEdns: true } as const;
const questions = [{ name: 'a.test', type: typeNumbers.TXT }];
const answerWith = (...answers: readonly WireRecord[]) => readMessage(wireMessage({ id: 4711, questions, answers }));

describe('RFC 1035 §4.1, RFC 6891: a query', () => {
  it('has RD, AD and DO set, CD clear, a small EDNS buffer and one question', () => {
    const packet = decode(Buffer.from(writeQuery(query)));
    assert.equal(packet.id, 4711);
    assert.deepEqual([packet.flag_rd, packet.flag_ad, packet.flag_cd, packet.flag_tc], [true, true, false, false]);
    assert.deepEqual(packet.questions, [{ name: 'a.test', type: 'TXT', class: 'IN' }]);
    const [opt] = packet.additionals ?? [];
    assert.ok(opt?.type === 'OPT' && opt.flag_do && opt.udpPayloadSize === 1232);
  });

  it('has CD set, or no EDNS, only when that is asked for', () => {
    const packet = decode(Buffer.from(writeQuery({ ...query, isCheckingDisabled: true, hasEdns: false })));
    assert.equal(packet.flag_cd, true);
    assert.deepEqual(packet.additionals, []);
  });
});

describe('RFC 1035 §4.1: an answer', () => {
  it('has records of every type that is looked for', () => {
    const message = answerWith(
      aliasRecord('a.test', 'b.test', 300),
      addressRecord('b.test', '192.0.2.1', 60),
      addressRecord('b.test', '2001:db8::1'),
      txtRecord('b.test', ['one', ' and two']),
      caaRecord('b.test', 128, 'issue', 'ca.example; a=b'),
    );
    assert.deepEqual(message?.answers, [
      { name: 'a.test', ttl: 300, data: { type: 'CNAME', target: 'b.test' } },
      { name: 'b.test', ttl: 60, data: { type: 'A', address: '192.0.2.1' } },
      { name: 'b.test', ttl: 120, data: { type: 'AAAA', address: '2001:db8::1' } },
      { name: 'b.test', ttl: 120, data: { type: 'TXT', text: 'one and two' } },
      { name: 'b.test', ttl: 120, data: { type: 'CAA', caa: { flags: 128, tag: 'issue', value: 'ca.example; a=b' } } },
    ]);
  });

  it('is read though it has types and classes that nobody looks for', () => {
    const signature = { name: 'a.test', type: typeNumbers.RRSIG, data: Buffer.alloc(30) };
    const chaos = { ...txtRecord('a.test', ['chaos']), class: 3 };
    assert.deepEqual(answerWith(signature, chaos)?.answers, []);
  });

  it('RFC 2181 §8: with the top bit of a TTL set, has a TTL of zero', () => {
    assert.equal(answerWith(txtRecord('a.test', ['x'], 0x8000_0001))?.answers[0]?.ttl, 0);
  });

  it('RFC 6891 §6.1.3: has the extended RCODE, and RFC 8914: the extended errors', () => {
    const bad = readMessage(wireMessage({ id: 1, questions, additionals: [optRecord([], 1)] }));
    assert.equal(bad?.rcode, 16);
    const bogus = readMessage(wireMessage({ id: 1, rcode: 2, questions, additionals: [extendedError(9, 'no key')] }));
    assert.deepEqual(bogus?.extendedErrors, [{ code: 9, text: 'no key' }]);
  });

  it('RFC 2308 §5: has the minimum of SOA', () => {
    const message = readMessage(wireMessage({ id: 1, rcode: 3, questions, authorities: [soaRecord('test', 60, 30)] }));
    assert.deepEqual(message?.authorities, [{ name: 'test', ttl: 60, data: { type: 'SOA', minimum: 30 } }]);
  });

  it('RFC 2181 §9: with TC set, is not looked into', () => {
    const cut = wireMessage({
      id: 1,
      flags: flags.response | flags.truncated,
      questions,
      answers: [txtRecord('a.test', ['x'])],
    });
    assert.equal(readMessage(cut.subarray(0, cut.length - 5))?.isTruncated, true);
    assert.deepEqual(readMessage(cut)?.answers, []);
  });

  it('is malformed as a whole when one record is', () => {
    const broken: readonly WireRecord[] = [
      { name: 'a.test', type: typeNumbers.A, data: Buffer.alloc(5) },
      { name: 'a.test', type: typeNumbers.AAAA, data: Buffer.alloc(4) },
      { name: 'a.test', type: typeNumbers.TXT, data: Buffer.from([5, 65]) },
      { name: 'a.test', type: typeNumbers.TXT, data: Buffer.alloc(0) },
      { name: 'a.test', type: typeNumbers.CAA, data: Buffer.from([0, 9, 65]) },
      { name: 'a.test', type: typeNumbers.CAA, data: Buffer.from([0, 0, 65]) },
      { name: 'a.test', type: typeNumbers.CNAME, data: Buffer.concat([wireName('b.test'), Buffer.from([0])]) },
      { name: 'a.test', type: typeNumbers.SOA, data: wireName('b.test') },
    ];
    for (const record of broken) {
      assert.equal(answerWith(txtRecord('a.test', ['good']), record), undefined, JSON.stringify(record));
    }
    const two = wireMessage({ id: 1, questions, additionals: [optRecord(), optRecord()] });
    assert.equal(readMessage(two), undefined);
    assert.equal(answerWith(optRecord()), undefined);
  });

  it('RFC 5452 §9.1: counts only with the id, the question and the QR bit', () => {
    const read = (message: Parameters<typeof wireMessage>[0]) => {
      const answer = readMessage(wireMessage(message));
      return answer !== undefined && isAnswerTo(query, answer);
    };
    assert.equal(read({ id: 4711, questions }), true);
    assert.equal(read({ id: 4711, questions: [{ name: 'A.TEST', type: typeNumbers.TXT }] }), true);
    assert.equal(read({ id: 4712, questions }), false);
    assert.equal(read({ id: 4711, questions, flags: 0x0100 }), false);
    assert.equal(read({ id: 4711, questions: [{ name: 'b.test', type: typeNumbers.TXT }] }), false);
    assert.equal(read({ id: 4711, questions: [{ name: 'a.test', type: typeNumbers.A }] }), false);
    assert.equal(read({ id: 4711, questions: [{ name: 'a.test', type: typeNumbers.TXT, class: 3 }] }), false);
    assert.equal(read({ id: 4711, questions: [{ name: 'a\\.test', type: typeNumbers.TXT }] }), false);
    assert.equal(read({ id: 4711 }), false);
    assert.equal(read({ id: 4711, questions: [...questions, ...questions] }), false);
  });
});

describe('RFC 1035 §4.1.4: a compressed name', () => {
  const head = Buffer.concat([Buffer.alloc(12), wireName('a.test')]);

  it('is followed backwards', () => {
    const bytes = Buffer.concat([head, Buffer.from([1, 0x62, 0xc0, 14])]);
    assert.deepEqual(readDomainName(bytes, head.length), { name: 'b.test', end: head.length + 4 });
  });

  it('is refused when a pointer leads to itself, forwards, in a circle or out of the message', () => {
    const at = head.length;
    const circle = Buffer.concat([head, Buffer.from([0xc0, at + 2, 0xc0, at])]);
    for (const bytes of [
      Buffer.concat([head, Buffer.from([0xc0, at])]),
      Buffer.concat([head, Buffer.from([0xc0, at + 2, 0])]),
      circle,
      Buffer.concat([head, Buffer.from([0xff, 0xff])]),
      Buffer.concat([head, Buffer.from([0xc0])]),
      Buffer.concat([head, Buffer.from([0x40, 0])]),
    ]) {
      assert.equal(readDomainName(bytes, at), undefined);
    }
    assert.equal(readDomainName(circle, at + 2), undefined);
  });

  it('is refused when it is longer than 255 octets', () => {
    const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 0x61)]);
    assert.equal(readDomainName(Buffer.concat([label, label, label, label, Buffer.from([0])]), 0), undefined);
    assert.ok(readDomainName(Buffer.concat([label, label, label, Buffer.from([0])]), 0));
  });

  it('cannot read like another name: dots and odd octets in labels are escaped', () => {
    assert.equal(readDomainName(wireName('a\\.test'), 0)?.name, 'a\\.test');
    assert.equal(readDomainName(Buffer.from([2, 0x41, 0x00, 0]), 0)?.name, 'a\\000');
    assert.equal(isQueryName('a.test'), true);
    assert.equal(isQueryName('_acme-challenge.a.test'), true);
    for (const name of ['', '.', 'a..test', 'a\\.test', 'a test', `${'a'.repeat(64)}.test`, 'a.'.repeat(127)]) {
      assert.equal(isQueryName(name), false, name);
    }
  });
});

describe('acme.md §6: foreign octets', () => {
  it('never make the reader throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void readMessage(bytes)),
      { numRuns: 2000 },
    );
  });

  it('never make the reader throw when they are nearly a message', () => {
    const good = wireMessage({
      id: 1,
      questions,
      answers: [aliasRecord('a.test', 'b.test'), txtRecord('b.test', ['x']), caaRecord('b.test', 0, 'issue', ';')],
      authorities: [soaRecord('test', 1, 1)],
      additionals: [extendedError(6, 'bogus')],
    });
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        readMessage(bytes);
        readMessage(bytes.subarray(0, length));
      }),
      { numRuns: 5000 },
    );
  });

  it('cost little, even 64 KiB of pointers to pointers', () => {
    const pointers = Buffer.concat(Array.from({ length: 8000 }, (_, i) => uint16(0xc000 | Math.max(12, 10 + 2 * i))));
    const bytes = Buffer.concat([
      wireMessage({ id: 1, questions }).subarray(0, 12),
      pointers,
      Buffer.alloc(40_000, 0xff),
    ]);
    bytes.writeUInt16BE(65_535, 6);
    const started = performance.now();
    readMessage(bytes);
    assert.ok(performance.now() - started < 500);
  });
});
