// Texts of strangers on their way into a statement: printable ASCII of a bounded length, so that neither a log, nor a
// terminal, nor the size of the statement can be played with.

/** At most `maximum` characters; what is not printable ASCII is a question mark, what was cut off three dots. */
export function printable(text: string, maximum: number): string {
  const clean = text.slice(0, maximum + 1).replace(/[^ -~]/g, '?');
  return clean.length <= maximum ? clean : `${clean.slice(0, maximum - 3)}...`;
}
