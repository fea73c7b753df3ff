/**
 * What each CRL is about and says of itself (RFC 5280 §5.2.5): from its name and the configuration, and nothing else. The
 * complete CRL has no issuingDistributionPoint and holds every revoked certificate of its authority, whichever CRL that one
 * names.
 */
import type { IssuingDistributionPoint } from '@gatehouse/pkix/crl/extensions';
import { caScope, crlUrl, scopeKind, shardScope } from '../revocation/crl-scope.ts';
import type { CrlConfiguration } from '../revocation/status-configuration.ts';
import type { CrlCoverage } from '../store/crl-entries.ts';
import type { BaseUrls } from './base-urls.ts';
import type { CrlRhythm } from './crl-schedule.ts';

/** One CRL, full or delta. */
export type CrlPlan = {
  readonly scope: string;
  readonly isDelta: boolean;
  /** Name of the issuing authority. */
  readonly authority: string;
  /** What it covers, for metrics: there are few kinds and many shards. */
  readonly kind: 'complete' | 'shard' | 'ca';
  readonly coverage: CrlCoverage;
  readonly rhythm: CrlRhythm;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** URLs of its delta; a delta has none (RFC 5280 §5.2.6). */
  readonly freshestCrl: readonly string[];
};

/** Scopes that new certificates of an authority may name, and its complete CRL. */
export function configuredScopes(authority: string, shards: number, hasBaseUrl: boolean): readonly string[] {
  if (!hasBaseUrl) return [authority];
  return [
    authority,
    caScope(authority),
    ...Array.from({ length: shards }, (_, index) => shardScope(authority, index + 1)),
  ];
}

/** The full CRL of a scope and its delta. Throws RangeError when the text names no scope. */
export function planScope(scope: string, configuration: CrlConfiguration, baseUrls: BaseUrls): readonly CrlPlan[] {
  const { authority, kind } = scopeKind(scope);
  const common = {
    scope,
    authority,
    kind,
    coverage: kind === 'complete' ? ({ kind: 'authority', authority } as const) : ({ kind: 'scope', scope } as const),
    issuingDistributionPoint: distributionPoint(scope, kind, baseUrls),
  };
  const { current } = baseUrls;
  return [
    {
      ...common,
      isDelta: false,
      rhythm: { complete: configuration.full, shard: configuration.shard, ca: configuration.ca }[kind],
      freshestCrl: current === undefined ? [] : [crlUrl(current, scope, true)],
    },
    { ...common, isDelta: true, rhythm: configuration.delta, freshestCrl: [] },
  ];
}

function distributionPoint(
  scope: string,
  kind: CrlPlan['kind'],
  { all }: BaseUrls,
): IssuingDistributionPoint | undefined {
  if (kind === 'complete') return undefined;
  const fullName = all.map((baseUrl) => crlUrl(baseUrl, scope));
  return { fullName, onlyContains: kind === 'ca' ? 'ca-certificates' : 'user-certificates' };
}

/** By scope; a full CRL stands before its delta. */
export function comparePlans(a: CrlPlan, b: CrlPlan): number {
  if (a.scope !== b.scope) return a.scope < b.scope ? -1 : 1;
  return Number(a.isDelta) - Number(b.isDelta);
}
