/** A keep with perspectives, and what perspectives, account holders and gates make: statements, finalize requests, enrollments. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { jwkOfKey, type PublicJwk } from '@gatehouse/pkix/jose/jwk';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { type StatementPayload, statementType } from '@gatehouse/proto/perspective-statement';
import { type Evidence, RequesterKind } from '@gatehouse/proto/types';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { acmeIdempotencyKey } from '../../src/evidence/acme-finalize.ts';
import { keyAuthorizationDigest } from '../../src/evidence/judge-statement.ts';
import { accountDigest } from '../../src/evidence/persistent-record.ts';
import { callerUri } from '../../src/registry/caller.ts';
import { insertSigningKey } from '../../src/store/signing-keys.ts';
import { certificationRequest, enrollRequest, requester } from '../support/enrollment.ts';
import { openTestKeep, type TestKeep, type TestKeepOptions } from '../support/keep.ts';

export const baseUrl = 'https://acme.example';
export const issuer = 'ca.example';

/** Places by the names of perspectives; the gate stands in `frankfurt`. */
export const places = {
  dublin: { rir: 'RIPE', latitude: 53.35, longitude: -6.26 },
  stockholm: { rir: 'RIPE', latitude: 59.33, longitude: 18.07 },
  ohio: { rir: 'ARIN', latitude: 39.96, longitude: -83.0 },
  saopaulo: { rir: 'LACNIC', latitude: -23.55, longitude: -46.63 },
  tokyo: { rir: 'APNIC', latitude: 35.68, longitude: 139.69 },
  sydney: { rir: 'APNIC', latitude: -33.87, longitude: 151.21 },
} as const;
export const frankfurt = { latitude: 50.11, longitude: 8.68 };

/** Who signs statements. */
export type Signatory = {
  readonly uri: string;
  readonly name: string;
  readonly site: string;
  readonly rir: string;
  readonly key: KeyObject;
  readonly keyId: string;
};

/** An ACME account. */
export type Account = { readonly url: string; readonly key: KeyObject; readonly jwk: PublicJwk };

/** A keep with `dublin`, `stockholm`, … as perspectives, each at a site of its name, and a gate's own key. */
export type Workshop = TestKeep & {
  readonly perspectives: Readonly<Record<string, Signatory>>;
  /** The one inside of the gate. */
  readonly primary: Signatory;
};

/** Opens a keep whose policies are those of `validation`. */
export async function openWorkshop(
  names: readonly (keyof typeof places)[],
  { validation, ...options }: TestKeepOptions = {},
): Promise<Workshop> {
  const common = { issuerDomainNames: [issuer], acmeBaseUrls: [baseUrl], primaries: { gate: frankfurt } };
  const testKeep = await openTestKeep((signer) => signer, { ...options, validation: { ...common, ...validation } });
  const { keep, clock } = testKeep;
  const perspectives: Record<string, Signatory> = {};
  for (const name of names) {
    const { rir, ...place } = places[name];
    await keep.registry.addPerspective(
      { name, site: name, rir, ...place, createdAt: clock.now() },
      callerUri('operator', 'admin'),
    );
    perspectives[name] = await newSignatory(testKeep, callerUri('perspective', name), { name, site: name, rir });
  }
  const primary = await newSignatory(testKeep, callerUri('gate', 'gate'), { name: 'gate', site: '', rir: '' });
  return { ...testKeep, perspectives, primary };
}

/** Registers a key for somebody. */
export async function newSignatory(
  { keep, clock }: TestKeep,
  uri: string,
  labels: { readonly name: string; readonly site: string; readonly rir: string },
): Promise<Signatory> {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { thumbprint: keyId, key: publicKey } = jwkOfKey(key);
  const subjectPublicKeyInfo = publicKey.export({ type: 'spki', format: 'der' });
  const activeFrom = new Date(clock.now().getTime() - 400 * 86_400_000);
  await keep.store.commit({
    operations: [insertSigningKey({ keyId, holder: uri, subjectPublicKeyInfo, activeFrom })],
    events: [],
  });
  keep.registry.reload();
  return { uri, ...labels, key, keyId };
}

/** Who makes statements, and when. */
export type Signatories = Pick<Workshop, 'perspectives' | 'primary'> & {
  readonly clock: Pick<Workshop['clock'], 'now'>;
};

/** A new account. */
export function newAccount(): Account {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { url: `${baseUrl}/acme/account/${newUnguessableId()}`, key, jwk: jwkOfKey(key) };
}

