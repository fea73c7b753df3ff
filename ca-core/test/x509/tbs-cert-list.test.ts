// CRLs written in a stream, as openssl reads and verifies them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { DerCursor, tags } from '@gatehouse/pkix/der/reader';
import type { CrlEntry } from '../../src/x509/crl-entry.ts';
import { keyIdentifierOf } from '../../src/x509/key-identifier.ts';
import { type CrlFactsToWrite, writeTbsCertList } from '../../src/x509/tbs-cert-list.ts';
import { createTestAuthority } from './builders.ts';
import { createDirectory, crlFacts, makeCrl, makeEntries, opensslCrl } from './crl-support.ts';

const authority = createTestAuthority('ecdsa-p256');
const directory = createDirectory();
after(directory.remove);

const url = 'http://status.example/crl/issuing-3.crl';
const deltaUrl = 'http://status.example/crl/issuing-3-delta.crl';

async function describeCrl(facts: Partial<CrlFactsToWrite>, entries: readonly CrlEntry[]): Promise<string> {
  const crl = await makeCrl(directory.path, authority, crlFacts(authority, facts), [entries]);
  const words = opensslCrl(directory.path, authority, crl);
  assert.match(words, /^verify OK/m);
  return words;
}

describe('RFC 5280 §5.1: CRLs as openssl reads them', () => {
  it('§5.1.2: version 2, issuer, times, authority key identifier and number', async () => {
    const words = await describeCrl(
      { thisUpdate: new Date('2026-01-02T03:04:05.678Z'), nextUpdate: new Date('2050-01-02T03:04:05Z') },
      makeEntries(1),
    );
    assert.match(words, /Version 2 \(0x1\)/);
    assert.match(words, /Issuer: CN = Test CA ecdsa-p256 pkcs1/);
    assert.match(words, /Last Update: Jan {2}2 03:04:05 2026 GMT/);
    assert.match(words, /Next Update: Jan {2}2 03:04:05 2050 GMT/);
    assert.match(words, /X509v3 Authority Key Identifier: \n/);
    assert.match(words, /X509v3 CRL Number: \n\s+7\n/);
    assert.doesNotMatch(words, /critical/);
  });

  it('§5.3: an entry has serial number, time, reason and invalidity date', async () => {
    const words = await describeCrl({}, [
      {
        serialNumber: 'ff01',
        revokedAt: Date.parse('2026-02-03T04:05:06.999Z'),
        reason: 1,
        invalidityDate: Date.parse('2025-12-24T00:00:00Z'),
      },
      { serialNumber: '2a02', revokedAt: Date.parse('2026-02-04T00:00:00Z'), reason: 0, invalidityDate: null },
    ]);
    const [, first = '', second = ''] = words.split('Serial Number: ');
    assert.match(first, /^FF01\s+Revocation Date: Feb {2}3 04:05:06 2026 GMT/);
    assert.match(first, /X509v3 CRL Reason Code: \s+Key Compromise\s+Invalidity Date: \s+Dec 24 00:00:00 2025 GMT/);
    assert.match(second, /^2A02\s+Revocation Date: Feb {2}4 00:00:00 2026 GMT\s+Signature/);
  });

  it('§5.1.2.6: has no revokedCertificates when there are none', async () => {
    assert.match(await describeCrl({}, []), /No Revoked Certificates/);
    const fields = new DerCursor(readFileSync(join(directory.path, 'tbs'))).enter(tags.sequence);
    for (const tag of [tags.integer, tags.sequence, tags.sequence, tags.utcTime, tags.utcTime]) fields.skip(tag);
    fields.skip(0xa0);
    assert.ok(fields.isAtEnd);
  });

  it('§5.2.5: a shard has a critical issuing distribution point', async () => {
    const point = { fullName: [url], onlyContains: 'user-certificates' } as const;
    const words = await describeCrl({ issuingDistributionPoint: point, freshestCrl: [deltaUrl] }, makeEntries(2));
    assert.match(
      words,
      /X509v3 Issuing Distribution Point: critical\s+Full Name:\s+URI:http:\/\/status\.example\/crl\/issuing-3\.crl/,
    );
    assert.match(words, /Only User Certificates/);
    assert.match(
      words,
      /X509v3 Freshest CRL: \n\s+Full Name:\s+URI:http:\/\/status\.example\/crl\/issuing-3-delta\.crl/,
    );
  });

  it('§5.2.4: a delta has a critical indicator, and may remove from the CRL', async () => {
    const released = { ...makeEntries(1)[0], serialNumber: '2a', revokedAt: 0, reason: 8, invalidityDate: null };
    const words = await describeCrl({ crlNumber: 9, baseCrlNumber: 7 }, [released]);
    assert.match(words, /X509v3 Delta CRL Indicator: critical\n\s+7\n/);
    assert.match(words, /Remove From CRL/);
  });

  it('reads the same from one page or many, and from pages that come later', async () => {
    const entries = makeEntries(9000);
    const facts = crlFacts(authority);
    const whole = join(directory.path, 'whole');
    const paged = join(directory.path, 'paged');
    const written = await writeTbsCertList(whole, facts, [entries]);
    async function* pages(): AsyncGenerator<readonly CrlEntry[]> {
      for (let at = 0; at < entries.length; at += 700) yield entries.slice(at, at + 700);
      yield [];
    }
    assert.deepEqual(await writeTbsCertList(paged, facts, pages()), written);
    assert.equal(written.entries, 9000);
    assert.ok(written.size > 256 * 1024, 'it is larger than the buffer');
    assert.ok(readFileSync(whole).equals(readFileSync(paged)));
    assert.equal(readFileSync(whole).length, written.size);
  });
});

