/**
 * Which validated identifier speaks for which name of a certificate (mpic.md §3, point 3). Whatever is not said here to
 * cover a name does not.
 */
import type { ValidationMethod } from '@gatehouse/proto/perspective-statement';
import type { StatementSet } from './statement-set.ts';

/** A name of a certificate, as identifiers are compared. */
export type CertifiedName = {
  readonly type: 'dns' | 'ip';
  /** Without `*.`. */
  readonly value: string;
  readonly isWildcard: boolean;
};

/** BR §3.2.2.4.7, .21, .22: control of a zone; http-01 and tls-alpn-01 speak for one host only (§3.2.2.4.19, .20). */
const zoneMethods: ReadonlySet<ValidationMethod> = new Set(['dns-01', 'dns-account-01', 'dns-persist-01']);

/** RFC 8738 §4, §5: addresses are validated over HTTP and TLS; there is no DNS zone to prove. */
const addressMethods: ReadonlySet<ValidationMethod> = new Set(['http-01', 'tls-alpn-01']);

/** Identifiers whose validation may cover the name: itself, then each domain above it. */
export function coveringValues({ type, value }: CertifiedName): readonly string[] {
  if (type === 'ip') return [value];
  const labels = value.split('.');
  return labels.map((_, i) => labels.slice(i).join('.'));
}

/** Why a validation does not cover a name although its identifier may; undefined when it does. */
export function coverageFault(
  { type, value, isWildcard }: CertifiedName,
  set: Pick<StatementSet, 'identifier' | 'isWildcard' | 'method'>,
): string | undefined {
  const { identifier, method } = set;
  if (identifier.type !== type) return `${identifier.type} identifiers do not cover ${type} names`;
  if (type === 'ip') return addressMethods.has(method) ? undefined : `${method} is not for addresses (RFC 8738)`;
  if (zoneMethods.has(method)) return undefined;
  if (isWildcard || set.isWildcard) return `${method} does not validate wildcards`;
  return identifier.value === value ? undefined : `${method} does not validate names below ${identifier.value}`;
}

/** Whether more than the validated name itself is covered, which dns-persist-01 has to permit by `policy=wildcard`. */
export function reachesBelow(name: CertifiedName, set: Pick<StatementSet, 'identifier'>): boolean {
  return name.isWildcard || name.value !== set.identifier.value;
}