/** What a check is about, beside who looks. */
export type Check = {
  readonly account: Account;
  readonly name: string;
  readonly check?: 'dcv' | 'caa';
  readonly method?: StatementPayload['method'];
  readonly attempt?: string;
  readonly token?: string;
  /** Names that the attempt uses. */
  readonly perspectives: readonly string[];
  readonly finished: Date;
  readonly changes?: Partial<StatementPayload>;
};

/** What a perspective signs that found everything as it should be. */
export function statementPayload(signatory: Signatory, about: Check): StatementPayload {
  const { account, check = 'dcv', method = 'http-01', name } = about;
  const isWildcard = name.startsWith('*.');
  const value = isWildcard ? name.slice(2) : name;
  const token = about.token ?? 'token-of-the-challenge-0000';
  const hasToken = check === 'dcv' && method !== 'dns-persist-01';
  const type = /^[0-9.]+$|:/.test(value) ? 'ip' : 'dns';
  return {
    v: 1,
    perspective: signatory.uri,
    site: signatory.site,
    rir: signatory.rir,
    build: 'test',
    attempt: about.attempt ?? 'attempt-0000000000000000',
    order: 'order',
    authorization: 'authorization',
    perspectives: [...about.perspectives].sort(),
    check,
    identifier: { type, value },
    isWildcard,
    method,
    account: account.url,
    thumbprint: account.jwk.thumbprint,
    ...(hasToken ? { token, expected: keyAuthorizationDigest(token, account.jwk.thumbprint) } : {}),
    ...(check === 'dcv' && method === 'dns-persist-01'
      ? { expected: persistentRecord(account, value), coversSubdomains: true }
      : {}),
    result: 'pass',
    dns: [
      {
        name: value,
        type: check === 'caa' ? 'CAA' : 'A',
        rcode: 'NOERROR',
        isAuthenticated: false,
        ttl: 60,
        resolver: '127.0.0.1:53',
      },
    ],
    ...(check === 'caa' ? { caa: { decision: 'permitted', issuerDomainNames: [issuer], lookup: 'none' } } : {}),
    started: new Date(about.finished.getTime() - 200).toISOString(),
    finished: about.finished.toISOString(),
    ...about.changes,
  };
}

/** What a record of dns-persist-01 says for an account (draft -02). */
export function persistentRecord({ url, jwk }: Account, domain: string): string {
  return `${issuer}; accounturi=https://x.example/sha-256/${accountDigest(domain, jwk.thumbprint, url)}; policy=wildcard`;
}

/** A signed statement. */
export function signStatement(
  { key, keyId }: Pick<Signatory, 'key' | 'keyId'>,
  payload: StatementPayload,
  header: JsonObject = {},
): Buffer {
  const members = { typ: statementType, kid: keyId, ...header };
  return Buffer.from(signCompactJws({ header: members, payload: Buffer.from(canonicalJson(payload)), key }));
}

/** What all perspectives of an attempt state. */
export function statementsOf(
  workshop: Signatories,
  about: Omit<Check, 'perspectives' | 'finished'> & Partial<Check>,
): Buffer[] {
  const names = about.perspectives ?? Object.keys(workshop.perspectives);
  const check = { finished: new Date(workshop.clock.now().getTime() - 60_000), ...about, perspectives: names };
  return names.flatMap((name) => {
    const signatory = workshop.perspectives[name];
    return signatory === undefined ? [] : [signStatement(signatory, statementPayload(signatory, check))];
  });
}

/** Domain control and CAA of a name, the primary's own statements included. */
export function evidenceFor(
  workshop: Signatories,
  about: Omit<Check, 'perspectives' | 'finished'> & Partial<Check>,
): Buffer[] {
  const names = about.perspectives ?? Object.keys(workshop.perspectives);
  const finished = about.finished ?? new Date(workshop.clock.now().getTime() - 60_000);
  return (['dcv', 'caa'] as const).flatMap((check) => {
    const attempt = about.attempt ?? `${check}-${randomBytes(16).toString('hex')}`;
    const each = { ...about, check, attempt, perspectives: names, finished };
    return [...statementsOf(workshop, each), signStatement(workshop.primary, statementPayload(workshop.primary, each))];
  });
}

