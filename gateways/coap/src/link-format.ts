// CoRE Link Format, RFC 6690: writing links, and picking those that a query asks for. Only what a server needs: nobody's links
// are read here.

/** The value of an attribute. A list is written with spaces, RFC 6690 §2 (relation-types). */
export type AttributeValue = string | number | readonly (string | number)[];

/** A link: where it points to and its attributes. */
export type Link = {
  /** Target, an absolute path that is percent-encoded already: '/est/crts'. */
  readonly href: string;
  /** Texts without quotation mark, backslash or control characters. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** Writes links, RFC 6690 §2: a single number is a cardinal, everything else stands in quotation marks. */
export function writeLinks(links: readonly Link[]): string {
  return links
    .map(({ href, attributes }) => {
      const written = Object.entries(attributes).map(([name, value]) => `;${name}=${writeValue(value)}`);
      return `<${href}>${written.join('')}`;
    })
    .join(',');
}

function writeValue(value: AttributeValue): string {
  const values = [value].flat();
  return values.length === 1 && typeof values[0] === 'number' ? String(values[0]) : `"${values.join(' ')}"`;
}

/**
 * Picks the links that a query asks for, RFC 6690 §4.1: `<name>=<value>`, where a `*` at the end of the value stands for
 * anything. `href` is compared with the target, other names with the attribute; of a list one value has to match. Arguments
 * without `=` ask for nothing. Several arguments all have to match.
 *
 * @param query Uri-Query, decoded, one element an argument
 */
export function filterLinks(links: readonly Link[], query: readonly string[]): readonly Link[] {
  const conditions = query.flatMap((argument) => {
    const separator = argument.indexOf('=');
    return separator < 1 ? [] : [{ name: argument.slice(0, separator), pattern: argument.slice(separator + 1) }];
  });
  return links.filter((link) => conditions.every(({ name, pattern }) => isMatch(valuesOf(link, name), pattern)));
}

function valuesOf({ href, attributes }: Link, name: string): readonly string[] {
  if (name === 'href') return [href];
  // The name is the client's: only what the link has of its own counts.
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  return value === undefined ? [] : [value].flat().map(String);
}

function isMatch(values: readonly string[], pattern: string): boolean {
  if (!pattern.endsWith('*')) return values.includes(pattern);
  const prefix = pattern.slice(0, -1);
  return values.some((value) => value.startsWith(prefix));
}
