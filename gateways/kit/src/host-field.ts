// Whether a request says once for which host it is, RFC 9112 §3.2.

import type { IncomingMessage } from 'node:http';

/**
 * Whether there is one Host and no more; before HTTP/1.1 there was none. Of two, node would take the first, and a proxy in
 * front of it perhaps the other.
 */
export function namesHost({ httpVersion, rawHeaders }: Pick<IncomingMessage, 'httpVersion' | 'rawHeaders'>): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}
