// The Authorization field, RFC 9110 §11.4: a scheme, then either one token or a list of parameters. It only takes the
// field apart; what it says is proved by basic.ts, digest.ts and bearer.ts, and its value must never reach a log.

/** What a client sent. The scheme is in lower case. */
export type Credentials =
  | { readonly kind: 'token'; readonly scheme: string; readonly token: string }
  | { readonly kind: 'parameters'; readonly scheme: string; readonly parameters: ReadonlyMap<string, string> };

/** Longest field value that is looked at; a JWT is the longest that is expected. */
const maximumLength = 8192;

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const schemeForm = new RegExp(`^(${token})(?: +(.*))?$`, 's');
const token68Form = /^[A-Za-z0-9._~+/-]+=*$/;
const parameterForm = new RegExp(
  `[ \\t]*(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(?:,|$)`,
  'sy',
);

/**
 * Reads a field value.
 *
 * @returns undefined when it is malformed: no scheme, a parameter twice, control characters
 */
export function readAuthorization(value: string): Credentials | undefined {
  if (value.length > maximumLength || hasControls(value)) return undefined;
  const [, name, rest = ''] = schemeForm.exec(value.trim()) ?? [];
  if (name === undefined) return undefined;
  const scheme = name.toLowerCase();
  const text = rest.trim();
  if (text === '' || token68Form.test(text)) return { kind: 'token', scheme, token: text };
  const parameters = readParameters(text);
  return parameters === undefined ? undefined : { kind: 'parameters', scheme, parameters };
}

function readParameters(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  let position = 0;
  while (position < text.length) {
    parameterForm.lastIndex = position;
    const match = parameterForm.exec(text);
    if (match === null) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    // RFC 9110 §11.2: names are matched without case and must not repeat.
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2] ?? (match[3] ?? '').replace(/\\(.)/gs, '$1'));
    position = parameterForm.lastIndex;
  }
  return parameters.size === 0 ? undefined : parameters;
}

function hasControls(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
