// The encoding under the MAC: different records never encode alike, and what is encoded is what the database gives
// back.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import type { JsonValue } from '@gatehouse/pkix/jose/json';
import fc from 'fast-check';
import { type AuditFields, encodeAuditFields, wellFormed } from '../../src/audit/canonical.ts';
import { insertAuditRecord, readAuditRecords } from '../../src/store/audit-events.ts';
import { openTestStore } from '../store/test-store.ts';

const test = await openTestStore('in memory');
after(() => test.remove());

// Text that joined fields without lengths would confuse: separators, empty text, NUL, and the letters of its
// neighbours.
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('', 'a', 'b', '\0', '|', '\u0001', '\u0000\u0000\u0000\u0001'), maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const optional = fc.option(text, { nil: null });
const fields: fc.Arbitrary<AuditFields> = fc.record({
  instance: text,
  sequence: fc.maxSafeNat(),
  at: fc.integer({ min: -8.64e15, max: 8.64e15 }),
  actor: text,
  action: text,
  registrationAuthority: optional,
  requester: optional,
  profile: optional,
  serialNumber: optional,
  outcome: text,
  body: optional,
});

describe('CORE.md, audit: canonical, length-prefixed encoding', () => {
  it('encodes different records differently', () => {
    fc.assert(
      fc.property(fields, fields, (one, other) => {
        const isSame = Object.entries(one).every(([name, value]) => value === other[name as keyof AuditFields]);
        assert.equal(encodeAuditFields(one).equals(encodeAuditFields(other)), isSame);
      }),
      { numRuns: 2000 },
    );
  });

  it('encodes a record differently when one of its fields changes', () => {
    fc.assert(
      fc.property(fields, fields, fc.nat(10), (one, other, index) => {
        const name = Object.keys(one)[index] as keyof AuditFields;
        fc.pre(one[name] !== other[name]);
        assert.notDeepEqual(encodeAuditFields(one), encodeAuditFields({ ...one, [name]: other[name] }));
      }),
      { numRuns: 2000 },
    );
  });

  it('encodes a record differently when text moves from one field to the next', () => {
    fc.assert(
      fc.property(fields, text, text, text, (record, left, middle, right) => {
        fc.pre(middle !== '');
        const one = { ...record, actor: left + middle, action: right };
        const other = { ...record, actor: left, action: middle + right };
        assert.notDeepEqual(encodeAuditFields(one), encodeAuditFields(other));
      }),
    );
  });

  it('tells nothing from empty text', () => {
    fc.assert(
      fc.property(fields, (record) => {
        const nothing = encodeAuditFields({ ...record, profile: null });
        assert.notDeepEqual(nothing, encodeAuditFields({ ...record, profile: '' }));
      }),
    );
  });

  it('is of exactly what the database gives back', async () => {
    let sequence = 0;
    const everything = fc.record({ fields, mac: fc.uint8Array({ minLength: 32, maxLength: 32 }) });
    await fc.assert(
      fc.asyncProperty(everything, async (sample) => {
        sequence += 1;
        const record = { ...sample.fields, instance: 'round-trip', sequence, mac: sample.mac };
        await test.store.commit({ operations: [insertAuditRecord(record)], events: [] });
        const [stored] = readAuditRecords(test.store, 'round-trip', sequence - 1, 1);
        assert.deepEqual(stored, record);
        assert.deepEqual(encodeAuditFields(stored), encodeAuditFields(record));
      }),
      { numRuns: 200 },
    );
  });

  it('takes no number that the database would round', () => {
    const record = { ...fc.sample(fields, 1)[0] } as AuditFields;
    assert.throws(() => encodeAuditFields({ ...record, sequence: 2 ** 53 }), RangeError);
    assert.throws(() => encodeAuditFields({ ...record, at: 0.5 }), RangeError);
  });
});

describe('text that UTF-8 has no form for', () => {
  it('becomes what the database would make of it', () => {
    assert.equal(wellFormed('a\ud800b'), 'a\ufffdb');
    assert.equal(wellFormed('a\u{1f600}b'), 'a\u{1f600}b');
  });

  it('does not break the chain', async () => {
    const before = test.store.auditHead();
    await test.store.commit({
      operations: [],
      events: [{ action: 'self-test', actor: 'a\udc00', outcome: 'success', body: { 'k\ud800': 'v\udfff' } }],
    });
    const [record] = readAuditRecords(test.store, before.instance, before.sequence, 1);
    assert.equal(record?.actor, 'a\ufffd');
    assert.equal(record.body, '{"k\\ud800":"v\\udfff"}');
  });
});

describe('canonical JSON', () => {
  it('is JSON of the same value, with one text whatever the order of members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = canonicalJson(value as JsonValue);
        assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
        assert.equal(canonicalJson(JSON.parse(json)), json);
      }),
    );
    assert.equal(canonicalJson({ b: 1, a: [null, { d: 'x', c: true }] }), '{"a":[null,{"c":true,"d":"x"}],"b":1}');
  });

  it('leaves out what is undefined', () => assert.equal(canonicalJson({ a: undefined, b: 1 }), '{"b":1}'));

  it('refuses numbers that JSON has no form for', () => {
    for (const number of [NaN, Infinity, -Infinity]) assert.throws(() => canonicalJson({ number }), RangeError);
  });
});
