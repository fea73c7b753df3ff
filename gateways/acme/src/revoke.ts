// revokeCert, RFC 8555 §7.6: by the key of the certificate, by the account that got it, or by an account that holds valid
// authorizations for all of its names. Who is entitled is decided here; the keep revokes, blocks a key that was lost, and
// tells the world.

import {
  type Certificate,
  CertificateError,
  maximumCertificateOctets,
  readCertificate,
  subjectAlternativeNames,
} from '@gatehouse/pkix/certificate';
import type { JsonValue } from '@gatehouse/pkix/jose/json';
import { RevocationReason } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Requester } from '@gatehouse/ra-client/enrollment';
import { isSameKey, readDer } from './certification-request.ts';
import { AcmeError, notFound, toAcmeError } from './errors.ts';
import type { AcmeExchange, KeyOperation } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { authorizedIdentifier, type Identifier } from './identifier.ts';
import { readAuthorizedIdentifiers } from './state/authorizations.ts';
import { markRevoked, readCertificateBySerialNumber, type StoredCertificate } from './state/certificates.ts';
import { readOrder } from './state/orders.ts';

/** RFC 5280 §5.3.1: 7 is not used. */
const reasons: ReadonlyMap<number, RevocationReason> = new Map(
  Object.values(RevocationReason)
    .filter((reason) => reason !== RevocationReason.UNRECOGNIZED)
    .map((reason) => [reason, reason]),
);

/** BR §4.9.1.1 with §7.2.2: reasons that a subscriber may give for a certificate of the public web. */
const publicReasons: ReadonlySet<number> = new Set([0, 1, 3, 4, 5]);

/** Answers `revoke-cert`. */
export const revokeCertificate: KeyOperation = async (gate, exchange) => {
  const { payload } = exchange;
  if (payload === undefined) throw new AcmeError('malformed', 'revokeCert needs a payload with the certificate');
  const certificate = readPayloadCertificate(payload.certificate, gate.configuration.strict);
  const reason = readReason(payload.reason);
  const stored = await findIssued(gate, certificate);
  exchange.note({ serialNumber: certificate.serialNumber, reason });

  const requester = await findEntitled(gate, exchange, certificate, stored);
  if (requester === undefined) {
    const detail =
      exchange.account === undefined
        ? 'the request is not signed by the key of the certificate'
        : 'the account did not get this certificate, and holds no valid authorizations for all of its names';
    throw new AcmeError('unauthorized', detail);
  }
  await checkReason(gate, stored, reason);
  // RFC 8555 §6.5: the keep is asked only by a request that was not made before.
  await exchange.commit([]);
  await revokeInKeep(gate, certificate, reason, requester);
  gate.certificates.standing.forget(certificate.serialNumber);
  const isFinal =
    reason !== RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD &&
    reason !== RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;
  if (isFinal) await gate.store.commit([markRevoked(certificate.serialNumber, gate.clock.now())]);
  return { status: 200 };
};

function readPayloadCertificate(value: JsonValue | undefined, isStrict: boolean): Certificate {
  const maximumOctets = maximumCertificateOctets;
  const der = readDer('certificate', value, { isStrict, type: 'malformed', maximumOctets });
  try {
    return readCertificate(der);
  } catch (cause) {
    if (cause instanceof CertificateError) throw new AcmeError('malformed', cause.detail, { cause });
    throw cause;
  }
}

function readReason(value: JsonValue | undefined): RevocationReason {
  if (value === undefined) return RevocationReason.REVOCATION_REASON_UNSPECIFIED;
  const reason = typeof value === 'number' ? reasons.get(value) : undefined;
  if (reason !== undefined) return reason;
  const text = typeof value === 'number' ? String(value) : 'what is no number';
  throw new AcmeError(
    'badRevocationReason',
    `${text} is not a reason; there are ${list(reasons.keys())} (RFC 5280 §5.3.1)`,
  );
}

