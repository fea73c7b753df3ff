// Content-Type as clients send it, RFC 9110 §8.3.1, read for its type alone. Parameters are never a reason to refuse:
// `application/pkcs10; charset=utf-8` is what some HTTP libraries make of the right type.

/** Longest field value that is looked at. */
const maximumLength = 256;

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const form = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*(?:;.*)?$`);

/**
 * Type and subtype in lower case.
 *
 * @returns undefined for a value that is no media type
 */
export function readMediaType(value: string): string | undefined {
  if (value.length > maximumLength) return undefined;
  return form.exec(value)?.[1]?.toLowerCase();
}
