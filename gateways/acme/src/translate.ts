// From an order to an enrollment, and from the keep's refusal back to the error of the order. What crosses the bridge: the
// CSR as it came, the finalize request that the account signed, and what perspectives signed about each name. The keep
// believes those signatures and nothing else (mpic.md §3).

import { createHash } from 'node:crypto';
import {
  type CertificationRequest,
  readCertificationRequest,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { Enrollment, Evidence } from '@gatehouse/ra-client/enrollment';
import { hostsOfSubject } from './certification-request.ts';
import type { AcmeGate } from './gate.ts';
import { readStatement } from './perspectives/judge-statement.ts';
import type { AcmeProfile } from './profiles.ts';
import { type Account, type KeyChange, readAccountKeys } from './state/accounts.ts';
import { type Authorization, readAuthorizations } from './state/authorizations.ts';
import type { Order } from './state/orders.ts';

/** What an enrollment is made with. */
export type TranslationParts = Pick<AcmeGate, 'store' | 'validation'>;

/** An order that was finalized. */
export type FinalizedOrder = Order & {
  readonly finalize: string;
  readonly finalizeJwk: string;
  readonly certificationRequest: Uint8Array;
};

/** Whether an order has what its finalize request leaves behind. */
export function isFinalized(order: Order): order is FinalizedOrder {
  return order.finalize !== undefined && order.finalizeJwk !== undefined && order.certificationRequest !== undefined;
}

/**
 * Makes the enrollment of an order. Tried again it is the same by its idempotency key, whatever was signed about its names
 * meanwhile.
 *
 * @param thumbprint RFC 7638 of the key that signed the finalize request
 * @throws {AcmeError} when an authorization does not hold any more, or CAA records forbid now (RFC 8659 §3): this gate refuses
 * by itself too, since with mode `off` nobody else would
 */
export async function toEnrollment(
  gate: TranslationParts,
  order: FinalizedOrder,
  account: Account,
  profile: AcmeProfile,
  thumbprint: string,
): Promise<Enrollment> {
  const { certificationRequest } = order;
  const added = namesToAdd(readCertificationRequest(certificationRequest));
  const evidence = await evidenceOf(gate, order, account, profile, thumbprint);
  return {
    idempotencyKey: idempotencyKeyOf(order.id, certificationRequest),
    profile: profile.settings.profile,
    subjectKey: { kind: 'certification-request', der: certificationRequest },
    requester: { kind: 'account', id: account.url, display: shorten(account.contact[0] ?? '') },
    ...(added.length === 0 ? {} : { names: { subjectAlternativeNames: added } }),
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    evidence,
  };
}

/** One certificate for an order and a CSR, however often it is asked for (acme.md §2 'One order, one certificate'). */
export function idempotencyKeyOf(orderId: string, certificationRequest: Uint8Array): string {
  return `acme:${orderId}:${createHash('sha256').update(certificationRequest).digest('base64url')}`;
}

/** The keep may judge by it, or only record it; a profile with mode `off` has none. */
function demandsEvidence({ rules }: AcmeProfile): boolean {
  return rules?.mode === 'enforce' || rules?.mode === 'monitor';
}

async function evidenceOf(
  { store, validation }: TranslationParts,
  order: FinalizedOrder,
  account: Account,
  profile: AcmeProfile,
  thumbprint: string,
): Promise<readonly Evidence[]> {
  const authorizations = await readAuthorizations(store, order.authorizations);
  const statements = await Promise.all(authorizations.map((one) => validation.freshStatements(one)));
  if (!demandsEvidence(profile)) return preAuthorizations(authorizations);
  const keys = await keysFrom(store, account, provenKeys(authorizations, statements), thumbprint);
  return [
    { type: 'perspective-results', payload: new Uint8Array(0), statements: statements.flat() },
    { type: 'acme-finalize', payload: Buffer.from(writeFinalize(order, keys)) },
  ];
}

/** Names that needed no challenge: by which key of an external account, for the audit log of the keep. */
function preAuthorizations(authorizations: readonly Authorization[]): readonly Evidence[] {
  const keyId = authorizations.find(({ externalAccount }) => externalAccount !== undefined)?.externalAccount;
  return keyId === undefined ? [] : [{ type: 'acme-external-account', payload: Buffer.from(keyId) }];
}

/** The JSON of `acme-finalize`: all its parts are JSON as it was received or stored. */
function writeFinalize({ finalize, finalizeJwk }: FinalizedOrder, changes: readonly string[]): string {
  return `{"jws":${finalize},"jwk":${finalizeJwk},"keyChanges":[${changes.join(',')}]}`;
}

/** Thumbprints that challenges were answered with, and those that persistent records name, which may be older. */
function provenKeys(
  authorizations: readonly Authorization[],
  statements: readonly (readonly string[])[],
): ReadonlySet<string> {
  const persistent = statements.filter((_, index) => authorizations[index]?.method === 'dns-persist-01').flat();
  return new Set([
    ...authorizations.flatMap(({ thumbprint }) => thumbprint ?? []),
    ...persistent.flatMap((statement) => readStatement(statement)?.thumbprint ?? []),
  ]);
}

/** The key changes that lead from the oldest key that a name was validated for to that of the finalize request. */
async function keysFrom(
  store: TranslationParts['store'],
  account: Account,
  proven: ReadonlySet<string>,
  thumbprint: string,
): Promise<readonly string[]> {
  if (proven.values().every((one) => one === thumbprint)) return [];
  const keys = (await readAccountKeys(store, account.id)).toReversed();
  return linkKeys(keys, proven, thumbprint);
}

/**
 * The key changes between the oldest of some keys and another key of the same account.
 *
 * @param keys of the account, the oldest first
 */
export function linkKeys(keys: readonly KeyChange[], from: ReadonlySet<string>, to: string): readonly string[] {
  const first = keys.findIndex(({ thumbprint }) => from.has(thumbprint));
  const last = keys.findIndex(({ thumbprint }) => thumbprint === to);
  if (first < 0) return [];
  return keys.slice(first + 1, last + 1).flatMap(({ keyChange }) => (keyChange === undefined ? [] : [keyChange]));
}

/**
 * Names that stand in the common name alone. RFC 8555 §7.4 counts them; a certificate has all its names among the
 * alternative ones (BR §7.1.4.3), and the keep adds none by itself where a request has some.
 */
function namesToAdd(request: CertificationRequest): readonly GeneralName[] {
  const present = new Set(
    requestedNames(request).flatMap((name) =>
      name.kind === 'dns' || name.kind === 'ip' ? [`${name.kind}:${name.value.toLowerCase()}`] : [],
    ),
  );
  return hostsOfSubject(request)
    .hosts.filter(({ type, value }) => !present.has(`${type}:${value}`))
    .map(({ type, value }) => ({ kind: type, value }));
}

/** The contract takes 256 octets. */
function shorten(text: string): string {
  return Buffer.from(text)
    .subarray(0, 256)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '?');
}
