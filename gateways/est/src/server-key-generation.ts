// POST /serverkeygen, RFC 7030 §4.4: the gate makes the key, enrols it like any other by a CSR of its own, and hands both
// over in one multipart answer. Key and signature of the client's CSR do not count. The key is never stored or logged,
// and a certificate whose key could not be delivered is revoked at once.

import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { idempotencyKey } from '@gatehouse/gateway-kit/idempotency';
import {
  type CertificationRequest,
  createCertificationRequest,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { describePublicKey, PublicKeyError } from '@gatehouse/pkix/public-key';
import { RevocationReason } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { IssuedEnrollment } from '@gatehouse/ra-client/enrollment';
import type { Profile } from '@gatehouse/ra-client/profile';
import type { Identity } from './authenticate.ts';
import { checkBinding, checkRequestedNames, withUse } from './enroll.ts';
import { EstError } from './errors.ts';
import type { EstAnswer, EstExchange } from './exchange.ts';
import type { EstGate } from './gate.ts';
import type { HeldKey } from './held-keys.ts';
import { type KeyDelivery, selectKeyDelivery } from './key-delivery.ts';
import { acceptableKeys, type KeyPreference, type PlainKeyType } from './key-preference.ts';
import { writeKeyAndCertificate } from './multipart.ts';
import { answerPending, baseKey, readRequestBody, toEnrollment } from './translate.ts';

const generateKeyPairAsync = promisify(generateKeyPair);

/** Answers POST /serverkeygen. @throws {EstError | CoreError} */
export async function generateServerKey(gate: EstGate, exchange: EstExchange, identity: Identity): Promise<EstAnswer> {
  const request = readRequestBody(exchange.body);
  checkBinding(exchange, identity, request);
  await checkRequestedNames(gate, exchange, identity, request);
  // Found before anything is made: when the client asks for encryption that cannot be done, nothing is issued.
  const delivery = await selectKeyDelivery(gate, exchange, identity, request);
  const profile = await gate.profiles.get(exchange.label.profile);

  const requestKey = baseKey(exchange, identity, request.der);
  const key = gate.heldKeys.find(requestKey) ?? (await makeKey(profile, request, requestKey));
  const outcome = await withUse(gate.spentUses, identity, key.idempotencyKey, () =>
    gate.core.enroll(
      { ...toEnrollment(exchange, identity, key.certificationRequest), idempotencyKey: key.idempotencyKey },
      { requestId: exchange.requestId },
    ),
  ).catch((error: unknown) => {
    // The keep may have issued without our hearing of it: the client's retry must find the same key.
    if (isUnanswered(error)) gate.heldKeys.hold(requestKey, key);
    else gate.heldKeys.release(requestKey);
    throw error;
  });
  exchange.note({ enrollment: outcome.requestId });
  if (outcome.kind === 'pending') {
    gate.heldKeys.hold(requestKey, key);
    return answerPending(outcome.retryAfterSeconds);
  }
  exchange.note({ serialNumber: outcome.serialNumber });
  const answer = await deliver(gate, exchange, identity, delivery, key, outcome);
  gate.heldKeys.release(requestKey);
  key.privateKey.fill(0);
  return answer;
}

async function deliver(
  gate: EstGate,
  exchange: EstExchange,
  identity: Identity,
  delivery: KeyDelivery,
  key: HeldKey,
  outcome: IssuedEnrollment,
): Promise<EstAnswer> {
  const revoke = () => revokeUndelivered(gate, exchange, identity, key, outcome);
  try {
    const keyPart = await delivery.writeKeyPart(key.privateKey);
    const { contentType, body } = writeKeyAndCertificate(keyPart, certificatesOnly([outcome.certificate]));
    return {
      status: 200,
      contentType,
      body,
      headers: { 'cache-control': 'no-store' },
      outcome: 'issued with a generated key',
      onUndelivered: revoke,
    };
  } catch (error) {
    await revoke();
    throw error;
  }
}

async function revokeUndelivered(
  { core, spentUses }: EstGate,
  { requestId, log }: EstExchange,
  { requester, holder }: Identity,
  key: HeldKey,
  { serialNumber }: IssuedEnrollment,
): Promise<void> {
  try {
    const reason = RevocationReason.REVOCATION_REASON_CESSATION_OF_OPERATION;
    await core.revoke({ serialNumber, reason, requester }, { requestId });
    log.warn({ requestId, serialNumber }, 'the generated key could not be delivered; its certificate is revoked');
    if (holder?.kind === 'user') spentUses.giveBack(holder.user, key.idempotencyKey);
  } catch (error) {
    if (error instanceof CoreError && error.code === 'already-revoked') return;
    log.error({ err: error, requestId, serialNumber }, 'the certificate of an undelivered key could not be revoked');
  }
}

async function makeKey(profile: Profile, request: CertificationRequest, requestKey: string): Promise<HeldKey> {
  const key = await generateKey(chooseKey(profile, request));
  const certificationRequest = createCertificationRequest({
    subject: request.subject,
    key,
    names: requestedNames(request),
    extensions: request.extensions.filter(({ id }) => !notTaken.has(id)),
  });
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'der' }),
    certificationRequest,
    // The key is new, so this is a request of its own: a retry of the client's gets another key, since this one is gone.
    idempotencyKey: idempotencyKey(['est', 'serverkeygen', requestKey, certificationRequest]),
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
