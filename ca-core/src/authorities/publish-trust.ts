// What relying parties get of the hierarchy: the root alone, and the issuing CAs (ARCHITECTURE §5). Only certificates of
// the issuing hierarchy are published; the service CA is nobody's business but the bridge's.
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { certificateFile, trustAnchorFile, trustChainFile } from './files.ts';

/**
 * Writes trust/root.pem and trust/chain.pem from the certificates in a hierarchy's folder; files that are right already
 * are left alone.
 *
 * @throws {FatalError} when they cannot be written
 */
export function publishTrust(directory: string, folder: string): void {
  mkdirSync(dirname(trustAnchorFile(directory)), { recursive: true });
  publish(certificateFile(folder, 'root'), trustAnchorFile(directory));
  publish(certificateFile(folder, 'issuing'), trustChainFile(directory));
}

function publish(from: string, to: string): void {
  const contents = readFileSync(from, 'latin1');
  if (readExisting(to) !== contents) writeFileAtomic(to, contents, 0o644);
}

function readExisting(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Missing or unreadable: it is written anew, and what cannot be written says why.
    return undefined;
  }
}
