// The request in the path of an OCSP GET: base64 of DER, then percent-encoded, RFC 6960 appendix A.1. It is read the way
// clients and proxies really send it: nothing escaped, everything escaped, '+' turned into a space, without padding, in
// lines. What comes out is judged as DER, so that leniency here cannot make two requests of one.

/** Longest text that is decoded: 2048 octets of DER in base64, every character of it escaped. */
const longestText = 8192;

const padding = 64;
const passedOver = 65;
const notBase64 = 255;

/** Value of each character by its code. */
const values = new Uint8Array(128).fill(notBase64);
for (let i = 0; i < 64; i++) {
  values['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i;
}
values[0x3d] = padding;
values[0x0d] = passedOver;
values[0x0a] = passedOver;
// A '+' that was taken for the space of a form, and escaped as one.
values[0x20] = 62;

const digits = new Uint8Array(128).fill(notBase64);
for (let i = 0; i < 16; i++) {
  digits['0123456789abcdef'.charCodeAt(i)] = i;
  digits['0123456789ABCDEF'.charCodeAt(i)] = i;
}

/** DER of the request, or undefined when the text is not base64. */
export function decodeOcspPath(text: string): Buffer | undefined {
  const { length } = text;
  if (length > longestText) return undefined;
  const octets = Buffer.allocUnsafe(Math.ceil((length * 3) / 4));
  let written = 0;
  let bits = 0;
  let count = 0;
  let paddings = 0;
  for (let at = 0; at < length; at++) {
    let code = text.charCodeAt(at);
    if (code === 0x25) {
      // Percent sign and two digits; without them it is no character.
      code = ((digits[text.charCodeAt(at + 1)] ?? notBase64) << 4) | (digits[text.charCodeAt(at + 2)] ?? notBase64);
      at += 2;
    }
    const value = values[code] ?? notBase64;
    if (value < padding && paddings === 0) {
      bits = (bits << 6) | value;
      if (++count % 4 !== 0) continue;
      octets[written++] = bits >> 16;
      octets[written++] = bits >> 8;
      octets[written++] = bits;
      bits = 0;
    } else if (value === padding) paddings++;
    else if (value !== passedOver) return undefined;
  }
  // What is left of the last group: two characters are an octet, three are two, one is nothing.
  const rest = count % 4;
  if (rest === 1 || paddings > 2 || count === 0) return undefined;
  if (rest >= 2) octets[written++] = bits >> (rest === 2 ? 4 : 10);
  if (rest === 3) octets[written++] = bits >> 2;
  return octets.subarray(0, written);
}
