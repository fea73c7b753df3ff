// How lints show foreign text in a finding: quoted, ASCII only, of bounded length.

const longest = 80;

/** `text` in quotes, fit for one line of a log or an answer. */
export function quote(text: string): string {
  const shown = text.length > longest ? `${text.slice(0, longest)}...` : text;
  // What a terminal or a log may take for something else is shown by its code unit.
  const showUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(shown).replace(/[^ -~]/g, showUnit);
}

/** Octets of a string type that is ASCII by definition, as text; other octets are shown as Latin-1. */
export function latin1(contents: Uint8Array): string {
  return Buffer.from(contents.buffer, contents.byteOffset, contents.length).toString('latin1');
}
