// Makes a CRL of so many entries from pages of a thousand, signs it, and tells by how many octets the process grew at its
// largest. A process of its own, started by tbs-cert-list.test.ts, so that nothing else is counted.
import type { CrlEntry } from '../../src/x509/crl-entry.ts';
import { createTestAuthority } from './builders.ts';
import { crlFacts, makeCrlFile } from './crl-support.ts';

const [directory = '', count = ''] = process.argv.slice(2);
const authority = createTestAuthority('ecdsa-p256');

function* pages(): Generator<readonly CrlEntry[]> {
  for (let first = 0; first < Number(count); first += 1000) {
    yield Array.from({ length: 1000 }, (_, i) => ({
      serialNumber: `2a01${(first + i + 1).toString(16).padStart(32, '0')}`,
      revokedAt: Date.UTC(2026, 0, 1) + first + i,
      reason: 1,
      invalidityDate: null,
    }));
  }
}

// Kilobytes, as the system counts them.
const largest = () => process.resourceUsage().maxRSS * 1024;
await makeCrlFile(directory, authority, crlFacts(authority), [[]]);
const before = largest();
await makeCrlFile(directory, authority, crlFacts(authority), pages());
process.stdout.write(String(largest() - before));
