// Who calls: the URI in the client certificate of the connection, and nothing else that the caller says.
// A certificate with no such URI, with two of them, or with one in another form is nobody. It must never fall back to a
// subject or a DNS name.

import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { CoreError } from '@gatehouse/proto/core-error';

/**
 * The kinds of caller that exist. `join` is the bearer of a join token, who may buy one credential and nothing else.
 */
export const callerKinds = ['gate', 'perspective', 'operator', 'join'] as const;

/** One of {@link callerKinds}. */
export type CallerKind = (typeof callerKinds)[number];

/** A caller, as its certificate names it. Whether it may still call is the registry's to say. */
export type Caller = {
  readonly kind: CallerKind;
  /** Name of the RA, perspective or operator; id of the join token. */
  readonly name: string;
  /** The whole URI, as audited. */
  readonly uri: string;
  /** Serial number of the credential, lower-case hexadecimal. */
  readonly serialNumber: string;
};

const trustDomain = 'spiffe://gatehouse.internal';

/** Path segment of each kind in its URI. */
const segments: { readonly [kind in CallerKind]: string } = {
  gate: 'ra',
  perspective: 'perspective',
  operator: 'operator',
  join: 'join',
};

const kindOfSegment: ReadonlyMap<string, CallerKind> = new Map(callerKinds.map((kind) => [segments[kind], kind]));

/**
 * Names of RAs, perspectives, operators and join tokens: lower-case letters, digits and hyphens, 1 to 63, as a DNS
 * label.
 */
export const callerNameForm: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The URI that stands in the credential of a caller. */
export function callerUri(kind: CallerKind, name: string): string {
  return `${trustDomain}/${segments[kind]}/${name}`;
}

/** The URI of a core: in its own server certificate, and the actor of what it does by itself. */
export function coreUri(instance: string): string {
  return `${trustDomain}/core/${instance}`;
}

/**
 * Reads the caller out of its client certificate, whose chain and validity the TLS layer has verified.
 *
 * @param certificateDer end-entity certificate of the connection, DER
 * @throws {CoreError} `unauthorized` when the certificate names no caller
 */
export function identifyCaller(certificateDer: Uint8Array): Caller {
  const certificate = readCertificate(certificateDer);
  // SPIFFE X509-SVID §2: exactly one URI, so that there is no question which one counts.
  const uris = subjectAlternativeNames(certificate).filter((name) => name.kind === 'uri');
  const [uri] = uris;
  if (uri === undefined || uris.length > 1) throw nobody('it must hold exactly one URI');
  const caller = parseCallerUri(uri.value);
  if (caller === undefined) throw nobody('its URI is not of a caller');
  return { ...caller, uri: uri.value, serialNumber: certificate.serialNumber };
}

/** Kind and name in a caller's URI; nothing when it is not one, octet for octet. */
export function parseCallerUri(uri: string): { readonly kind: CallerKind; readonly name: string } | undefined {
  if (!uri.startsWith(`${trustDomain}/`)) return undefined;
  const [segment = '', name = '', ...rest] = uri.slice(trustDomain.length + 1).split('/');
  const kind = kindOfSegment.get(segment);
  if (kind === undefined || rest.length > 0 || !callerNameForm.test(name)) return undefined;
  return { kind, name };
}

function nobody(why: string): CoreError {
  return new CoreError('unauthorized', `the client certificate names no caller: ${why}`);
}
