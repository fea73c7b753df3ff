// The text of a statement as PostgreSQL wants it, and the name under which each connection keeps it prepared: made once
// for each text, never for each call.

/** A statement as `pg` takes it. */
export type PostgresText = { readonly name: string; readonly text: string };

const texts = new Map<string, PostgresText>();

/** `?` becomes `$1`, `$2`, …, but not inside quotes. The texts are those of compiled queries, so their number is bounded. */
export function toPostgresText(sql: string): PostgresText {
  let known = texts.get(sql);
  if (known === undefined) {
    known = { name: `gatehouse-${texts.size + 1}`, text: numberParameters(sql) };
    texts.set(sql, known);
  }
  return known;
}

/** Strings ('' stands for a quote inside one), identifiers ("" likewise), and parameters. */
const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g;

function numberParameters(sql: string): string {
  let count = 0;
  return sql.replace(tokens, (token) => {
    if (token !== '?') return token;
    count += 1;
    return `$${count}`;
  });
}
