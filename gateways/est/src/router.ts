// From the target of a request to a label and an operation, RFC 7030 §3.2.2. Both `/.well-known/est[/<label>]/<op>` and
// `/<label>/.well-known/est/<op>` are understood: some clients put what the operator configured before the well-known
// part. It must never guess: a path that could be read in two ways is no path of this gate.

import { labelForm } from '@gatehouse/gateway-kit/est/labels';

/** What a path asks for. `label` is undefined when the path has none: the gate's default label is meant. */
export type Route = { readonly label: string | undefined; readonly operation: string };

const maximumPathLength = 512;

/**
 * Takes a request target apart (origin form or absolute form; a query is passed over, RFC 7030 knows none).
 * Returns undefined for everything that is no path of EST; whether label and operation exist is for the caller to say.
 */
export function routePath(target: string): Route | undefined {
  const path = pathOf(target);
  if (path === undefined || path.length > maximumPathLength) return undefined;
  const segments = decodeSegments(path);
  if (segments === undefined) return undefined;

  const wellKnown = segments.findIndex(
    (segment, index) => segment.toLowerCase() === '.well-known' && segments[index + 1]?.toLowerCase() === 'est',
  );
  const before = segments.slice(0, wellKnown);
  const after = segments.slice(wellKnown + 2);
  const operation = after.at(-1)?.toLowerCase();
  if (wellKnown < 0 || operation === undefined) return undefined;

  const labels = [...before, ...after.slice(0, -1)];
  // A label on both sides, or more than one on a side, means nothing.
  if (labels.length > 1) return undefined;
  const [label] = labels;
  if (label !== undefined && !labelForm.test(label)) return undefined;
  return { label, operation };
}

// RFC 9112 §3.2: origin-form, or absolute-form as sent to proxies, which servers must accept.
function pathOf(target: string): string | undefined {
  const withoutQuery = target.split(/[?#]/, 1)[0] ?? '';
  if (withoutQuery.startsWith('/')) return withoutQuery;
  return /^https:\/\/[^/]+(\/.*)$/i.exec(withoutQuery)?.[1];
}

function decodeSegments(path: string): readonly string[] | undefined {
  const raw = path.split('/').slice(1);
  // One trailing slash is tolerated; any other empty segment is not.
  if (raw.length > 1 && raw.at(-1) === '') raw.pop();
  const segments: string[] = [];
  for (const part of raw) {
    const segment = decodeSegment(part);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return segments;
}

// Escapes may stand for any visible ASCII but a separator: what is decoded here is never decoded again further in.
function decodeSegment(part: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(part)) return undefined;
  const segment = part.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (segment === '' || segment === '.' || segment === '..') return undefined;
  return /^[\x21-\x7e]+$/.test(segment) && !/[/\\%]/.test(segment) ? segment : undefined;
}
