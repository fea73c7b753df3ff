import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statementPayloadSchema } from '@gatehouse/ra-client/perspective-statement';
import fc from 'fast-check';
import type { DnsLookup } from '../src/dns/resolver.ts';
import { createFinding, type Finding } from '../src/finding.ts';
import { fail, pass, type Seen } from '../src/outcome.ts';
import { printable } from '../src/printable.ts';
import { readDomainControlRequest } from '../src/request.ts';
import { controlRequest } from './support/looking.ts';

const labels = { perspective: 'p'.repeat(256), site: 's'.repeat(63), rir: 'r'.repeat(16), build: 'b'.repeat(64) };
/** Octets of the JWS: header, payload in base64url, signature. */
const sizeOf = (finding: Finding) =>
  200 + Math.ceil((Buffer.byteLength(JSON.stringify({ ...finding, ...labels })) * 4) / 3) + 88;

const largest = readDomainControlRequest(
  controlRequest({
    attempt: {
      id: 'A'.repeat(64),
      order: 'o'.repeat(128),
      authorization: 'a'.repeat(128),
      perspectives: Array.from({ length: 16 }, (_, i) => `${i + 10}`.padEnd(63, 'p')),
    },
    identifier: {
      type: 'dns',
      value: [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.'),
      isWildcard: false,
    },
    token: 'A'.repeat(128),
    accountUri: `https://ca.example/${'a'.repeat(493)}`,
  }),
);

// Everything that a stranger has a hand in, as bad as it can come.
const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.constantFrom('"'.repeat(3000), '\\'.repeat(3000), '\u0000'.repeat(3000), '\u{1f512}'.repeat(1500), ''),
);
const name = nasty.map((text) => printable(text, 255));
const lookup: fc.Arbitrary<DnsLookup> = fc.record({
  name,
  type: fc.constant('TXT'),
  rcode: fc.constantFrom('NOERROR', 'TIMEOUT'),
  isAuthenticated: fc.boolean(),
  extendedError: nasty.map((text) => printable(text, 256)),
  aliases: fc.array(name, { maxLength: 16 }),
  ttl: fc.nat(),
  resolver: fc.constant('127.0.0.1:53'),
});
const hop = fc.record({ url: nasty.map((text) => printable(text, 2048)), address: fc.ipV6(), status: fc.nat(999) });
const seenOfControl: fc.Arbitrary<Seen> = fc.record(
  { addresses: fc.array(fc.ipV6(), { maxLength: 200 }), used: fc.ipV4(), redirects: fc.array(hop, { maxLength: 11 }) },
  { requiredKeys: [] },
);
const seenOfRecord: fc.Arbitrary<Seen> = fc.record({ expected: nasty });
const seenOfCaa: fc.Arbitrary<Seen> = fc.record({
  caa: fc.record({
    decision: fc.constant('forbidden' as const),
    foundAt: name,
    records: fc.array(nasty, { maxLength: 300 }),
    issuerDomainNames: fc.constant(Array.from({ length: 10 }, () => 'a'.repeat(60))),
    lookup: fc.constant('found' as const),
  }),
});

function make(seen: Seen, detail: string, lookups: readonly DnsLookup[]): Finding {
  const at = new Date('2026-11-21T12:00:00Z');
  return createFinding(largest, {
    check: 'dcv',
    thumbprint: largest.thumbprints[0],
    token: 'A'.repeat(128),
    expected: 'e'.repeat(43),
    lookups,
    outcome: fail('incorrectResponse', detail, seen),
    started: at,
    finished: at,
  });
}

describe('mpic.md §2.2: a finding', () => {
  it('makes a statement that its schema takes and that is below 16 KiB, whatever strangers answered', () => {
    const seen = fc.oneof(seenOfControl, seenOfRecord, seenOfCaa);
    fc.assert(
      fc.property(seen, nasty, fc.array(lookup, { maxLength: 140 }), (one, detail, lookups) => {
        const finding = make(one, detail, lookups);
        const parsed = statementPayloadSchema.safeParse({ ...finding, ...labels });
        assert.ok(parsed.success, parsed.error?.message ?? '');
        assert.ok(sizeOf(finding) <= 16_384, `${sizeOf(finding)} octets`);
        assert.match(JSON.stringify(finding), /^[ -~]*$/);
      }),
      { numRuns: 400 },
    );
  });

  it('stays below 16 KiB with everything at its largest at once', () => {
    const quotes = '"'.repeat(3000);
    const entry = {
      name: 'n'.repeat(255),
      type: 'TXT',
      rcode: 'NOERROR',
      isAuthenticated: true,
      extendedError: quotes.slice(0, 256),
      aliases: Array.from({ length: 16 }, () => 'a'.repeat(255)),
      ttl: 1,
      resolver: 'r'.repeat(60),
    };
    const hops = Array.from({ length: 11 }, () => ({
      url: 'u'.repeat(2048),
      address: '2001:db8:1111:2222:3333:4444:5555:6666',
      status: 302,
    }));
    const addresses = Array.from({ length: 60 }, () => '2001:db8:1111:2222:3333:4444:5555:6666');
    const finding = make(
      { addresses, used: addresses[0], redirects: hops },
      quotes,
      Array.from({ length: 140 }, () => entry),
    );
    assert.ok(sizeOf(finding) <= 16_384, `${sizeOf(finding)}`);
    assert.ok(finding.dns.length > 0 && (finding.redirects?.length ?? 0) > 0);
    assert.equal(finding.addresses?.length, 32);
  });

  it('keeps the last queries, which decided', () => {
    const lookups = Array.from({ length: 140 }, (_, i) => ({
      name: `n${i}`,
      type: 'CAA',
      rcode: 'NOERROR',
      isAuthenticated: false,
      resolver: 'r',
    }));
    const finding = make({}, 'x', lookups);
    assert.equal(finding.dns.at(-1)?.name, 'n139');
    assert.ok(finding.dns.length <= 64);
  });

  it('never cuts off an answer without AD in favour of one with it', () => {
    const lookups = Array.from({ length: 140 }, (_, i) => ({
      name: `n${i}`,
      type: 'CAA',
      rcode: 'NOERROR',
      isAuthenticated: i !== 0,
      resolver: 'r',
    }));
    const { dns } = make({}, 'x', lookups);
    assert.deepEqual([dns[0]?.name, dns[0]?.isAuthenticated, dns.at(-1)?.name], ['n0', false, 'n139']);
  });

  it('that passed has no problem', () => {
    const at = new Date('2026-11-21T12:00:00Z');
    const finding = createFinding(largest, {
      check: 'dcv',
      thumbprint: 'T'.repeat(43),
      lookups: [],
      outcome: pass({}),
      started: at,
      finished: at,
    });
    assert.deepEqual([finding.result, 'problem' in finding], ['pass', false]);
  });
});

describe('printable text of strangers', () => {
  it('is ASCII of a bounded length', () => {
    assert.equal(printable('a\u0000\u001b[31m\u00e4\u2028b', 20), 'a??[31m??b');
    assert.equal(printable('abcdefgh', 6), 'abc...');
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 3, max: 50 }),
        (text, maximum) => /^[ -~]*$/.test(printable(text, maximum)) && printable(text, maximum).length <= maximum,
      ),
    );
  });
});
