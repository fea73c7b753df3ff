// Names as they travel in DNS messages (RFC 1035 §3.1, §4.1.4), read from foreign bytes: bounded in length, pointers
// only backwards, so that no message can make the reader run in circles. A label may hold any octet; a dot inside of one
// is escaped, or two different names would read alike.

/** Octets of the longest name, RFC 1035 §2.3.4. */
const maximumNameOctets = 255;

/** A name in presentation form, lower case, without the last dot (the root is `.`), and where the octets after it begin. */
export type ReadName = { readonly name: string; readonly end: number };

/** Reads the name at `start`; undefined when there is none that is well-formed. */
export function readDomainName(message: Uint8Array, start: number): ReadName | undefined {
  const labels: string[] = [];
  let octets = 1;
  let at = start;
  let lowest = start;
  let end: number | undefined;
  for (;;) {
    const length = message[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.length === 0 ? '.' : labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) return undefined;
      const target = ((length & 0x3f) << 8) | low;
      // RFC 1035 §4.1.4: a pointer is to a prior occurrence; each one goes further back, so they come to an end.
      if (target >= lowest) return undefined;
      end ??= at + 2;
      lowest = target;
      at = target;
      continue;
    }
    octets += length + 1;
    if (length > 63 || octets > maximumNameOctets || at + 1 + length > message.length) return undefined;
    labels.push(presentLabel(message.subarray(at + 1, at + 1 + length)));
    at += length + 1;
  }
}

// RFC 1035 §5.1, RFC 4343 §2.1.
function presentLabel(label: Uint8Array): string {
  let text = '';
  for (const octet of label) {
    if (octet >= 0x41 && octet <= 0x5a) text += String.fromCharCode(octet + 0x20);
    else if (octet === 0x2e || octet === 0x5c) text += `\\${String.fromCharCode(octet)}`;
    else if (octet > 0x20 && octet < 0x7f) text += String.fromCharCode(octet);
    else text += `\\${String(octet).padStart(3, '0')}`;
  }
  return text;
}

/** Whether a query can be made for this text: labels of 1 to 63 printable octets without escapes, 253 characters in all. */
export function isQueryName(name: string): boolean {
  return name.length <= 253 && /^[!-[\]-~]+$/.test(name) && name.split('.').every((label) => /^.{1,63}$/.test(label));
}
