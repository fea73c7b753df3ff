// serverkeygen, RFC 7030 §4.4: the gate makes the key, enrols it like any other by a CSR of its own, and hands both over in
// one answer. Key and signature of the client's CSR do not count. The key is never stored or logged, and a certificate
// whose key could not be delivered is revoked.

import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type CertificationRequest,
  createCertificationRequest,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { describePublicKey, PublicKeyError } from '@gatehouse/pkix/public-key';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { EnrollmentOutcome, IssuedEnrollment, PendingEnrollment } from '@gatehouse/ra-client/enrollment';
import type { Profile } from '@gatehouse/ra-client/profile';
import { idempotencyKey } from '../idempotency.ts';
import { checkBinding, checkRequestedNames, withUse } from './enroll.ts';
import { baseKey, readPart, toEnrollment } from './enrollment.ts';
import { EstError } from './error.ts';
import type { EnrollmentExchange } from './exchange.ts';
import type { EnrollmentGate } from './gate.ts';
import type { HeldKey } from './held-keys.ts';
import type { Identity } from './identity.ts';
import { type GeneratedKey, selectKeyDelivery } from './key-delivery.ts';
import { acceptableKeys, type KeyPreference, type PlainKeyType } from './key-preference.ts';
import { revokeUndelivered } from './revoke-undelivered.ts';

const generateKeyPairAsync = promisify(generateKeyPair);

/** A key that was generated and certified. */
export type IssuedKey = {
  readonly kind: 'issued';
  /** DER. */
  readonly certificate: Uint8Array;
  readonly serialNumber: string;
  /** A copy for this answer alone; whoever carries it overwrites it. */
  readonly key: GeneratedKey;
  /**
   * The client has it, as far as is known, or nothing is left to do for that: the key is forgotten, and the same request gets
   * another.
   *
   * @param keepMs how much longer the same request gets the same key, where the client may not have it after all
   */
  delivered(keepMs?: number): void;
  /**
   * The client did not get it, whatever was believed before: the key is forgotten, and its certificate is revoked unless
   * another answer carries the same key, as soon as the keep can be asked. Never throws; what fails is logged.
   */
  undelivered(): Promise<void>;
};

/** What became of a request for a generated key. */
export type GeneratedKeyOutcome = PendingEnrollment | IssuedKey;

/**
 * Generates a key and enrols it. Until {@link IssuedKey.delivered} or {@link IssuedKey.undelivered} is called, the same
 * request gets the same key and certificate.
 *
 * @throws {EstError | CoreError}
 */
export async function generateServerKey(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  request: CertificationRequest,
): Promise<GeneratedKeyOutcome> {
  checkBinding(exchange, identity, request);
  await checkRequestedNames(gate, exchange, identity, request);
  // Found before anything is made: when the client asks for encryption that cannot be done, nothing is issued.
  const keyDelivery = await selectKeyDelivery(gate, exchange, identity, request);
  const profile = await gate.profiles.get(exchange.label.profile);

  const requestKey = baseKey(gate, exchange, identity, request.der);
  const key = gate.heldKeys.find(requestKey) ?? (await makeKey(gate, identity, profile, request, requestKey));
  // Counted before the keep is asked: an answer that is lost meanwhile must not take the certificate from this one.
  key.deliveries.open++;
  try {
    const outcome = await enrollKey(gate, exchange, identity, key, requestKey);
    exchange.note({ enrollment: outcome.requestId });
    if (outcome.kind === 'pending') return outcome;
    exchange.note({ serialNumber: outcome.serialNumber });
    const delivery = trackDelivery(gate, exchange, identity, { requestKey, key, outcome });
    try {
      const { certificate, serialNumber } = outcome;
      return {
        kind: 'issued',
        certificate,
        serialNumber,
        key: await keyDelivery.writeKeyPart(key.privateKey),
        ...delivery,
      };
    } catch (error) {
      await delivery.undelivered();
      throw error;
    }
  } finally {
    // What is held is a copy.
    key.privateKey.fill(0);
  }
}

/** Enrols the key, and holds it for whoever asks for the same again. */
async function enrollKey(
  { core, heldKeys }: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  key: HeldKey,
  requestKey: string,
): Promise<EnrollmentOutcome> {
  const enrollment = {
    ...toEnrollment(exchange, identity, key.certificationRequest),
    idempotencyKey: key.idempotencyKey,
  };
  const { requestId } = exchange;
  try {
    const outcome = await withUse(identity, key.idempotencyKey, () => core.enroll(enrollment, { requestId }));
    heldKeys.hold(requestKey, key);
    if (outcome.kind === 'pending') key.deliveries.open--;
    return outcome;
  } catch (error) {
    key.deliveries.open--;
    // The keep may have issued without our hearing of it: the client's retry must find the same key.
    if (isUnanswered(error)) heldKeys.hold(requestKey, key);
    else heldKeys.release(requestKey, key);
    throw error;
  }
}

