// Syntax of the strings inside of general names (RFC 5280 §4.2.1.6). Only what every relying party reads in the same
// way passes: ASCII, no NUL, the preferred name syntax for hosts. Nothing is repaired or lower-cased here.

import { parseIpAddress } from './ip-address.ts';
import { NameError } from './name-error.ts';

/** Whether the text is a host name: labels of letters, digits and inner hyphens, 63 octets each, 253 in all (RFC 1034 §3.5). */
export function isHostName(text: string): boolean {
  const length = text.length;
  if (length === 0 || length > 253) return false;
  let labelLength = 0;
  let previous = 0x2e;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (labelLength === 0 || previous === 0x2d) return false;
      labelLength = 0;
    } else {
      const lower = code | 0x20;
      const isAlphanumeric = (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
      if (!isAlphanumeric && (code !== 0x2d || labelLength === 0)) return false;
      if (++labelLength > 63) return false;
    }
    previous = code;
  }
  return labelLength > 0 && previous !== 0x2d;
}

/** Refuses what is neither a host name nor one below a wildcard that stands for the whole leftmost label (RFC 6125 §6.4.3). */
export function checkDnsName(text: string): void {
  const host = text.startsWith('*.') ? text.slice(2) : text;
  if (text.length > 253 || !isHostName(host)) throw new NameError(`dNSName '${shorten(text)}' is not a host name`);
}

/** Refuses a URI that is not absolute, not ASCII, or whose authority has no host (RFC 5280 §4.2.1.6, RFC 3986 §3). */
export function checkUri(text: string): void {
  const refuse = (what: string) => new NameError(`uniformResourceIdentifier '${shorten(text)}' ${what}`);
  // RFC 3986 §2: unreserved, reserved and percent-encoded characters, nothing else.
  if (!/^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/.test(text))
    throw refuse('has characters no URI has');
  const parts = /^[A-Za-z][A-Za-z0-9+.-]*:(\/\/([^/?#]*))?(.*)$/.exec(text);
  if (parts === null) throw refuse('has no scheme');
  const [, , authority, rest] = parts;
  if (authority === undefined) {
    if (rest === '') throw refuse('names nothing');
    return;
  }
  const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:[0-9]*$/, '');
  const literal = /^\[(.*)\]$/.exec(host)?.[1];
  const isHost = literal === undefined ? isHostName(host) : parseIpAddress(literal)?.length === 16;
  // SPIFFE trust domains may have underscores (SPIFFE-ID §2.1); no other scheme here names hosts by other rules.
  const isTrustDomain = /^spiffe:/i.test(text) && /^[a-z0-9._-]{1,255}$/.test(host);
  if (!isHost && !isTrustDomain) throw refuse('has no host name or address');
}

/** Host of a URI that has an authority, in lower case and without port, or undefined. */
export function hostOfUri(text: string): string | undefined {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(text)?.[1];
  return authority
    ?.slice(authority.lastIndexOf('@') + 1)
    .replace(/:[0-9]*$/, '')
    .toLowerCase();
}

/** Refuses what is not a Mailbox of ASCII characters: dot-string or quoted string, '@', host or address (RFC 5321 §4.1.2). */
export function checkEmailAddress(text: string): void {
  const refuse = () => new NameError(`rfc822Name '${shorten(text)}' is not a mailbox`);
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(0, at));
  const domain = text.slice(at + 1);
  // RFC 5321 §4.5.3.1.1: 64 octets of local part.
  if (at < 1 || local.length > 64 || text.length > 320) throw refuse();
  const isDotString = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local);
  const isQuotedString = /^"([ !#-[\]-~]|\\[ -~])*"$/.test(local);
  const literal = /^\[(?:(IPv6:)([0-9A-Fa-f:.]+)|([0-9.]+))\]$/.exec(domain);
  const address = literal === null ? undefined : parseIpAddress(literal[2] ?? literal[3] ?? '');
  const isAddress = address?.length === (literal?.[1] === undefined ? 4 : 16);
  if (!(isDotString || isQuotedString) || !(isHostName(domain) || isAddress)) throw refuse();
}

/** A stranger's text for a message: cut, and without control characters. */
export function shorten(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return cut.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
