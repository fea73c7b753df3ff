// What the target of a request asks for. Paths are the ones that certificates name (AIA, CDP) and, because many clients are
// set up with a bare host, OCSP at the root as well: base64 of a request always begins with 'M', and no other path does.

/** What is asked for. Names are as they stand in the path; whether there is such a thing is for others to say. */
export type Target =
  /** RFC 6960 appendix A.1: a request in the path, still in base64 and escaped. */
  | { readonly kind: 'ocsp-get'; readonly base64: string }
  /** Where requests are posted to. */
  | { readonly kind: 'ocsp' }
  /** File name without `.crl`. */
  | { readonly kind: 'crl'; readonly name: string }
  /** File name without `.crt`. */
  | { readonly kind: 'issuer'; readonly id: string }
  | { readonly kind: 'chain' }
  | { readonly kind: 'none' };

const ocsp: Target = { kind: 'ocsp' };
const chain: Target = { kind: 'chain' };
const none: Target = { kind: 'none' };

/** First letter of base64 of a SEQUENCE, whatever its length. */
const sequenceLetter = 'M';
const fileForm = /^\/(crl|issuer)\/([A-Za-z0-9][A-Za-z0-9_-]{0,127})\.(crl|crt)$/;

/** Reads a target: origin form, or absolute form as it is sent to proxies (RFC 9112 §3.2). A query is passed over. */
export function readTarget(target: string): Target {
  const path = pathOf(target);
  if (path === undefined) return none;
  if (path.startsWith('/ocsp')) {
    if (path.length === 5) return ocsp;
    return path.charAt(5) === '/' ? readBase64(path, 6) : none;
  }
  // Clients that join a base URL and the request with a slash too many are common.
  const base64 = readBase64(path, 1);
  if (base64.kind === 'ocsp') return base64;
  if (base64.kind === 'ocsp-get' && base64.base64.startsWith(sequenceLetter)) return base64;
  return readFile(path);
}

function readBase64(path: string, start: number): Target {
  let at = start;
  while (path.charCodeAt(at) === 0x2f) at++;
  return at >= path.length ? ocsp : { kind: 'ocsp-get', base64: path.slice(at) };
}

function readFile(path: string): Target {
  if (path === '/chain.pem') return chain;
  const [, folder, name, extension] = fileForm.exec(path) ?? [];
  if (name === undefined) return none;
  if (folder === 'crl') return extension === 'crl' ? { kind: 'crl', name } : none;
  return extension === 'crt' ? { kind: 'issuer', id: name } : none;
}

function pathOf(target: string): string | undefined {
  const end = target.indexOf('?');
  const withoutQuery = end < 0 ? target : target.slice(0, end);
  if (withoutQuery.startsWith('/')) return withoutQuery;
  return /^https?:\/\/[^/]+(\/.*)$/i.exec(withoutQuery)?.[1];
}