type CertifiedKey = { readonly requestKey: string; readonly key: HeldKey; readonly outcome: IssuedEnrollment };

/** What becomes of an answer that carries the key. */
function trackDelivery(
  gate: EnrollmentGate,
  exchange: EnrollmentExchange,
  identity: Identity,
  { requestKey, key, outcome }: CertifiedKey,
): Pick<IssuedKey, 'delivered' | 'undelivered'> {
  const { heldKeys, core } = gate;
  const { idempotencyKey: useKey, deliveries } = key;
  let state: 'open' | 'done' | 'lost' = 'open';
  return {
    delivered: (keepMs = 0) => {
      if (state !== 'open') return;
      state = 'done';
      deliveries.open--;
      deliveries.done++;
      heldKeys.release(requestKey, key, keepMs);
    },
    undelivered: async () => {
      if (state === 'lost') return;
      deliveries[state]--;
      state = 'lost';
      if (deliveries.open > 0 || deliveries.done > 0) return;
      heldKeys.release(requestKey, key);
      const { requester, uses } = identity;
      const { serialNumber } = outcome;
      await revokeUndelivered({ core, exchange, requester, serialNumber, onRevoked: () => uses?.giveBack(useKey) });
    },
  };
}

async function makeKey(
  { protocol }: EnrollmentGate,
  identity: Identity,
  profile: Profile,
  request: CertificationRequest,
  requestKey: string,
): Promise<HeldKey> {
  const key = await generateKey(chooseKey(profile, request));
  const certificationRequest = createCertificationRequest({
    subject: request.subject,
    key,
    names: readPart(() => requestedNames(request)),
    extensions: request.extensions.filter(({ id }) => !notTaken.has(id)),
  });
  return {
    holder: identity.key.join('\n'),
    privateKey: key.export({ type: 'pkcs8', format: 'der' }),
    certificationRequest,
    // The key is new, so this is a request of its own: a retry of the client's gets another key, since this one is gone.
    idempotencyKey: idempotencyKey([protocol, 'serverkeygen', requestKey, certificationRequest]),
    deliveries: { open: 0, done: 0 },
  };
}

/** Extensions that speak of the client's own key, and the names, which are written anew. */
const notTaken: ReadonlySet<string> = new Set([extensionIds.subjectKeyIdentifier, extensionIds.subjectAlternativeName]);

// RFC 7030 §4.4.1: the key in the CSR is ignored. Its kind is taken as a wish where the profile can grant it.
function chooseKey(profile: Profile, request: CertificationRequest): KeyPreference {
  const acceptable = acceptableKeys(profile);
  const wish = wishedKey(request);
  const granted = acceptable.find((key) => {
    if (wish?.kind === 'ec') return key.kind === 'ec' && key.curve === wish.curve;
    if (wish?.kind === 'ml-dsa') return key.kind === 'plain' && key.nodeType === wish.parameterSet.toLowerCase();
    if (wish?.kind === 'ed25519') return key.kind === 'plain' && key.nodeType === 'ed25519';
    return wish?.kind === key.kind;
  });
  const chosen = granted ?? acceptable[0];
  if (chosen === undefined) throw new EstError('not-allowed', `no key can be generated for profile ${profile.name}`);
  return chosen;
}

function wishedKey(request: CertificationRequest) {
  try {
    return describePublicKey(request.subjectPublicKeyInfo);
  } catch (error) {
    if (error instanceof PublicKeyError) return undefined;
    throw error;
  }
}

async function generateKey(preference: KeyPreference): Promise<KeyObject> {
  switch (preference.kind) {
    case 'ec':
      return (await generateKeyPairAsync('ec', { namedCurve: preference.curve })).privateKey;
    case 'rsa':
      return (await generateKeyPairAsync('rsa', { modulusLength: preference.bits })).privateKey;
    case 'plain':
      return generatePlainKey(preference.nodeType);
  }
}

function generatePlainKey(type: PlainKeyType): KeyObject {
  switch (type) {
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    default:
      return generateKeyPairSync(type).privateKey;
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof CoreError && (error.code === 'unavailable' || error.code === 'internal');
}
