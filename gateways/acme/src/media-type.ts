// Content-Type as clients send it, RFC 9110 §8.3.1, read for its type alone: parameters are never a reason to refuse.

/** Whether the value is application/jose+json, RFC 8555 §6.2. */
export function isJoseJson(value: string | undefined): boolean {
  return value !== undefined && value.length <= 256 && /^[ \t]*application\/jose\+json[ \t]*(?:;|$)/i.test(value);
}
