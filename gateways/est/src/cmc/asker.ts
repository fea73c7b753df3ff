// Who asks by a Full PKI Request, and whether it renews: the proofs of the message (the certificate that signed it, a
// shared secret) stand before those of the connection, since they are closer to what is asked. A message that is signed by
// a certificate of ours and repeats its names is a renewal (RFC 5272 §3.2, §6.3.3), by the rules of simplereenroll.

import { isProfileOf } from '@gatehouse/gateway-kit/est/certificate-rights';
import {
  type CertificateVerdict,
  judgeClientCertificate,
  type OwnCertificate,
} from '@gatehouse/gateway-kit/est/client-certificate';
import { hasNames } from '@gatehouse/gateway-kit/est/reenroll';
import { takenNames } from '@gatehouse/gateway-kit/est/requested-names';
import type { Certificate } from '@gatehouse/pkix/certificate';
import type { Profile } from '@gatehouse/ra-client/client';
import type { EstIdentity, Identify } from '../authenticate.ts';
import type { CredentialHolder } from '../credentials.ts';
import type { EstExchange } from '../exchange.ts';
import type { EstGate } from '../gate.ts';
import type { CmcRequest } from './certification-requests.ts';
import type { MessageSigner } from './message-signer.ts';

/** Who asks. */
export type Asker = {
  readonly identity: EstIdentity;
  /** The certificate being renewed. */
  readonly renews: Certificate | undefined;
};

/** What is known of the signer before anybody is identified. */
export type SignerVerdict = {
  readonly verdict: CertificateVerdict;
  /** Whether the message renews the certificate that signed it. */
  readonly isRenewal: boolean;
};

/** Judges the certificate that signed. @throws {CoreError} when the keep cannot be asked */
export async function judgeSigner(
  gate: EstGate,
  exchange: EstExchange,
  signer: MessageSigner,
  requests: readonly CmcRequest[],
): Promise<SignerVerdict> {
  if (signer.kind !== 'certificate') return { verdict: { kind: 'absent' }, isRenewal: false };
  const { certificate, others } = signer;
  const judgeFor = (operation: EstExchange['operation']): Promise<CertificateVerdict> =>
    judgeClientCertificate(gate.authentication.certificates, {
      ...exchange,
      operation,
      peer: { ...exchange.peer, certificate: certificate.der, chain: others },
    });
  const profile = await gate.profiles.get(exchange.label.profile);
  const repeatsNames = hasNamesOf(profile, requests, certificate);
  const isOfLabel = ({ record }: OwnCertificate): boolean => isProfileOf(exchange.label, record.profile);

  const verdict = await judgeFor('fullcmc');
  if (verdict.kind === 'accepted') {
    return { verdict, isRenewal: repeatsNames && verdict.client.kind === 'own' && isOfLabel(verdict.client) };
  }
  // One that has ended may still renew itself where the label says so, and do nothing else.
  const late = repeatsNames ? await judgeFor('simplereenroll') : verdict;
  const isLateRenewal = late.kind === 'accepted' && late.client.kind === 'own' && isOfLabel(late.client);
  return isLateRenewal ? { verdict: late, isRenewal: true } : { verdict, isRenewal: false };
}

/** Identifies the asker by all proofs. @throws {EstError | CoreError} */
export async function identifyAsker(
  exchange: EstExchange,
  identify: Identify,
  { verdict, isRenewal }: SignerVerdict,
  holder: CredentialHolder | undefined,
): Promise<Asker> {
  const operation = isRenewal ? 'simplereenroll' : 'fullcmc';
  const identity = await identify({ ...exchange, operation }, { certificate: verdict, holder });
  const renews = isRenewal && verdict.kind === 'accepted' ? verdict.client.certificate : undefined;
  return { identity, renews };
}

// A certificate is renewed once: a message with more requests asks for something else.
function hasNamesOf(profile: Profile, requests: readonly CmcRequest[], certificate: Certificate): boolean {
  const [request, ...more] = requests;
  if (request === undefined || more.length > 0) return false;
  return hasNames(profile, takenNames(profile, request.subject, request.names), certificate);
}
