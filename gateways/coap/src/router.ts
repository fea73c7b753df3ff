// From the Uri-Path of a request to a label and a resource, RFC 9148 §4.1: `/.well-known/est[/<label>]/<resource>`, the same
// below the short root, and `/.well-known/core`. Segments are compared exactly, RFC 7252 §6.4; nothing is guessed.

import { type ResourceName, resourceNames } from './resources.ts';

/** What a path asks for. `label` is undefined when the path has none: the gate's default label is meant. */
export type Route =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'resource'; readonly label: string | undefined; readonly resource: ResourceName };

/** The segments of RFC 8615 §3 that RFC 9148 §4.1 has below them. */
const wellKnown = '.well-known';

/**
 * Takes a path apart.
 *
 * @param path Uri-Path, decoded, one element a segment
 * @param root segment of the short root
 * @returns undefined for everything that is no path of this gate; whether the label exists is for the caller to say
 */
export function routePath(path: readonly string[], root: string): Route | undefined {
  const [first, second, ...rest] = path;
  if (first === wellKnown && second === 'core') return rest.length === 0 ? { kind: 'discovery' } : undefined;
  if (first === wellKnown) return second === 'est' ? routeBelowRoot(rest) : undefined;
  return first === root ? routeBelowRoot(path.slice(1)) : undefined;
}

function routeBelowRoot(rest: readonly string[]): Route | undefined {
  if (rest.length < 1 || rest.length > 2) return undefined;
  const resource = resourceNames.find((name) => name === rest.at(-1));
  return resource === undefined
    ? undefined
    : { kind: 'resource', label: rest.length === 2 ? rest[0] : undefined, resource };
}
