// The request in the path of an OCSP GET: base64 of DER, then percent-encoded, RFC 6960 appendix A.1. It is read the way
// clients and proxies really send it: nothing escaped, everything escaped, '+' turned into a space, without padding, in
// lines. What comes out is judged as DER, so that leniency here cannot make two requests of one.

/** Longest text that is decoded: 2048 octets of DER in base64, every character of it escaped. */
const longestText = 8192;

const base64Form = /^[A-Za-z0-9+/]+={0,2}$/;

/** DER of the request, or undefined when the text is not base64. */
export function decodeOcspPath(text: string): Buffer | undefined {
  if (text.length > longestText) return undefined;
  const base64 = text.includes('%') ? unescapeText(text) : text;
  if (base64 === undefined || !base64Form.test(base64)) return undefined;
  return Buffer.from(base64, 'base64');
}

function unescapeText(text: string): string | undefined {
  let unescaped: string;
  try {
    unescaped = decodeURIComponent(text);
  } catch {
    // A percent sign without two digits, or octets that are no text.
    return undefined;
  }
  // A '+' that was taken for the space of a form, and escaped as one.
  return unescaped.replaceAll(/[\r\n]/g, '').replaceAll(' ', '+');
}
