// Credentials for the bridge: short-lived certificates of the service CA that say who calls, recorded like every other
// certificate.
// The name comes from the caller's own credential or join token, never from the request for the new one.

import { createHash } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import { RequesterKind } from '@gatehouse/proto/types';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Authority } from '../authorities/authority.ts';
import { issueServiceCertificate } from '../authorities/issue-service-certificate.ts';
import { insertCertificate } from '../store/certificates.ts';
import { writePerspectiveCredentialExpiry } from '../store/perspectives.ts';
import { writeCredentialExpiry } from '../store/registration-authorities.ts';
import type { WriteOperation } from '../store/write-set.ts';
import { type CallerKind, callerUri } from './caller.ts';

/** What makes credentials. */
export type CredentialIssuer = {
  readonly service: Authority;
  /** Two octets in front of every serial number. */
  readonly instancePrefix: Uint8Array;
  readonly clock: Clock;
};

/** A credential that is wanted. Possession of the key was proved and its quality checked. */
export type CredentialRequest = {
  readonly kind: CallerKind;
  readonly name: string;
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly lifeMs: number;
  readonly requestId: string;
  /** Serial number of the credential that it renews. */
  readonly renews?: string | undefined;
};

/** A credential that may leave the core once its operations are committed. */
export type IssuedCredential = {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly serialNumber: string;
  readonly notAfter: Date;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyFingerprint: Uint8Array;
  /** Records it. */
  readonly operations: readonly WriteOperation[];
};

/**
 * Name under which credentials stand among the certificates; profile ra-credential describes the same, but that a
 * perspective's may be a server's as well.
 */
export const credentialProfile = 'ra-credential';

/** Signs a credential and says how to record it. */
export function issueCredential(issuer: CredentialIssuer, request: CredentialRequest): IssuedCredential {
  const uri = callerUri(request.kind, request.name);
  const der = issueServiceCertificate({
    service: issuer.service,
    uri,
    subjectPublicKeyInfo: request.subjectPublicKeyInfo,
    lifeMs: request.lifeMs,
    // Gates that ask a perspective know it by the URI in its server certificate, which is this one.
    usage: request.kind === 'perspective' ? 'both' : 'client',
    instancePrefix: issuer.instancePrefix,
    clock: issuer.clock,
  });
  const certificate = readCertificate(der);
  const keyFingerprint = publicKeyFingerprint(request.subjectPublicKeyInfo);
  const isOperator = request.kind === 'operator';
  const operations = insertCertificate({
    serialNumber: certificate.serialNumber,
    authority: issuer.service.name,
    profile: credentialProfile,
    // A perspective may have the name of an RA; what it holds is still none of that RA's.
    registrationAuthority: request.kind === 'gate' ? request.name : '',
    requester: {
      kind: isOperator ? RequesterKind.REQUESTER_KIND_OPERATOR : RequesterKind.REQUESTER_KIND_REGISTRATION_AUTHORITY,
      id: uri,
      address: '',
      display: request.name,
    },
    requestId: request.requestId,
    subject: '',
    searchNames: [uri],
    keyFingerprint,
    certificate: der,
    tbsSha256: createHash('sha256').update(certificate.tbs).digest(),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    issuedAt: issuer.clock.now(),
    renews: request.renews,
    crlScope: '',
  });
  const { serialNumber, notAfter } = certificate;
  return { certificate: der, serialNumber, notAfter, keyFingerprint, operations };
}

/** Notes at the holder when its newest credential ends; operators have no such note. */
export function credentialExpiry(kind: CallerKind, name: string, notAfter: Date): readonly WriteOperation[] {
  if (kind === 'gate') return [writeCredentialExpiry(name, notAfter)];
  if (kind === 'perspective') return [writePerspectiveCredentialExpiry(name, notAfter)];
  return [];
}
