// Files that are too large to hold, written and read piece by piece through one buffer. Nothing here knows what the octets
// mean.
import { type FileHandle, open } from 'node:fs/promises';

/** Size of the buffer between a file and its reader or writer. */
export const chunkOctets = 256 * 1024;

/** Writes all octets at the end of what was written before. */
export async function writeAll(file: FileHandle, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length; ) {
    const { bytesWritten } = await file.write(octets, at, octets.length - at);
    at += bytesWritten;
  }
}

/** The octets of a file in pieces; a piece is overwritten by the next one. */
export async function* readChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkOctets);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
