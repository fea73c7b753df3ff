// The codes of CoAP, RFC 7252 §12.1 and those that came later: one octet, three bits of class and five of detail. A code is
// written 'c.dd' for people and nowhere else.

/** The Empty message, RFC 7252 §4.1. */
export const emptyCode = 0x00;

/** Method Codes. */
export const methods = {
  get: codeOf(0, 1), // RFC 7252 §5.8.1
  post: codeOf(0, 2), // RFC 7252 §5.8.2
  put: codeOf(0, 3), // RFC 7252 §5.8.3
  delete: codeOf(0, 4), // RFC 7252 §5.8.4
  fetch: codeOf(0, 5), // RFC 8132 §2
  patch: codeOf(0, 6), // RFC 8132 §3
  iPatch: codeOf(0, 7), // RFC 8132 §3
} as const;

/** Response Codes. */
export const responseCodes = {
  created: codeOf(2, 1), // RFC 7252 §5.9.1.1
  deleted: codeOf(2, 2), // RFC 7252 §5.9.1.2
  valid: codeOf(2, 3), // RFC 7252 §5.9.1.3
  changed: codeOf(2, 4), // RFC 7252 §5.9.1.4
  content: codeOf(2, 5), // RFC 7252 §5.9.1.5
  continue: codeOf(2, 31), // RFC 7959 §2.9.1
  badRequest: codeOf(4, 0), // RFC 7252 §5.9.2.1
  unauthorized: codeOf(4, 1), // RFC 7252 §5.9.2.2
  badOption: codeOf(4, 2), // RFC 7252 §5.9.2.3
  forbidden: codeOf(4, 3), // RFC 7252 §5.9.2.4
  notFound: codeOf(4, 4), // RFC 7252 §5.9.2.5
  methodNotAllowed: codeOf(4, 5), // RFC 7252 §5.9.2.6
  notAcceptable: codeOf(4, 6), // RFC 7252 §5.9.2.7
  requestEntityIncomplete: codeOf(4, 8), // RFC 7959 §2.9.2
  conflict: codeOf(4, 9), // RFC 8132 §3.4
  preconditionFailed: codeOf(4, 12), // RFC 7252 §5.9.2.8
  requestEntityTooLarge: codeOf(4, 13), // RFC 7252 §5.9.2.9, RFC 7959 §2.9.3
  unsupportedContentFormat: codeOf(4, 15), // RFC 7252 §5.9.2.10
  unprocessableEntity: codeOf(4, 22), // RFC 8132 §3.4
  tooManyRequests: codeOf(4, 29), // RFC 8516 §3
  internalServerError: codeOf(5, 0), // RFC 7252 §5.9.3.1
  notImplemented: codeOf(5, 1), // RFC 7252 §5.9.3.2
  badGateway: codeOf(5, 2), // RFC 7252 §5.9.3.3
  serviceUnavailable: codeOf(5, 3), // RFC 7252 §5.9.3.4
  gatewayTimeout: codeOf(5, 4), // RFC 7252 §5.9.3.5
  proxyingNotSupported: codeOf(5, 5), // RFC 7252 §5.9.3.6
  hopLimitReached: codeOf(5, 8), // RFC 8768 §4
} as const;

/** What a code's class makes of a message, RFC 7252 §3 and §12.1; classes 1, 3, 6 and 7 are reserved. */
export type CodeKind = 'empty' | 'request' | 'response' | 'reserved';

/** @param codeClass 0 to 7 @param detail 0 to 31 */
export function codeOf(codeClass: number, detail: number): number {
  return (codeClass << 5) | detail;
}

/** The class of a code: 0 to 7. */
export function classOf(code: number): number {
  return code >> 5;
}

/** What a code says that its message is. */
export function kindOfCode(code: number): CodeKind {
  if (code === emptyCode) return 'empty';
  switch (classOf(code)) {
    case 0:
      return 'request';
    case 2:
    case 4:
    case 5:
      return 'response';
    default:
      return 'reserved';
  }
}

/** For people, RFC 7252 §3: '2.05'. */
export function formatCode(code: number): string {
  return `${classOf(code)}.${String(code & 0x1f).padStart(2, '0')}`;
}
