// Base64url without padding (RFC 7515 §2) read strictly: one text for one sequence of octets, so that what is signed or
// compared as text cannot be written in another way.

/** The octets; undefined when the text has other characters, padding, a length that cannot be, or stray bits. */
export function decodeBase64url(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64url');
  // Node skips what it does not know; whatever it skipped or dropped is missing when the octets are written again.
  return octets.toString('base64url') === text ? octets : undefined;
}
