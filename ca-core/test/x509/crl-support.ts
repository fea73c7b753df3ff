// Makes CRLs for tests, in a directory of the test's own, and asks openssl about them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePem } from '@gatehouse/pkix/pem';
import type { CrlEntry } from '../../src/x509/crl-entry.ts';
import { assembleCrlFile } from '../../src/x509/crl-file.ts';
import { readChunks } from '../../src/x509/octet-file.ts';
import { type CrlFactsToWrite, writeTbsCertList } from '../../src/x509/tbs-cert-list.ts';
import type { TestAuthority } from './builders.ts';

/** A directory and what to call when the tests are over. */
export function createDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'gatehouse-crl-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Facts of a CRL that is current, number 7, with the fields that a test wants otherwise. */
export function crlFacts(authority: TestAuthority, changes: Partial<CrlFactsToWrite> = {}): CrlFactsToWrite {
  const thisUpdate = new Date(Date.now() - 60_000);
  return {
    issuer: authority.certificate,
    signatureAlgorithm: authority.signer.signatureAlgorithm,
    thisUpdate,
    nextUpdate: new Date(thisUpdate.getTime() + 24 * 60 * 60 * 1000),
    crlNumber: 7,
    ...changes,
  };
}

/** Entries with serial numbers 2a0100000001 and on, revoked a minute after each other. */
export function makeEntries(count: number): CrlEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    serialNumber: `2a01${(i + 1).toString(16).padStart(8, '0')}`,
    revokedAt: Date.UTC(2026, 0, 1, 0, i),
    reason: 4,
    invalidityDate: null,
  }));
}

/** The whole way of a CRL: TBSCertList to a file, signature over the file, both put together. Gives the path of the CRL. */
export async function makeCrlFile(
  directory: string,
  authority: TestAuthority,
  facts: CrlFactsToWrite,
  pages: Iterable<readonly CrlEntry[]>,
): Promise<string> {
  const tbsFile = join(directory, 'tbs');
  const file = join(directory, 'crl');
  await writeTbsCertList(tbsFile, facts, pages);
  const signature = authority.signer.openSignature();
  for await (const chunk of readChunks(tbsFile)) signature.update(chunk);
  const { signatureAlgorithm } = authority.signer;
  await assembleCrlFile({ tbsFile, signatureAlgorithm, signature: signature.finish(), file });
  return file;
}

/** {@link makeCrlFile} and what is in it. */
export async function makeCrl(...parameters: Parameters<typeof makeCrlFile>): Promise<Buffer> {
  return readFileSync(await makeCrlFile(...parameters));
}

/** What `openssl crl -text` says of a CRL, and whether its signature verifies; it fails when it is no CRL. */
export function opensslCrl(directory: string, authority: TestAuthority, crl: Uint8Array): string {
  const [crlFile, anchor] = [join(directory, 'asked.crl'), join(directory, 'anchor.pem')];
  writeFileSync(crlFile, crl);
  writeFileSync(anchor, encodePem('CERTIFICATE', authority.certificate.der));
  const parameters = ['crl', '-inform', 'DER', '-in', crlFile, '-CAfile', anchor, '-noout', '-text'];
  return execFileSync('/bin/sh', ['-c', 'exec openssl "$@" 2>&1', 'openssl', ...parameters], {
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
}
