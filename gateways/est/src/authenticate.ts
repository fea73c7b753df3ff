// Who is asking, and by which proof, RFC 7030 §3.2.3 and §3.3.2: a TLS client certificate, HTTP credentials, or both, as
// the label demands. Wrong credentials are never outweighed by a right certificate, and nothing here decides on names.

import {
  authorizeCertificate,
  type CertificateRight,
  type CertificateRights,
} from '@gatehouse/gateway-kit/est/certificate-rights';
import {
  type CertificateJudge,
  type CertificateVerdict,
  type ClientCertificate,
  judgeClientCertificate,
} from '@gatehouse/gateway-kit/est/client-certificate';
import type { Label } from '@gatehouse/gateway-kit/est/configuration';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import { type CountedUses, evidenceOf, type Identity } from '@gatehouse/gateway-kit/est/identity';
import type { NamePolicy } from '@gatehouse/gateway-kit/est/name-policy';
import { enrollmentOperations } from '@gatehouse/gateway-kit/est/operation-names';
import { describeCertificate, holderKey } from '@gatehouse/gateway-kit/est/requester';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readAuthorization } from './authorization.ts';
import { type AuthenticationScheme, type CredentialHolder, describeHolder, type SchemeName } from './credentials.ts';
import { HttpRefusal } from './errors.ts';
import type { EstExchange } from './exchange.ts';
import type { SpentUses } from './spent-uses.ts';

/** Who asks, and what that allows. */
export type EstIdentity = Identity & { readonly holder: CredentialHolder | undefined };

/** What authentication stands on. */
export type Authentication = {
  readonly schemes: ReadonlyMap<SchemeName, AuthenticationScheme>;
  readonly certificates: CertificateJudge;
  readonly certificateRights: CertificateRights;
  readonly spentUses: SpentUses;
};

/** Proofs that a message brings beside those of its connection: who signed it, and a shared secret (RFC 5272 §3.2, §6.2). */
export type MessageProofs = {
  readonly certificate: CertificateVerdict;
  readonly holder: CredentialHolder | undefined;
};

/** Finds out who asks, by the proofs of the connection and of the message. @throws {EstError | CoreError} */
export type Identify = (exchange: EstExchange, proofs: MessageProofs) => Promise<EstIdentity>;

const noProofs: MessageProofs = { certificate: { kind: 'absent' }, holder: undefined };

type CredentialOutcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'accepted'; readonly holder: CredentialHolder }
  | { readonly kind: 'refused'; readonly reason: string; readonly isStale: boolean };

/**
 * Finds out who asks.
 *
 * @param message proofs of the message itself; they stand before those of the connection, being closer to what is asked
 * @throws {EstError} `unauthenticated` with every challenge of the label, `not-allowed`, or `too-many-requests`
 * @throws {CoreError} when the keep cannot be asked about a certificate
 */
export async function authenticate(
  authentication: Authentication,
  exchange: EstExchange,
  message: MessageProofs = noProofs,
): Promise<EstIdentity> {
  const { label } = exchange;
  const verdict =
    message.certificate.kind === 'absent'
      ? await judgeClientCertificate(authentication.certificates, exchange)
      : message.certificate;
  const credentials = await judgeCredentials(authentication, exchange);
  if (credentials.kind === 'refused') {
    exchange.note({ credentials: credentials.reason });
    throw unauthenticated(authentication, label, 'the credentials are not accepted', credentials.isStale);
  }
  if (verdict.kind === 'refused') exchange.note({ clientCertificate: verdict.reason });

  const holder = message.holder ?? (credentials.kind === 'accepted' ? credentials.holder : undefined);
  const client = verdict.kind === 'accepted' ? verdict.client : undefined;
  demandProofs(authentication, label, verdict, holder);
  if (holder !== undefined) authorizeHolder(holder, label);
  return identify(authentication, exchange, client, holder);
}

/** Challenges for the schemes of a label, as one WWW-Authenticate field; none when it takes certificates alone. */
export function challenges(authentication: Authentication, label: Label, isStale: boolean): readonly string[] {
  if (label.authentication.requires === 'certificate') return [];
  return label.authentication.schemes.flatMap((name) => authentication.schemes.get(name)?.challenge(isStale) ?? []);
}

async function judgeCredentials(authentication: Authentication, exchange: EstExchange): Promise<CredentialOutcome> {
  const { authorization, label, method, target, peer } = exchange;
  if (authorization === undefined) return { kind: 'absent' };
  const refused = (reason: string, isStale = false): CredentialOutcome => ({ kind: 'refused', reason, isStale });
  const credentials = readAuthorization(authorization);
  if (credentials === undefined) return refused('malformed Authorization field');
  const name = label.authentication.schemes.find((offered) => offered === credentials.scheme);
  const scheme = name === undefined ? undefined : authentication.schemes.get(name);
  if (scheme === undefined) return refused('a scheme that the label does not offer');
  const verdict = await scheme.verify({ credentials, method, target, address: peer.remoteAddress });
  return verdict.ok ? { kind: 'accepted', holder: verdict.holder } : refused(verdict.reason, verdict.isStale ?? false);
}

