/**
 * Whether one statement counts for the set that it is in (mpic.md §3, points 1 and 2). Everything that costs little is looked
 * at before the signature; a statement that does not count is a perspective that did not corroborate, with the cause.
 */
import { createHash } from 'node:crypto';
import { verifyJws } from '@gatehouse/pkix/jose/signature';
import type { PersistDraft } from '../profiles/vocabulary.ts';
import { parseCallerUri } from '../registry/caller.ts';
import type { PerspectiveRecord, SigningKeyRecord } from '../registry/perspectives.ts';
import { plainName } from './dnssec.ts';
import { persistentRecordFault } from './persistent-record.ts';
import type { PolicyRow } from './policies/policy.ts';
import type { Statement } from './statement.ts';
import type { StatementSet } from './statement-set.ts';

/** Clocks of perspectives may be ahead by this. */
const skewMs = 60_000;

/** RFC 8659 §2.2 and BR §3.2.2.8: issuance follows within the TTL of the records or eight hours, whichever is longer. */
const caaLifeMs = 8 * 3_600_000;

/** RFC 8555 §8.3: 128 bits at least, in base64url. */
const shortestToken = 22;

/** What is known of perspectives and their keys. */
export type PerspectiveLookup = {
  findSigningKey(
    keyId: string,
  ): Pick<SigningKeyRecord, 'holder' | 'key' | 'activeFrom' | 'retiredAt' | 'revokedAt'> | undefined;
  findPerspective(
    name: string,
  ): Pick<PerspectiveRecord, 'name' | 'site' | 'rir' | 'latitude' | 'longitude'> | undefined;
};

/** By what a statement is judged. */
export type StatementRules = {
  readonly registry: PerspectiveLookup;
  /** Name of the RA whose primary may speak. */
  readonly registrationAuthority: string;
  readonly row: PolicyRow;
  /** For how long a validation is good. */
  readonly reuseMs: number;
  /** Names of this CA. */
  readonly issuerDomainNames: ReadonlySet<string>;
  /** Draft of dns-persist-01 whose records count. */
  readonly dnsPersist: PersistDraft;
  readonly now: Date;
};

/** Who speaks. */
export type Speaker = {
  readonly kind: 'remote' | 'primary';
  /** Name of the perspective or of the RA. */
  readonly name: string;
};

/** Who a statement claims to be of; undefined when that is nobody who may make statements. */
export function speakerOf({ payload }: Statement): Speaker | undefined {
  const holder = parseCallerUri(payload.perspective);
  if (holder?.kind === 'perspective') return { kind: 'remote', name: holder.name };
  return holder?.kind === 'gate' ? { kind: 'primary', name: holder.name } : undefined;
}

/** Why a statement is not one of its speaker, but for the signature; undefined when it may be. */
export function identityFault(
  rules: StatementRules,
  speaker: Speaker,
  set: StatementSet,
  statement: Statement,
): string | undefined {
  const { payload, keyId, startedAt, finishedAt } = statement;
  const key = rules.registry.findSigningKey(keyId);
  if (key === undefined) return 'its key is not registered';
  if (key.holder !== payload.perspective) return `its key is of ${key.holder}`;
  if (key.revokedAt !== undefined) return 'its key was revoked';
  if (key.activeFrom.getTime() > finishedAt + skewMs) return 'its key was not active yet';
  if (key.retiredAt !== undefined && key.retiredAt.getTime() + skewMs < finishedAt) return 'its key was retired before';
  if (startedAt > finishedAt) return 'it ended before it began';
  if (finishedAt > rules.now.getTime() + skewMs) return 'it is from the future';
  if (speaker.kind === 'primary') {
    if (speaker.name !== rules.registrationAuthority) return 'it is of the perspective inside of another gate';
    return payload.site === '' && payload.rir === '' ? undefined : 'it has labels, which a gate has not';
  }
  const registered = rules.registry.findPerspective(speaker.name);
  if (registered === undefined) return 'the perspective is not registered';
  if (!set.perspectives.includes(speaker.name)) return 'the perspective was not to be used in the attempt';
  if (registered.site !== payload.site || registered.rir !== payload.rir) {
    return `its labels are ${payload.site || '-'}/${payload.rir || '-'} and not ${registered.site || '-'}/${registered.rir || '-'} as registered`;
  }
  return undefined;
}

