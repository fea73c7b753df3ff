// The file of seals, line by line. It is only ever appended to; what a crash left of a last line was never a seal.
// It is read as a stream and never held as a whole: it grows by a line a second while the CA works.

import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** A line longer than this is none of ours. */
const maximumLine = 1024 * 1024;

/**
 * The complete lines of the file, without their ends, up to `length` octets. A missing file has none.
 *
 * @throws {Error} of node:fs, or a RangeError for a line that is too long
 */
export async function* readSealLines(file: string, length: number): AsyncGenerator<string, void, void> {
  if (length === 0) return;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { end: length - 1 })) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a, start)) {
      yield rest.toString('utf8', start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > maximumLine) throw new RangeError('a line of the seals is too long');
  }
}

/** Length of the file in octets; 0 when it is missing. */
export async function sealFileLength(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/** The end of the file: its last complete line and where that ends. */
export async function readSealFileEnd(
  handle: FileHandle,
): Promise<{ readonly line: string | undefined; readonly end: number }> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - 2 * maximumLine);
  const buffer = Buffer.alloc(size - start);
  await handle.read(buffer, 0, buffer.length, start);
  const lastEnd = buffer.lastIndexOf(0x0a);
  if (lastEnd === -1) return { line: undefined, end: start };
  const previousEnd = lastEnd === 0 ? -1 : buffer.lastIndexOf(0x0a, lastEnd - 1);
  return { line: buffer.toString('utf8', previousEnd + 1, lastEnd), end: start + lastEnd + 1 };
}

/** Opens the file for appending, with mode 0600, creating it in an existing directory. */
export async function openSealFile(file: string): Promise<FileHandle> {
  return await open(file, 'a+', 0o600);
}