function demandProofs(
  authentication: Authentication,
  label: Label,
  verdict: CertificateVerdict,
  holder: CredentialHolder | undefined,
): void {
  const { requires } = label.authentication;
  const hasCertificate = verdict.kind === 'accepted';
  const lacksCredentials = holder === undefined && (requires === 'credentials' || requires === 'both');
  const lacksBoth = holder === undefined && !hasCertificate;
  const why = verdict.kind === 'refused' ? verdict.reason : undefined;
  if (lacksCredentials || lacksBoth) {
    if (challenges(authentication, label, false).length > 0) {
      throw unauthenticated(authentication, label, why ?? 'authentication is required', false);
    }
    throw new EstError('not-allowed', why ?? 'a client certificate is required');
  }
  if (!hasCertificate && (requires === 'certificate' || requires === 'both')) {
    throw new EstError('not-allowed', why ?? 'a client certificate is required');
  }
}

function authorizeHolder(holder: CredentialHolder, label: Label): void {
  const labels = holder.kind === 'user' ? holder.user.labels : holder.labels;
  if (!labels.includes('*') && !labels.includes(label.name)) {
    throw new EstError('not-allowed', `these credentials are not for label ${label.name}`);
  }
}

function identify(
  authentication: Authentication,
  exchange: EstExchange,
  client: ClientCertificate | undefined,
  holder: CredentialHolder | undefined,
): EstIdentity {
  const address = exchange.peer.remoteAddress;
  const right = client === undefined ? undefined : rightOf(authentication, exchange, client, holder);
  const byCertificate = client === undefined ? undefined : describeCertificate(client, address);
  const byCredentials = holder === undefined ? undefined : describeHolder(holder, address);
  // A renewal is the certificate's own act; for everything else the credentials say more about who asks.
  const isRenewal = exchange.operation === 'simplereenroll' && client?.kind === 'own';
  const requester = isRenewal ? (byCertificate ?? byCredentials) : (byCredentials ?? byCertificate);
  if (requester === undefined) throw new EstError('not-allowed', 'authentication is required');
  return {
    requester,
    key: [
      client === undefined || byCertificate === undefined ? '' : holderKey(client, byCertificate),
      byCredentials === undefined ? '' : `${byCredentials.kind} ${byCredentials.id}`,
    ],
    holder,
    client,
    names: namesOf(holder) ?? right?.names ?? (() => ['every name']),
    isRegistrationAuthority: right?.isRegistrationAuthority ?? false,
    evidence: evidenceOf(client),
    uses: usesOf(authentication.spentUses, holder),
  };
}

// With credentials beside it, a certificate needs no right of its own: it is a second proof, not a second permission.
function rightOf(
  { certificateRights }: Authentication,
  exchange: EstExchange,
  client: ClientCertificate,
  holder: CredentialHolder | undefined,
): CertificateRight | undefined {
  const right = authorizeCertificate(certificateRights, exchange, client);
  if (right.ok) return right.right;
  const isEnrollment = (enrollmentOperations as readonly string[]).includes(exchange.operation);
  if (holder === undefined && isEnrollment) throw new EstError('not-allowed', right.reason);
  return undefined;
}

function namesOf(holder: CredentialHolder | undefined): NamePolicy | undefined {
  if (holder === undefined) return undefined;
  return holder.kind === 'user' ? holder.user.names : holder.names;
}

function usesOf(spentUses: SpentUses, holder: CredentialHolder | undefined): CountedUses | undefined {
  if (holder?.kind !== 'user' || holder.user.uses === undefined) return undefined;
  const { user } = holder;
  return {
    spend: (requestKey) => {
      try {
        return spentUses.spend(user, requestKey);
      } catch (error) {
        if (!(error instanceof FatalError)) throw error;
        throw new EstError('unavailable', 'the use of the password cannot be recorded now', { cause: error });
      }
    },
    giveBack: (requestKey) => spentUses.giveBack(user, requestKey),
  };
}

function unauthenticated(authentication: Authentication, label: Label, detail: string, isStale: boolean): EstError {
  const fields = challenges(authentication, label, isStale);
  // RFC 9110 §11.6.1: a 401 has a challenge; a label without schemes has none to give.
  if (fields.length === 0) return new EstError('not-allowed', detail);
  return new HttpRefusal('unauthenticated', detail, { headers: { 'www-authenticate': fields.join(', ') } });
}
