/**
 * The placeholders of a subject template: `{dns}` and its like stand for the first such name of the certificate,
 * `{CN}` and its like for an attribute of the requested subject. There are no expressions, and no nesting.
 */
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';

/** Kinds of name that a placeholder may stand for. */
const namePlaceholders = ['dns', 'ip', 'uri', 'email'] as const;
export type NamePlaceholder = (typeof namePlaceholders)[number];

/** The names between braces, or undefined when the braces do not pair up. */
export function placeholdersIn(template: string): readonly string[] | undefined {
  if (/[{}]/.test(template.replaceAll(/\{[^{}]*\}/g, ''))) return undefined;
  return Array.from(template.matchAll(/\{([^{}]*)\}/g), ([, name]) => name ?? '');
}

/** Whether a placeholder stands for something. */
export function isPlaceholder(name: string): boolean {
  return isNamePlaceholder(name) || Object.hasOwn(attributeTypes, name);
}

function isNamePlaceholder(name: string): name is NamePlaceholder {
  return (namePlaceholders as readonly string[]).includes(name);
}

/** Where the values of placeholders come from; undefined: the request has none. */
export type TemplateValues = {
  /** The first name of a kind, in text form. */
  firstName(kind: NamePlaceholder): string | undefined;
  /** The first value of a requested attribute, by its dotted type. */
  attribute(type: string): string | undefined;
};

/** The template with its placeholders filled, or the name of the first placeholder that the request leaves empty. */
export function fillTemplate(
  template: string,
  values: TemplateValues,
): { readonly ok: true; readonly value: string } | { readonly ok: false; readonly missing: string } {
  let missing: string | undefined;
  const value = template.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const filled = isNamePlaceholder(name)
      ? values.firstName(name)
      : values.attribute(attributeTypes[name as keyof typeof attributeTypes]);
    if (filled === undefined) missing ??= name;
    return filled ?? '';
  });
  return missing === undefined ? { ok: true, value } : { ok: false, missing };
}
