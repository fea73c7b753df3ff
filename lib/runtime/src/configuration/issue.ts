// Zod's issues in a person's words: 'must be a whole number, not a text' instead of the schema's own terms.
// A message names types, limits and allowed values; it must never repeat the value itself, which may be a secret.

import type { z } from 'zod';
import { nearest } from './nearest.ts';

/**
 * What is wrong, as the end of a sentence that begins with the key. `value` is what stands there, undefined if nothing
 * does.
 */
export function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is required' : `must be ${typeName(issue.expected)}, not ${describeValue(value)}`;
    case 'invalid_value':
      return choice(issue.values.map(String), value);
    case 'invalid_union':
      return choice('options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [], value);
    case 'too_small':
      return limit(issue.inclusive === false ? 'more than' : 'at least', issue.minimum, issue.origin, issue.exact);
    case 'too_big':
      return limit(issue.inclusive === false ? 'less than' : 'at most', issue.maximum, issue.origin, issue.exact);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return `is not an allowed name: ${issue.issues.map((inner) => inner.message).join('; ')}`;
    case 'invalid_format':
      return issue.message.replace(/^Invalid (?=[A-Z])/, 'must be a valid ').replace(/^Invalid string: /, '');
    default:
      return issue.message;
  }
}

function choice(values: readonly string[], value: unknown): string {
  if (values.length === 0) return value === undefined ? 'is required' : 'has an unknown form';
  const list = values.length === 1 ? (values[0] ?? '') : `one of: ${values.join(', ')}`;
  if (value === undefined) return `is required: ${list}`;
  const match = typeof value === 'string' ? nearest(value, values) : undefined;
  return `must be ${list}${match === undefined ? '' : `; did you mean '${match}'?`}`;
}

function limit(comparison: string, bound: number | bigint, origin: string, isExact: boolean | undefined): string {
  const amount = isExact === true ? `exactly ${bound}` : `${comparison} ${bound}`;
  switch (origin) {
    case 'string':
      return `must have ${amount} ${bound === 1 ? 'character' : 'characters'}`;
    case 'array':
    case 'set':
    case 'map':
    case 'object':
      return `must have ${amount} ${bound === 1 ? 'entry' : 'entries'}`;
    default:
      return `must be ${amount}`;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};

function typeName(type: string): string {
  return typeNames[type] ?? type;
}

function describeValue(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a fraction';
  return typeName(typeof value);
}
