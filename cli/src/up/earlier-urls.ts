/**
 * Base URLs that the ACME gate of a directory had at earlier starts. Accounts keep the URL that they were made with
 * (RFC 8555 §7.3), so the core has to go on accepting what their holders sign after the gate got another port.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { z } from 'zod';
import type { DataDirectory } from '../data-directory.ts';

/** As many as the core takes. */
const most = 32;

const urlsSchema = z.array(z.url({ protocol: /^https$/ })).max(most);

/** `urls` first, then those of earlier starts; none stands there twice. */
export function withEarlierUrls(data: DataDirectory, urls: readonly string[]): readonly string[] {
  return [...new Set([...urls, ...readEarlier(fileOf(data))])].slice(0, most);
}

/** Keeps them for the next start. */
export function rememberUrls(data: DataDirectory, urls: readonly string[]): void {
  const file = fileOf(data);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileAtomic(file, `${JSON.stringify(urls)}\n`);
  } catch {
    // A directory that cannot be written is told by the core, which writes there too.
  }
}

function fileOf(data: DataDirectory): string {
  return join(data.path, 'run/acme-urls.json');
}

/** What cannot be read was not written here, and names nothing. */
function readEarlier(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  try {
    return urlsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}
