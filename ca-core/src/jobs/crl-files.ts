/**
 * Where CRLs lie in the data directory. A file gets its name by a rename after it was recorded, so what has the name is
 * whole; whether it is also the one that was recorded last is told by its SHA-256.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredCrl } from '../store/crls.ts';
import { readChunks } from '../x509/octet-file.ts';

/** Files of one CRL while it is made, and after. */
export type CrlFiles = { readonly tbs: string; readonly signed: string; readonly published: string };

/** Name of a CRL: `issuing-3`, `issuing-3-delta`. */
export function crlName(scope: string, isDelta: boolean): string {
  return isDelta ? `${scope}-delta` : scope;
}

/** Folder of the CRLs of a data directory; made if it is missing, and rid of what a crash has left. */
export function openCrlFolder(directory: string): string {
  const folder = join(directory, 'crl');
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.startsWith('.')) rmSync(join(folder, file), { force: true });
  return folder;
}

/** Where the files of a CRL are. The number keeps two that are made at once apart. */
export function crlFiles(folder: string, scope: string, isDelta: boolean, number: number): CrlFiles {
  const name = crlName(scope, isDelta);
  return {
    tbs: join(folder, `.${name}.${number}.tbs`),
    signed: join(folder, `.${name}.${number}.signed`),
    published: publishedCrlFile(folder, scope, isDelta),
  };
}

/** Where the CRL that is served lies. */
export function publishedCrlFile(folder: string, scope: string, isDelta: boolean): string {
  return join(folder, `${crlName(scope, isDelta)}.crl`);
}

/** Whether a file is the CRL that was recorded. */
export async function isCrlFileIntact(file: string, crl: Pick<StoredCrl, 'size' | 'sha256'>): Promise<boolean> {
  try {
    if (statSync(file).size !== crl.size) return false;
    const hash = createHash('sha256');
    for await (const chunk of readChunks(file)) hash.update(chunk);
    return hash.digest().equals(crl.sha256);
  } catch {
    return false;
  }
}
