// Writes a TBSCertList (RFC 5280 §5.1.2) into a file, in bounded memory and without holding up its thread: the entries are
// encoded page by page into a file beside it, and when their length is known the head goes in front of them. It writes
// what it is told; which certificates stand in a CRL is decided elsewhere.
import { type FileHandle, open, rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import {
  crlNumber,
  crlReasons,
  deltaCrlIndicator,
  freshestCrl,
  type IssuingDistributionPoint,
  issuingDistributionPoint,
} from '@gatehouse/pkix/crl/extensions';
import { concat, explicit, integer, time, writeHead } from '@gatehouse/pkix/der/writer';
import { authorityKeyIdentifier, type Extension, writeExtensions } from '@gatehouse/pkix/extensions';
import { type CrlEntry, maximumCrlEntryOctets, writeCrlEntry } from './crl-entry.ts';
import { keyIdentifierOf, type TemplateIssuer } from './key-identifier.ts';
import { chunkOctets, readChunks, writeAll } from './octet-file.ts';

/** All of a CRL but its entries and its signature. */
export type CrlFactsToWrite = {
  readonly issuer: TemplateIssuer;
  /** AlgorithmIdentifier of the issuer's signer, DER. */
  readonly signatureAlgorithm: Uint8Array;
  /** Fractions of a second are cut from both. */
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly crlNumber: number;
  /** Makes it a delta CRL (RFC 5280 §5.2.4) of the complete CRL with this number. */
  readonly baseCrlNumber?: number | undefined;
  readonly issuingDistributionPoint?: IssuingDistributionPoint | undefined;
  /** URIs of its delta CRLs; not for a delta CRL. */
  readonly freshestCrl?: readonly string[] | undefined;
};

/** What was written: how many entries, and how many octets the TBSCertList has. */
export type WrittenTbsCertList = { readonly entries: number; readonly size: number };

/** INTEGER 1: version 2, RFC 5280 §5.1.2.1. */
const version2 = integer(1);

/**
 * Writes the TBSCertList into `file`, replacing what is there; between two pages it lets other work of the thread go on.
 * What the pages bring is used up at once. On failure neither `file` nor anything beside it is left.
 *
 * @param pages entries in the order in which they are to stand; an empty page is allowed
 * @returns its size; the file is not synced, as it is only on its way to a signature
 * @throws {RangeError} when an entry or the times and numbers contradict RFC 5280; {DerError} when an extension does
 */
export async function writeTbsCertList(
  file: string,
  facts: CrlFactsToWrite,
  pages: AsyncIterable<readonly CrlEntry[]> | Iterable<readonly CrlEntry[]>,
): Promise<WrittenTbsCertList> {
  const { fields, extensions } = encodeFacts(facts);
  const spool = `${file}.entries`;
  try {
    const { entries, size: entriesSize } = await spoolEntries(spool, pages, facts.baseCrlNumber !== undefined);
    // RFC 5280 §5.1.2.6: absent when there are no revoked certificates.
    const entriesHead = entries === 0 ? new Uint8Array(0) : writeHead(0x30, entriesSize);
    const length = fields.length + entriesHead.length + entriesSize + extensions.length;
    const head = concat(writeHead(0x30, length), fields, entriesHead);
    await joinParts(file, head, spool, extensions);
    return { entries, size: head.length + entriesSize + extensions.length };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await rm(spool, { force: true });
  }
}

/** The fields before and after revokedCertificates. */
function encodeFacts(facts: CrlFactsToWrite): { readonly fields: Uint8Array; readonly extensions: Uint8Array } {
  const { issuer, signatureAlgorithm, thisUpdate, nextUpdate, baseCrlNumber } = facts;
  if (!(thisUpdate.getTime() < nextUpdate.getTime())) throw new RangeError('nextUpdate comes after thisUpdate');
  // RFC 5280 §5.2.3 and §5.2.4: numbers rise, and a delta is numbered as a complete CRL of its time would be.
  if (baseCrlNumber !== undefined && baseCrlNumber > facts.crlNumber) {
    throw new RangeError('the base of a delta CRL is not newer than it');
  }
  const extensions: Extension[] = [authorityKeyIdentifier(keyIdentifierOf(issuer)), crlNumber(facts.crlNumber)];
  if (baseCrlNumber !== undefined) extensions.push(deltaCrlIndicator(baseCrlNumber));
  const { issuingDistributionPoint: point, freshestCrl: deltas = [] } = facts;
  if (point !== undefined) extensions.push(issuingDistributionPoint(point));
  if (deltas.length > 0) {
    // RFC 5280 §5.2.6: must not appear in delta CRLs.
    if (baseCrlNumber !== undefined) throw new RangeError('a delta CRL has no delta CRL of its own');
    extensions.push(freshestCrl(deltas));
  }
  const fields = concat(version2, signatureAlgorithm, issuer.subjectDer, time(thisUpdate), time(nextUpdate));
  return { fields, extensions: explicit(0, writeExtensions(extensions)) };
}

async function spoolEntries(
  spool: string,
  pages: AsyncIterable<readonly CrlEntry[]> | Iterable<readonly CrlEntry[]>,
  isDelta: boolean,
): Promise<WrittenTbsCertList> {
  const file = await open(spool, 'w');
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkOctets);
    let [entries, size, at] = [0, 0, 0];
    for await (const page of pages) {
      for (const entry of page) {
        // RFC 5280 §5.3.1: removeFromCRL may only appear in delta CRLs.
        if (!isDelta && entry.reason === crlReasons.removeFromCRL) {
          throw new RangeError('removeFromCRL stands in a complete CRL');
        }
        if (at + maximumCrlEntryOctets > buffer.length) {
          size += await flush(file, buffer.subarray(0, at));
          at = 0;
        }
        at = writeCrlEntry(buffer, at, entry);
      }
      entries += page.length;
      await setImmediate();
    }
    size += await flush(file, buffer.subarray(0, at));
    return { entries, size };
  } finally {
    await file.close();
  }
}

async function flush(file: FileHandle, octets: Uint8Array): Promise<number> {
  await writeAll(file, octets);
  return octets.length;
}

async function joinParts(target: string, head: Uint8Array, spool: string, tail: Uint8Array): Promise<void> {
  const file = await open(target, 'w');
  try {
    await writeAll(file, head);
    for await (const chunk of readChunks(spool)) await writeAll(file, chunk);
    await writeAll(file, tail);
  } finally {
    await file.close();
  }
}