/** The flattened JWS of a request of the account's. */
export function signRequest(key: KeyObject, header: JsonObject, payload: JsonObject): JsonObject {
  const { kind } = jwkOfKey(key);
  const alg = kind === 'Ed25519' ? 'EdDSA' : 'ES256';
  const protectedText = Buffer.from(JSON.stringify({ alg, ...header })).toString('base64url');
  const payloadText = Buffer.from(JSON.stringify(payload)).toString('base64url');
  const input = Buffer.from(`${protectedText}.${payloadText}`);
  const signature =
    alg === 'EdDSA' ? sign(null, input, key) : sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
  return { protected: protectedText, payload: payloadText, signature: signature.toString('base64url') };
}

/** What may differ in a finalize request. */
export type FinalizeChanges = {
  readonly url?: string;
  readonly kid?: string;
  readonly csr?: string;
  readonly signer?: KeyObject;
  readonly jwk?: JsonObject;
  readonly keyChanges?: readonly JsonObject[];
  readonly header?: JsonObject;
};

/** The finalize request of an order as evidence. */
export function finalizeEvidence(
  account: Account,
  orderId: string,
  csr: Uint8Array,
  changes: FinalizeChanges = {},
): Evidence {
  const url = changes.url ?? `${baseUrl}/acme/order/${orderId}/finalize`;
  const header = { kid: changes.kid ?? account.url, nonce: 'nonce', url, ...changes.header };
  const jws = signRequest(changes.signer ?? account.key, header, {
    csr: changes.csr ?? Buffer.from(csr).toString('base64url'),
  });
  const payload = { jws, jwk: changes.jwk ?? { ...account.jwk.jwk }, keyChanges: changes.keyChanges ?? [] };
  return { type: 'acme-finalize', payload: Buffer.from(JSON.stringify(payload)), certificates: [], statements: [] };
}

/** A change of the account's key, as the client sent it. */
export function keyChange(
  account: Account,
  newKey: KeyObject,
  changes: {
    readonly url?: string;
    readonly innerUrl?: string;
    readonly account?: string;
    readonly outerSigner?: KeyObject;
    readonly innerSigner?: KeyObject;
  } = {},
): JsonObject {
  const url = changes.url ?? `${baseUrl}/acme/key-change`;
  const payload = { account: changes.account ?? account.url, oldKey: { ...account.jwk.jwk } };
  const inner = signRequest(
    changes.innerSigner ?? newKey,
    { jwk: { ...jwkOfKey(newKey).jwk }, url: changes.innerUrl ?? url },
    payload,
  );
  return signRequest(changes.outerSigner ?? account.key, { kid: account.url, nonce: 'nonce', url }, inner);
}

/** What an enrollment is made of. */
export type EnrollmentParts = {
  readonly names: readonly string[];
  readonly account: Account;
  readonly statements: readonly Uint8Array[];
  readonly orderId?: string;
  readonly profile?: string;
  readonly csr?: Buffer;
  readonly finalize?: FinalizeChanges;
  readonly changes?: Partial<EnrollRequest>;
};

/** What a gate asks for that has everything. @param parts names as in certificates: `*.a.example`, `192.0.2.1` */
export function enrollmentOf(parts: EnrollmentParts): EnrollRequest {
  const { account, statements, orderId = newUnguessableId(), profile = 'tls-server-validated' } = parts;
  const names = parts.names.map((name) => (/^[0-9.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const csr = parts.csr ?? certificationRequest({ names });
  return enrollRequest(csr, {
    profile,
    idempotencyKey: acmeIdempotencyKey(orderId, csr),
    requester: { ...requester, kind: RequesterKind.REQUESTER_KIND_ACCOUNT, id: account.url },
    evidence: [perspectiveResults(statements), finalizeEvidence(account, orderId, csr, parts.finalize)],
    ...parts.changes,
  });
}

/** Evidence of statements. */
export function perspectiveResults(statements: readonly Uint8Array[]): Evidence {
  return {
    type: 'perspective-results',
    payload: Buffer.alloc(0),
    certificates: [],
    statements: statements.map((each) => Buffer.from(each)),
  };
}

/** An audit event's facts, the newest first. */
export function auditRecords({
  keep,
}: TestKeep): readonly { readonly action: string; readonly outcome: string; readonly body: string }[] {
  return keep.store
    .all<{ action: string; outcome: string; body: string | null }>({
      sql: 'select action, outcome, body from audit_events order by sequence desc limit 100',
    })
    .map(({ action, outcome, body }) => ({ action, outcome, body: body ?? '' }));
}

/** SHA-256 of a text, base64url. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