describe('RFC 5280 §5.1: CRLs as our own reader reads them', () => {
  it('have the facts and the entries that were written', async () => {
    const entries: CrlEntry[] = makeEntries(2500).map((entry, i) => ({
      ...entry,
      reason: [0, 1, 6, 8][i % 4] ?? 0,
      invalidityDate: i % 3 === 0 ? Date.UTC(2020, 0, 1) : null,
    }));
    const point = { fullName: [url], onlyContains: 'ca-certificates' } as const;
    const facts = crlFacts(authority, { crlNumber: 1.7e12, baseCrlNumber: 1.6e12, issuingDistributionPoint: point });
    const crl = await makeCrl(directory.path, authority, facts, [entries.slice(0, 999), entries.slice(999)]);
    const list = readCertificateList(crl);
    assert.deepEqual([list.crlNumber, list.baseCrlNumber], [1_700_000_000_000n, 1_600_000_000_000n]);
    assert.deepEqual(list.issuingDistributionPoint, { ...point, hasOnlySomeReasons: false, isIndirect: false });
    assert.deepEqual(Buffer.from(list.issuerDer), Buffer.from(authority.certificate.subjectDer));
    assert.deepEqual(
      Buffer.from(list.authorityKeyIdentifier ?? []),
      Buffer.from(keyIdentifierOf(authority.certificate)),
    );
    assert.equal(list.thisUpdate.getTime(), Math.floor(facts.thisUpdate.getTime() / 1000) * 1000);
    const read = [...list.entries()].map(({ serialNumber, revocationDate, reason, invalidityDate }) => ({
      serialNumber,
      revokedAt: revocationDate.getTime(),
      reason,
      invalidityDate: invalidityDate?.getTime() ?? null,
    }));
    assert.deepEqual(read, entries);
  });
});

describe('CRLs in a stream: what they cost others', () => {
  it('lets other work go on between two pages', async () => {
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await writeTbsCertList(join(directory.path, 'yields'), crlFacts(authority), Array(50).fill(makeEntries(1)));
    isOver = true;
    assert.ok(turns >= 50, `${turns} turns`);
  });

  it('makes a million entries in bounded memory', async () => {
    const program = join(import.meta.dirname, 'make-large-crl.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [program, directory.path, '1000000'], {
      timeout: 60_000,
    });
    const octets = statSync(join(directory.path, 'crl')).size;
    assert.ok(octets > 50e6, `${octets} octets`);
    assert.ok(Number(stdout) < octets, `the process grew by ${stdout} octets for a CRL of ${octets}`);
  });

  it('leaves nothing behind but the file', async () => {
    const own = createDirectory();
    try {
      await writeTbsCertList(join(own.path, 'tbs'), crlFacts(authority), [makeEntries(3)]);
      assert.deepEqual(readdirSync(own.path), ['tbs']);
    } finally {
      own.remove();
    }
  });

  it('leaves nothing at all when a page fails or an entry is wrong', async () => {
    const own = createDirectory();
    try {
      const file = join(own.path, 'tbs');
      writeFileSync(file, 'an older one');
      function* failing(): Generator<readonly CrlEntry[]> {
        yield makeEntries(3);
        throw new Error('the database is away');
      }
      await assert.rejects(writeTbsCertList(file, crlFacts(authority), failing()), /database is away/);
      assert.deepEqual(readdirSync(own.path), []);
      const [entry] = makeEntries(1);
      assert.ok(entry);
      const wrong = [[{ ...entry, reason: 7 }]];
      await assert.rejects(writeTbsCertList(file, crlFacts(authority), wrong), RangeError);
      assert.deepEqual(readdirSync(own.path), []);
    } finally {
      own.remove();
    }
  });
});

describe('RFC 5280 §5.2: what is never written', () => {
  const refuses = async (facts: Partial<CrlFactsToWrite>, entries: readonly CrlEntry[], message: RegExp) => {
    const file = join(directory.path, 'refused');
    await assert.rejects(writeTbsCertList(file, crlFacts(authority, facts), [entries]), message);
    assert.equal(existsSync(file), false);
  };
  const [entry = { serialNumber: '01', revokedAt: 0, reason: 0, invalidityDate: null }] = makeEntries(1);

  it('§5.1.2.5: a CRL that ends before it begins', async () => {
    const at = new Date('2026-01-01T00:00:00Z');
    await refuses({ thisUpdate: at, nextUpdate: at }, [], /nextUpdate/);
  });
  it('§5.2.3: a negative number', () => refuses({ crlNumber: -1 }, [], /not a CRL number/));
  it('§5.2.4: a delta that is older than its base', () => refuses({ baseCrlNumber: 8 }, [], /base/));
  it('§5.2.6: a delta of a delta', () => refuses({ baseCrlNumber: 6, freshestCrl: [deltaUrl] }, [], /delta/));
  it('§5.3.1: removeFromCRL in a complete CRL', () => refuses({}, [{ ...entry, reason: 8 }], /removeFromCRL/));
});