/** The certificate as this directory knows it; undefined for one that the keep issued otherwise. */
async function findIssued(gate: AcmeGate, certificate: Certificate): Promise<StoredCertificate | undefined> {
  const stored = await readCertificateBySerialNumber(gate.store, certificate.serialNumber);
  if (stored !== undefined && Buffer.compare(stored.certificate, certificate.der) === 0) return stored;
  try {
    await gate.core.getCertificate({ certificate: certificate.der });
    return undefined;
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    if (error.code === 'not-found' || error.code === 'out-of-scope') throw notFound('certificate');
    throw toAcmeError(error);
  }
}

/** The right by which the request is made, in the words of the keep; undefined without one. */
async function findEntitled(
  gate: AcmeGate,
  exchange: AcmeExchange,
  certificate: Certificate,
  stored: StoredCertificate | undefined,
): Promise<Requester | undefined> {
  const { account, address, jwk } = exchange;
  if (account === undefined) {
    const isItsKey = isSameKey(certificate.subjectPublicKeyInfo, jwk.key);
    return isItsKey ? { kind: 'certificate', id: certificate.serialNumber, address } : undefined;
  }
  const requester: Requester = { kind: 'account', id: account.url, address };
  if (stored?.accountId === account.id) return requester;
  return (await holdsAllNames(gate, account.id, certificate)) ? requester : undefined;
}

async function holdsAllNames(gate: AcmeGate, accountId: string, certificate: Certificate): Promise<boolean> {
  const names = identifiersOf(certificate)?.map(authorizedIdentifier);
  if (names === undefined || names.length === 0 || names.length > 100) return false;
  const values = [...new Set(names.map(({ value }) => value))];
  const held = await readAuthorizedIdentifiers(gate.store, accountId, values, gate.clock.now());
  const keyOf = (one: (typeof held)[number]) => `${one.type} ${one.isWildcard} ${one.value}`;
  const keys = new Set(held.map(keyOf));
  return names.every((name) => keys.has(keyOf(name)));
}

/** The names of a certificate as identifiers; undefined when it has others that no authorization speaks of. */
export function identifiersOf(certificate: Certificate): readonly Identifier[] | undefined {
  const identifiers: Identifier[] = [];
  for (const name of subjectAlternativeNames(certificate)) {
    if (name.kind !== 'dns' && name.kind !== 'ip') return undefined;
    identifiers.push({ type: name.kind, value: name.value.toLowerCase() });
  }
  return identifiers;
}

/** Reasons are those of RFC 5280 §5.3.1, for the public web fewer. */
async function checkReason(
  { store, profiles }: AcmeGate,
  stored: StoredCertificate | undefined,
  reason: RevocationReason,
): Promise<void> {
  const order = stored === undefined ? undefined : await readOrder(store, stored.orderId);
  const policy = order === undefined ? undefined : profiles.find(order.profile)?.rules?.policy;
  if (policy !== 'public-br' || publicReasons.has(reason)) return;
  throw new AcmeError(
    'badRevocationReason',
    `reason ${reason} is not for subscribers; there are ${list(publicReasons)}`,
  );
}

async function revokeInKeep(
  { core }: AcmeGate,
  { serialNumber }: Certificate,
  reason: RevocationReason,
  requester: Requester,
): Promise<void> {
  try {
    await core.revoke({ serialNumber, reason, requester });
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    switch (error.code) {
      case 'already-revoked':
        throw new AcmeError('alreadyRevoked', 'the certificate is revoked already', { cause: error });
      case 'conflict':
        throw new AcmeError('badRevocationReason', 'removeFromCRL releases a hold, and there is none', {
          cause: error,
        });
      case 'out-of-scope':
        throw new AcmeError('unauthorized', `the certificate cannot be revoked here: ${error.detail}`, {
          cause: error,
        });
      default:
        throw toAcmeError(error);
    }
  }
}

function list(values: Iterable<number>): string {
  return [...values].join(', ');
}
