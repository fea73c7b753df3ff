// What an operation works with: the stack, a directory of its own, and a judge for certificates. Whatever a client was
// issued is shown to the judge, which has openssl verify it and remembers it, so that at the end it can be proved that
// the keep issued these certificates and no others.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import type { Stack } from './stack.ts';

/** What an operation works with. */
export type Session = {
  readonly stack: Stack;
  readonly certificates: Certificates;
  /** URL of a path of the EST gate: `/.well-known/est/cacerts`. */
  url(path: string): string;
  /** `127.0.0.1:7030`. */
  readonly authority: string;
  /** Absolute path of a file in the directory of this operation. */
  file(name: string): string;
  /** Writes such a file and gives its path. */
  write(name: string, contents: string | Uint8Array): string;
};

/** Makes the session of one operation, with a directory of its own below `directory`. */
export function openSession(stack: Stack, certificates: Certificates, directory: string): Session {
  const own = mkdtempSync(join(directory, 'operation-'));
  const file = (name: string) => join(own, name);
  return {
    stack,
    certificates,
    url: (path) => `${stack.endpoints.est.url}${path}`,
    authority: new URL(stack.endpoints.est.url).host,
    file,
    write: (name, contents) => {
      writeFileSync(file(name), contents, { mode: 0o600 });
      return file(name);
    },
  };
}
