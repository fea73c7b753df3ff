// Parts of a large CRL, RFC 9110 §14: one range of octets, so that a download that broke off can go on. Several ranges at
// once are not served, as §14.2 allows: they would let a small request ask for much work.

/** What a Range field asks for. Both ends are included. */
export type RangeRequest =
  /** No range, or one that is passed over: the whole is sent. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  /** 416: it begins behind the end. */
  | { readonly kind: 'unsatisfiable' };

const whole: RangeRequest = { kind: 'whole' };
const unsatisfiable: RangeRequest = { kind: 'unsatisfiable' };
const form = /^bytes=(\d{0,15})-(\d{0,15})$/i;

/** Reads a Range field. @param size octets of the whole */
export function readRange(field: string | undefined, size: number): RangeRequest {
  if (field === undefined) return whole;
  const match = form.exec(field.replaceAll(/[ \t]/g, ''));
  if (match === null) return whole;
  const [, start = '', end = ''] = match;
  if (start === '') return end === '' ? whole : readSuffix(Number(end), size);
  const first = Number(start);
  // §14.1.1: a range whose end is before its start is not valid, and is passed over.
  if (end !== '' && Number(end) < first) return whole;
  if (first >= size) return unsatisfiable;
  return { kind: 'part', first, last: end === '' ? size - 1 : Math.min(Number(end), size - 1) };
}

/** The last octets. */
function readSuffix(length: number, size: number): RangeRequest {
  if (length === 0 || size === 0) return unsatisfiable;
  return { kind: 'part', first: Math.max(0, size - length), last: size - 1 };
}
