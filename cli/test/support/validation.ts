// Evidence as perspectives and account holders sign it, made by tests that hold all of their keys.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import type { JsonObject } from '@gatehouse/pkix/jose/json';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { type StatementPayload, statementType } from '@gatehouse/proto/perspective-statement';

/** Whoever signs: a perspective, by its URI, with its key. */
export type Signer = { readonly uri: string; readonly key: KeyObject };

/** An order of an account, about one name. */
export type TestOrder = {
  /** Base URL of the ACME gate. */
  readonly base: string;
  readonly name: string;
  readonly accountKey: KeyObject;
  readonly orderId: string;
  /** Names of the perspectives that are asked. */
  readonly perspectives: readonly string[];
  readonly issuerDomainName: string;
};

/** A key on P-256. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** A request for the name with a key of its own, DER. */
export function newRequestFor(name: string, key = newKey()): Uint8Array {
  return createCertificationRequest({ subject: [], names: [{ kind: 'dns', value: name }], key });
}

/** URL of the account of an order. */
export function accountUri({ base }: TestOrder): string {
  return `${base}/acme/account/one`;
}

/** What one perspective saw in one check, when all is well. */
export function statementPayload(
  order: TestOrder,
  check: 'dcv' | 'caa',
  signer: Pick<Signer, 'uri'>,
  attempt: string,
): StatementPayload {
  const { name, orderId, perspectives, accountKey, issuerDomainName } = order;
  const { thumbprint } = jwkOfKey(accountKey);
  const token = createHash('sha256').update(attempt).digest('base64url');
  const now = new Date().toISOString();
  const caa: StatementPayload['caa'] = {
    decision: 'permitted',
    issuerDomainNames: [issuerDomainName],
    lookup: 'none',
  };
  const control = { token, expected: createHash('sha256').update(`${token}.${thumbprint}`).digest('base64url') };
  return {
    v: 1,
    perspective: signer.uri,
    site: signer.uri.slice(signer.uri.lastIndexOf('/') + 1),
    rir: '',
    build: 'test',
    attempt,
    order: orderId,
    authorization: 'authz',
    perspectives: [...perspectives].sort(),
    check,
    identifier: { type: 'dns', value: name },
    isWildcard: false,
    method: 'dns-01',
    account: accountUri(order),
    thumbprint,
    ...(check === 'dcv' ? control : { caa }),
    result: 'pass',
    dns: [],
    started: now,
    finished: now,
  };
}

/** A statement as its perspective signs it: compact JWS. */
export function signStatement(payload: StatementPayload, key: KeyObject): string {
  return signCompactJws({
    header: { typ: statementType, kid: jwkOfKey(key).thumbprint },
    payload: Buffer.from(canonicalJson(payload)),
    key,
  });
}

/** Both checks by all perspectives. */
export function statementsOf(order: TestOrder, signers: readonly Signer[]): readonly string[] {
  return (['dcv', 'caa'] as const).flatMap((check) => {
    const attempt = randomBytes(16).toString('base64url');
    return signers.map((signer) => signStatement(statementPayload(order, check, signer, attempt), signer.key));
  });
}

/** Evidence of type `acme-finalize`: what the account holder signed for this certification request (DER). */
export function finalizeEvidence(order: TestOrder, csr: Uint8Array): Buffer {
  const { base, orderId, accountKey } = order;
  const header = { url: `${base}/acme/order/${orderId}/finalize`, kid: accountUri(order), nonce: 'bm9uY2U' };
  const payload: JsonObject = { csr: Buffer.from(csr).toString('base64url') };
  const jws = flattenedJws(header, payload, accountKey);
  return Buffer.from(JSON.stringify({ jws, jwk: jwkOfKey(accountKey).jwk, keyChanges: [] }));
}

/** A flattened JWS, RFC 7515 §7.2.2. */
export function flattenedJws(header: JsonObject, payload: JsonObject, key: KeyObject): JsonObject {
  const compact = signCompactJws({ header, payload: Buffer.from(JSON.stringify(payload)), key });
  const [protectedText = '', payloadText = '', signature = ''] = compact.split('.');
  return { protected: protectedText, payload: payloadText, signature };
}

/** The idempotency key of the enrollment that an order comes to. */
export function idempotencyKeyOf({ orderId }: TestOrder, csr: Uint8Array): string {
  return `acme:${orderId}:${createHash('sha256').update(csr).digest('base64url')}`;
}
