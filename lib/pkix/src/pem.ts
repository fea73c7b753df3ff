// Textual encodings (RFC 7468): armour around base64 of DER. Labels are the caller's list; a block with another label is
// an error and never skipped, so that a key in the wrong file is noticed.
import { decodeBase64 } from './base64.ts';
import { PkixError } from './errors.ts';

/** Text that is no PEM, or PEM with an unexpected label. */
export class PemError extends PkixError {
  readonly code = 'malformed';
}

/** Most text that is read, in characters. */
export const maximumPemCharacters = 4 * 1024 * 1024;

/** Armours DER with 64 characters a line (RFC 7468 §2) and a line feed at the end. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** One armoured block. */
export type PemBlock = { readonly label: string; readonly der: Uint8Array };

const begin = '-----BEGIN ';
const end = '-----END ';
const dashes = '-----';

/**
 * Reads all blocks of a text in order. Explanatory text before, between and after them is passed over (RFC 7468 §5.2).
 *
 * @param labels the labels that may occur
 * @throws PemError when there is no block, a label is not in the list, or a block is cut off or not base64
 */
export function decodePem(text: string, labels: readonly string[]): PemBlock[] {
  if (text.length > maximumPemCharacters) throw new PemError(`PEM: more than ${maximumPemCharacters} characters`);
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const labelEnd = text.indexOf(dashes, at + begin.length);
    const label = labelEnd < 0 ? '' : text.slice(at + begin.length, labelEnd);
    // RFC 7468 §3: a label has no hyphens at its ends and no line breaks.
    if (!/^[A-Z0-9 ]{1,64}$/.test(label)) throw new PemError('PEM: a label is cut off');
    if (!labels.includes(label))
      throw new PemError(`PEM: label '${label}' where '${labels.join("' or '")}' must stand`);
    const bodyStart = labelEnd + dashes.length;
    const trailer = `${end}${label}${dashes}`;
    const bodyEnd = text.indexOf(trailer, bodyStart);
    if (bodyEnd < 0) throw new PemError(`PEM: '${trailer}' is missing`);
    const der = decodeBase64(Buffer.from(text.slice(bodyStart, bodyEnd), 'latin1'));
    if (der === undefined) throw new PemError(`PEM: the ${label} is not base64`);
    blocks.push({ label, der });
    at = bodyEnd + trailer.length;
  }
  if (blocks.length === 0) throw new PemError(`PEM: no '${begin}${labels[0] ?? ''}${dashes}'`);
  return blocks;
}
