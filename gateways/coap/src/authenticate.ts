// Who is asking, RFC 9148 §3: whoever holds the certificate of the DTLS session, which is judged again for each request, since
// sessions outlive revocations and the handshake does not look at the time. There are no passwords here: labels that demand
// them are closed.

import { authorizeCertificate } from '@gatehouse/gateway-kit/est/certificate-rights';
import {
  type ClientCertificate,
  type JudgedExchange,
  judgeClientCertificate,
} from '@gatehouse/gateway-kit/est/client-certificate';
import type { Label } from '@gatehouse/gateway-kit/est/configuration';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { EnrollmentExchange } from '@gatehouse/gateway-kit/est/exchange';
import { evidenceOf, type Identity } from '@gatehouse/gateway-kit/est/identity';
import { describeCertificate, holderKey } from '@gatehouse/gateway-kit/est/requester';
import type { CoapGate } from './gate.ts';

type Authentication = Pick<CoapGate, 'certificates' | 'certificateRights'>;

/** Whether a label can be served at all without passwords. */
export function isServedOverCoap({ authentication: { requires } }: Label): boolean {
  return requires === 'any' || requires === 'certificate';
}

/**
 * Lets in whoever has a certificate that counts under the label, for what all of them may fetch.
 *
 * @throws {EstError} `unauthenticated` when the certificate is not accepted, `not-allowed` when it does not count here
 * @throws {CoreError} when the keep cannot be asked about it
 */
export async function admit(authentication: Authentication, exchange: EnrollmentExchange): Promise<ClientCertificate> {
  return await judge(authentication, { ...exchange, operation: undefined });
}

/**
 * Finds out who asks for a certificate, and what that allows.
 *
 * @throws {EstError} as {@link admit}; `not-allowed` when the certificate gives no right to the operation
 * @throws {CoreError} when the keep cannot be asked about it
 */
export async function authenticate(authentication: Authentication, exchange: EnrollmentExchange): Promise<Identity> {
  const client = await judge(authentication, exchange);
  const authorization = authorizeCertificate(authentication.certificateRights, exchange, client);
  if (!authorization.ok) throw new EstError('not-allowed', authorization.reason);
  const requester = describeCertificate(client, exchange.peer.remoteAddress);
  return {
    requester,
    // Of the certificate alone: devices change addresses, ports and sessions.
    key: [holderKey(client, requester)],
    client,
    names: authorization.right.names,
    isRegistrationAuthority: authorization.right.isRegistrationAuthority,
    evidence: evidenceOf(client),
  };
}

/**
 * The labels under which the certificate counts, in their order; never none.
 *
 * @throws {EstError} as {@link admit}, when there is none
 * @throws {CoreError} when the keep cannot be asked about the certificate
 */
export async function admittedLabels(
  authentication: Authentication,
  labels: readonly Label[],
  exchange: Pick<JudgedExchange, 'requestId' | 'peer'>,
): Promise<readonly Label[]> {
  const served = labels.filter(isServedOverCoap);
  const admitted: Label[] = [];
  let refusal = new EstError('not-allowed', 'no label is served here');
  for (const label of served) {
    try {
      const client = await judge(authentication, { ...exchange, label, operation: undefined });
      // The CA certificates are the same under all labels, and so is the status of a certificate of ours.
      if (client.kind === 'own') return served;
      admitted.push(label);
    } catch (error) {
      if (!(error instanceof EstError)) throw error;
      // What is not accepted at all is accepted nowhere.
      if (error.code === 'unauthenticated') throw error;
      refusal = error;
    }
  }
  if (admitted.length === 0) throw refusal;
  return admitted;
}

async function judge({ certificates }: Authentication, exchange: JudgedExchange): Promise<ClientCertificate> {
  if (!isServedOverCoap(exchange.label)) throw new EstError('not-allowed', 'this label demands a password');
  const verdict = await judgeClientCertificate(certificates, exchange);
  switch (verdict.kind) {
    case 'accepted':
      return verdict.client;
    case 'absent':
      throw new EstError('unauthenticated', 'a client certificate is required');
    case 'refused':
      throw new EstError(verdict.isOutOfPlace ? 'not-allowed' : 'unauthenticated', verdict.reason);
  }
}
