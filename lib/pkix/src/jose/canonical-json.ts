// One text for one JSON value (RFC 8785): what is hashed, signed or compared is written this way.

import type { JsonObject, JsonValue } from './json.ts';

/**
 * JSON with sorted keys and no white space. Half of a character, which RFC 8785 does not allow, is written as an escape.
 *
 * @throws {RangeError} for a number that JSON cannot hold
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`JSON cannot hold ${value}`);
  // RFC 8785 §3.2.2: numbers and strings as ECMAScript writes them.
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return canonicalObject(value);
}

function canonicalObject(value: JsonObject): string {
  const members: string[] = [];
  // RFC 8785 §3.2.3: by UTF-16 code units, as sort() does.
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

// Array.isArray alone does not narrow a readonly array out of the union.
function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value);
}