/** Whether the key that a statement names signed it. Costs a signature's verification. */
export function isSigned({ registry }: StatementRules, { keyId, jws }: Statement): boolean {
  const key = registry.findSigningKey(keyId)?.key;
  if (key === undefined) return false;
  const { signingInput, signature } = jws;
  return verifyJws({ alg: 'ES256', key: { kind: 'P-256', key }, signingInput, signature });
}

/** Why a statement does not say that the name may be certified now; undefined when it does. */
export function contentFault(rules: StatementRules, set: StatementSet, statement: Statement): string | undefined {
  const { payload } = statement;
  if (payload.result !== 'pass') {
    const { type, detail } = payload.problem ?? { type: payload.result, detail: 'no cause was given' };
    return `${type}: ${detail.slice(0, 160)}`;
  }
  const ageMs = rules.now.getTime() - statement.finishedAt;
  if (set.check === 'caa')
    return ageMs > caaLife(statement, rules.reuseMs) ? 'it is too old' : caaFault(rules, statement);
  return ageMs > rules.reuseMs ? 'it is too old' : controlFault(rules, set, statement);
}

/** An answer about CAA never outlives the validation that it belongs to, whatever TTL the zone gives it. */
function caaLife({ payload }: Statement, reuseMs: number): number {
  const ttls = payload.dns.flatMap(({ type, ttl }) => (type.toUpperCase() === 'CAA' && ttl !== undefined ? [ttl] : []));
  const ttlMs = ttls.length === 0 ? 0 : Math.min(...ttls) * 1000;
  return Math.max(caaLifeMs, Math.min(ttlMs, reuseMs));
}

function caaFault({ issuerDomainNames }: StatementRules, { payload }: Statement): string | undefined {
  const { caa, identifier } = payload;
  if (caa === undefined) return 'it says nothing about CAA records';
  const foreign = caa.issuerDomainNames.find((name) => !issuerDomainNames.has(name));
  if (foreign !== undefined) return `it looked for the issuer '${foreign}', which this CA is not`;
  if (caa.decision !== 'permitted') return `CAA records do not permit it (${caa.decision})`;
  // BR §3.2.2.8: a failed look-up permits under conditions that nobody here can prove.
  if (caa.lookup === 'failed') return 'the look-up of CAA records failed, which is no permission';
  const foundAt = caa.foundAt === undefined ? undefined : plainName(caa.foundAt);
  const isAbove = foundAt === undefined || foundAt === '' || `.${identifier.value}`.endsWith(`.${foundAt}`);
  return isAbove ? undefined : `it found CAA records at ${foundAt}, which is not above the name`;
}

function controlFault(rules: StatementRules, set: StatementSet, { payload }: Statement): string | undefined {
  if (set.method === 'dns-persist-01') return persistentRecordFault(rules, set, payload);
  if (set.token === undefined) return 'it names no token';
  if (set.token.length < shortestToken) return 'its token is shorter than 128 bits';
  // RFC 8555 §8.1: what had to be found follows from the token and the key; another text proves nothing.
  return payload.expected === keyAuthorizationDigest(set.token, set.thumbprint)
    ? undefined
    : 'it looked for another key authorization';
}

/** base64url(SHA-256(key authorization)), RFC 8555 §8.1. */
export function keyAuthorizationDigest(token: string, thumbprint: string): string {
  return createHash('sha256').update(`${token}.${thumbprint}`).digest('base64url');
}
