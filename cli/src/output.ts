/**
 * What a command prints on standard output: a table for people, or JSON for programs. Progress, hints and warnings go to
 * standard error, so that what a program reads is nothing but the answer.
 */

/** What {@link printTable} prints of each row: the heading and the text. */
export type Column<Row> = readonly [heading: string, text: (row: Row) => string];

/** The answer, as the person or the program that asks can read it. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Something about the answer that is not part of it. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** One value as JSON with two blanks of indentation. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Rows under headings; `none` is said instead when there are no rows. */
export function printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): void {
  if (rows.length === 0) {
    note(none);
    return;
  }
  print(formatTable(rows, columns));
}

/** The lines of a table, columns as wide as their widest text. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(([heading]) => heading.toUpperCase()),
    ...rows.map((row) => columns.map(([, text]) => printable(text(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values below each other; what has no value is left out. */
export function formatFields(fields: readonly (readonly [name: string, value: string | undefined])[]): string {
  const given = fields.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${`${name}:`.padEnd(width + 2)}${printable(value ?? '')}`).join('\n');
}

/**
 * A text that cannot move the cursor or colour the terminal: names in certificates come from strangers.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** A text for a table that has other columns too; `show` and `--json` have all of it. */
export function shorten(text: string, length = 60): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** A time as people compare it: UTC, to the second. */
export function formatTime(time: Date | undefined): string {
  return time === undefined ? '-' : `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** Where a value ends, so that it can be pasted into a shell. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
