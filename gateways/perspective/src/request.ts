// Reads what a gate asks (mpic.md §2): everything is checked here, since a gate may be owned by an attacker, and what a
// statement repeats must fit into it. There is no field for an expected text, an address or a URL to fetch.
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import type { Attempt, CheckCaaRequest, CheckDomainControlRequest } from '@gatehouse/ra-client/perspective';
import { type ValidationMethod, validationMethods } from '@gatehouse/ra-client/perspective-statement';

/** A request that nobody can have meant. */
export class MalformedRequestError extends Error {
  override readonly name = 'MalformedRequestError';
  readonly code = 'malformed';
  /** Names the field. */
  readonly detail: string;

  constructor(detail: string) {
    super(detail);
    this.detail = detail;
  }
}

/** An identifier in canonical form, without `*.`. */
export type Identifier = { readonly type: 'dns' | 'ip'; readonly value: string };

/** What both requests have in common. */
export type CheckSubject = {
  readonly attempt: Attempt;
  readonly identifier: Identifier;
  readonly isWildcard: boolean;
  readonly method: ValidationMethod;
  readonly accountUri: string;
};

/** A request to validate control by something that was made for the challenge. */
export type TokenQuestion = CheckSubject & {
  readonly method: Exclude<ValidationMethod, 'dns-persist-01'>;
  readonly token: string;
  /** Of the key that signed the challenge's request. */
  readonly thumbprints: readonly [string];
};

/** A request to validate control by a record that stays. */
export type PersistQuestion = CheckSubject & {
  readonly method: 'dns-persist-01';
  readonly variant: PersistVariant;
  /** The key of the account, then its former ones. */
  readonly thumbprints: readonly [current: string, ...former: readonly string[]];
};

/** A request to validate control. */
export type DomainControlQuestion = TokenQuestion | PersistQuestion;

/** Drafts of dns-persist-01 that differ. */
export type PersistVariant = 'draft-01' | 'draft-02';

/** A request for permission. */
export type CaaQuestion = CheckSubject & { readonly thumbprint: string };

/** Methods that can speak for a wildcard, and not for an address, BR 3.2.2.4.7, .21, .22. */
const dnsMethods: readonly ValidationMethod[] = ['dns-01', 'dns-account-01', 'dns-persist-01'];
const maximumThumbprints = 32;
const maximumPerspectives = 16;

/** @throws {MalformedRequestError} */
export function readDomainControlRequest(request: CheckDomainControlRequest): DomainControlQuestion {
  const subject = readSubject(request);
  const [current, ...former] = request.thumbprints;
  if (current === undefined || former.length >= maximumThumbprints) {
    throw new MalformedRequestError(`thumbprints: 1 to ${maximumThumbprints} are needed`);
  }
  const thumbprints = [readThumbprint(current), ...former.map(readThumbprint)] as const;
  if (subject.method === 'dns-persist-01') {
    if (request.token !== '') throw new MalformedRequestError('token: dns-persist-01 has none');
    const variant = request.variant === '' ? 'draft-02' : request.variant;
    if (variant !== 'draft-01' && variant !== 'draft-02') {
      throw new MalformedRequestError('variant: must be draft-01 or draft-02');
    }
    return { ...subject, method: subject.method, thumbprints, variant };
  }
  if (request.variant !== '') throw new MalformedRequestError(`variant: ${subject.method} has none`);
  if (former.length > 0) throw new MalformedRequestError(`thumbprints: ${subject.method} takes one`);
  // RFC 8555 §8.1: at least 128 bits of entropy.
  if (!/^[A-Za-z0-9_-]{22,128}$/.test(request.token)) {
    throw new MalformedRequestError('token: must be 22 to 128 characters of base64url');
  }
  return { ...subject, method: subject.method, thumbprints: [thumbprints[0]], token: request.token };
}

