// From an answer of an operation to an HTTP response, RFC 8555 §6.1, §6.5, §7.1: the fields that every answer carries are
// added here and nowhere else, so that none can forget them.

import type { RefusalForm } from '@gatehouse/gateway-kit/answer';
import type { AcmeError } from './errors.ts';
import type { AcmeAnswer } from './exchange.ts';
import { writeProblem } from './problem.ts';

/** What {@link toResponse} needs to know beside the answer. */
export type AnswerContext = {
  /** URL of the directory; undefined where it is itself the answer. */
  readonly directory: string | undefined;
  /** A fresh nonce: for every answer to a POST, and from newNonce. */
  readonly nonce: string | undefined;
  readonly isPost: boolean;
  /** Sends a field in a line for each value. */
  readonly sendLines: (name: string, values: readonly string[]) => void;
};

type Fields = Record<string, string>;

/** RFC 8555 §6.1: scripts of any origin may be clients, and may read what they need. */
const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Link, Location, Replay-Nonce, Retry-After',
} as const;

/** RFC 7807 §6.1. */
const problemType = 'application/problem+json';

/** Makes the response of an answer. */
export function toResponse(
  answer: AcmeAnswer & { readonly allow?: string | undefined },
  context: AnswerContext,
): Response {
  const { status, body, content, location, retryAfterSeconds } = answer;
  const fields: Fields = { ...crossOrigin };
  const links = (answer.links ?? []).map(({ url, rel }) => `<${url}>;rel="${rel}"`);
  if (context.directory !== undefined) links.unshift(`<${context.directory}>;rel="index"`);
  // A line each, where there are several: there are clients that look at lines.
  if (links.length > 1) context.sendLines('link', links);
  else if (links[0] !== undefined) fields.link = links[0];
  if (context.nonce !== undefined) fields['replay-nonce'] = context.nonce;
  // What a POST was answered with is for nobody else, the directory included (acme.md §4).
  const cacheControl = context.isPost ? 'no-store' : answer.cacheControl;
  if (cacheControl !== undefined) fields['cache-control'] = cacheControl;
  if (location !== undefined) fields.location = location;
  // Never a date: clients read it as a number.
  if (retryAfterSeconds !== undefined) fields['retry-after'] = String(Math.max(1, Math.ceil(retryAfterSeconds)));
  if (answer.allow !== undefined) fields.allow = answer.allow;
  if (content !== undefined) {
    fields['content-type'] = content.type;
    fields['content-length'] = String(Buffer.byteLength(content.text));
    return new Response(content.text, { status, headers: fields });
  }
  if (body === undefined) {
    // RFC 9110 §9.3.2. Without it some clients do not use their connection again after HEAD.
    if (status === 200) fields['content-length'] = '0';
    return new Response(null, { status, headers: fields });
  }
  fields['content-type'] = 'application/json';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  fields['content-length'] = String(Buffer.byteLength(text));
  return new Response(text, { status, headers: fields });
}

/** How the transport refuses what never becomes a request: as a problem document too. */
export const problemRefusal: RefusalForm = (status, line) => {
  const type = status === 429 ? 'rateLimited' : status >= 500 ? 'serverInternal' : 'malformed';
  return { contentType: problemType, body: JSON.stringify(writeProblem({ type, detail: line, status })) };
};

/** Answers the question of a browser whether a script may ask, Fetch §4.8. @param methods as in Allow */
export function toPreflightResponse(methods: string, { directory }: Pick<AnswerContext, 'directory'>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...crossOrigin,
      ...(directory === undefined ? {} : { link: `<${directory}>;rel="index"` }),
      allow: methods,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'Content-Type',
      'access-control-max-age': '86400',
    },
  });
}

/** Makes the response of a refusal. */
export function toProblemResponse(error: AcmeError, context: AnswerContext): Response {
  const { location, links, retryAfterSeconds, allow } = error.options;
  const content = { type: problemType, text: JSON.stringify(writeProblem(error.problem)) };
  return toResponse({ status: error.status, content, location, links, retryAfterSeconds, allow }, context);
}
