// Base64 (RFC 4648 §4) read strictly but for white space. Buffer's own decoder skips what it does not know and accepts
// the URL alphabet and cut-off input; two different bodies must never decode to the same DER by such leniency.

// Value of each character of the alphabet; 64 for white space that may stand anywhere, 65 for '=', 255 for all others.
const values = new Uint8Array(256).fill(255);
for (let i = 0; i < 64; i++) {
  values['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i;
}
for (const space of ' \t\r\n\v\f') values[space.charCodeAt(0)] = 64;
values[0x3d] = 65;

/**
 * Octets of base64 text given as ASCII bytes, with white space anywhere and padding at the end; undefined when it is
 * empty, has any other character, is cut off, or has bits set that its padding throws away.
 */
export function decodeBase64(text: Uint8Array): Uint8Array | undefined {
  const octets = Buffer.allocUnsafe(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let group = 0;
  let count = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const value = values[text[i] ?? 0] ?? 255;
    if (value === 64) continue;
    if (value === 65) {
      if (++padding > 2) return undefined;
      continue;
    }
    if (value === 255 || padding > 0) return undefined;
    group = (group << 6) | value;
    if (++count < 4) continue;
    octets[length++] = group >> 16;
    octets[length++] = group >> 8;
    octets[length++] = group;
    group = 0;
    count = 0;
  }
  // RFC 4648 §3.2 and §3.5: padding is there, fills the last group, and covers no bits that are set.
  if ((count + padding) % 4 !== 0 || (count === 0 && padding > 0) || count === 1) return undefined;
  if (count === 2) {
    if ((group & 0x0f) !== 0) return undefined;
    octets[length++] = group >> 4;
  } else if (count === 3) {
    if ((group & 0x03) !== 0) return undefined;
    octets[length++] = group >> 10;
    octets[length++] = group >> 2;
  }
  return length === 0 ? undefined : octets.subarray(0, length);
}
