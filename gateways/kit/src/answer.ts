// Plain answers of one line, made so that server and client agree on where they end: no framework default, no chunk, no further header.

/** Headers of an answer by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** An answer of one line of text. @param line is cut to one line of printable characters */
export function textAnswer(status: number, line: string, headers?: AnswerHeaders): Response {
  return new Response(`${oneLine(line)}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  });
}

/** How the transport itself refuses (broken framing, too many connections), before a gate's own code sees a request. */
export type RefusalForm = (status: number, line: string) => { readonly contentType: string; readonly body: string };

/** One line of text. */
export const textRefusal: RefusalForm = (_status, line) => ({
  contentType: 'text/plain; charset=utf-8',
  body: `${oneLine(line)}\n`,
});

/** An answer with a body of any type. */
export function bodyAnswer(
  status: number,
  contentType: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers?: AnswerHeaders,
): Response {
  return new Response(body, { status, headers: { 'content-type': contentType, ...headers } });
}

/** Text without control characters and line ends, at most 512 characters: details may repeat what a client sent. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, 512)
    .trim();
}