/** @throws {MalformedRequestError} */
export function readCaaRequest(request: CheckCaaRequest): CaaQuestion {
  const subject = readSubject(request);
  // RFC 8738 §7 and RFC 8659 §1: CAA is about names.
  if (subject.identifier.type !== 'dns') throw new MalformedRequestError('identifier: addresses have no CAA records');
  return { ...subject, thumbprint: readThumbprint(request.thumbprint) };
}

function readSubject(request: CheckDomainControlRequest | CheckCaaRequest): CheckSubject {
  const attempt = readAttempt(request.attempt);
  if (request.identifier === undefined) throw new MalformedRequestError('identifier: is missing');
  const { type, value, isWildcard } = request.identifier;
  const identifier = readIdentifier(type, value);
  const method = validationMethods.find((one) => one === request.method);
  if (method === undefined) throw new MalformedRequestError('method: is unknown');
  if (isWildcard && (identifier.type === 'ip' || !dnsMethods.includes(method))) {
    throw new MalformedRequestError(`identifier: ${method} cannot speak for a wildcard of ${value}`);
  }
  if (identifier.type === 'ip' && dnsMethods.includes(method)) {
    throw new MalformedRequestError(`identifier: ${method} cannot speak for an address, RFC 8738 §7`);
  }
  return { attempt, identifier, isWildcard, method, accountUri: readAccountUri(request.accountUri) };
}

function readAttempt(attempt: Attempt | undefined): Attempt {
  if (attempt === undefined) throw new MalformedRequestError('attempt: is missing');
  const { id, order, authorization, perspectives } = attempt;
  if (!/^[A-Za-z0-9_-]{22,64}$/.test(id)) {
    throw new MalformedRequestError('attempt: the id must be 22 to 64 characters of base64url');
  }
  if (![order, authorization].every((text) => /^[!-~]{0,128}$/.test(text))) {
    throw new MalformedRequestError('attempt: ids of order and authorization must be at most 128 printable characters');
  }
  if (perspectives.length > maximumPerspectives || !perspectives.every((name) => /^[!-~]{1,63}$/.test(name))) {
    throw new MalformedRequestError(`attempt: at most ${maximumPerspectives} names of perspectives`);
  }
  if (perspectives.some((name, i) => i > 0 && name <= (perspectives[i - 1] ?? ''))) {
    throw new MalformedRequestError('attempt: names of perspectives must be sorted, each once');
  }
  return attempt;
}

function readIdentifier(type: string, value: string): Identifier {
  if (type === 'dns') {
    if (isCanonicalName(value)) return { type, value };
    throw new MalformedRequestError('identifier: no name in lower-case A-labels');
  }
  if (type !== 'ip') throw new MalformedRequestError('identifier: the type must be dns or ip');
  const octets = value.length > 39 ? undefined : parseIpAddress(value);
  // RFC 5952; an IPv4-mapped address is another spelling of an IPv4 address.
  const isMapped = octets?.length === 16 && octets.every((octet, i) => i > 11 || octet === (i > 9 ? 0xff : 0));
  if (octets === undefined || isMapped || formatIpAddress(octets) !== value) {
    throw new MalformedRequestError('identifier: no address in the form of RFC 5952');
  }
  return { type, value };
}

/** Lower-case A-labels, at most 253 characters, and no spelling of an IPv4 address. */
export function isCanonicalName(value: string): boolean {
  const labels = value.split('.');
  return (
    value.length <= 253 &&
    labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')
  );
}

function readThumbprint(text: string): string {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) {
    throw new MalformedRequestError('thumbprint: must be 43 characters of base64url, RFC 7638');
  }
  return text;
}

function readAccountUri(text: string): string {
  const isWellFormed = text.length <= 512 && /^https:\/\/[!-~]+$/.test(text) && URL.canParse(text);
  if (!isWellFormed)
    throw new MalformedRequestError('accountUri: must be an absolute https URI of at most 512 characters');
  return text;
}
