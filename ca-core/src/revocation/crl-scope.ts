// How CRLs are named, which of them a certificate belongs to, and where relying parties fetch them. A scope is the name of
// a CRL's file without its ending. A certificate's scope is chosen when it is issued and recorded with it; it must never
// be computed again, because the number of shards may have changed since.
import { keyIdentifierOf, type TemplateIssuer } from '../x509/key-identifier.ts';

/** What a scope covers, RFC 5280 §5.2.5: all certificates of an authority, a part of its end entities', or its CAs'. */
export type ScopeKind =
  | { readonly authority: string; readonly kind: 'complete' }
  /** `shard` counts from 1. */
  | { readonly authority: string; readonly kind: 'shard'; readonly shard: number }
  | { readonly authority: string; readonly kind: 'ca' };

const scopeForm = /^([a-z]+)(?:-(?:(ca)|([1-9][0-9]{0,5})))?$/;

/**
 * The scope of a new certificate.
 *
 * @param authority name of the issuing authority
 * @param shards how many CRLs new certificates are divided among; 0: they belong to the complete one
 * @param serialNumber big-endian
 */
export function chooseCrlScope(authority: string, shards: number, serialNumber: Uint8Array, isCa: boolean): string {
  if (isCa) return caScope(authority);
  return shards === 0 ? authority : shardScope(authority, shardOf(serialNumber, shards));
}

/** The shard of a serial number: (serial mod shards) + 1. */
export function shardOf(serialNumber: Uint8Array, shards: number): number {
  let remainder = 0;
  for (const octet of serialNumber) remainder = (remainder * 256 + octet) % shards;
  return remainder + 1;
}

/** `issuing-3`: end entities of one shard. */
export function shardScope(authority: string, shard: number): string {
  return `${authority}-${shard}`;
}

/** `issuing-ca`: the CAs that an authority certified. */
export function caScope(authority: string): string {
  return `${authority}-ca`;
}

/**
 * What a scope covers.
 *
 * @throws {RangeError} when the text names no scope
 */
export function scopeKind(scope: string): ScopeKind {
  const [, authority, ca, shard] = scopeForm.exec(scope) ?? [];
  if (authority === undefined) throw new RangeError(`${JSON.stringify(scope)} is not the name of a CRL`);
  if (ca !== undefined) return { authority, kind: 'ca' };
  return shard === undefined ? { authority, kind: 'complete' } : { authority, kind: 'shard', shard: Number(shard) };
}

/**
 * Where the CRL of a scope is fetched. What stands in a certificate's distribution point and in the CRL's
 * issuingDistributionPoint is this very text (RFC 5280 §6.3.3 step b.2 compares them).
 *
 * @param baseUrl without a slash at its end
 */
export function crlUrl(baseUrl: string, scope: string, isDelta = false): string {
  return `${baseUrl}/crl/${scope}${isDelta ? '-delta' : ''}.crl`;
}

/** Where OCSP requests are answered, RFC 6960 appendix A. */
export function ocspUrl(baseUrl: string): string {
  return `${baseUrl}/ocsp`;
}

/** Where the certificate of an issuer is fetched, RFC 5280 §4.2.2.1 caIssuers. */
export function issuerUrl(baseUrl: string, issuer: TemplateIssuer): string {
  return `${baseUrl}/issuer/${issuerId(issuer)}.crt`;
}

/** By which an issuer's certificate is published: its subjectKeyIdentifier, lower-case hexadecimal. */
export function issuerId(issuer: TemplateIssuer): string {
  return Buffer.from(keyIdentifierOf(issuer)).toString('hex');
}
