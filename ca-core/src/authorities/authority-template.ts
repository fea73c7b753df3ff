// A certificate template bound to the authority that signs it. It exists so that issuer, key identifier and signature
// algorithm always come from the same authority and never from three places, and so that no authority is bound to
// certificates that its own certificate does not allow.
import { extensionOf } from '@gatehouse/pkix/certificate';
import { readBasicConstraints } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import {
  type CertificateTemplate,
  createCertificateTemplate,
  type TemplateFacts,
} from '../x509/certificate-template.ts';
import type { Authority } from './authority.ts';

/** What a profile says about its certificates; a `Profile` has it. */
export type AuthorityTemplateFacts = Omit<TemplateFacts, 'issuer' | 'signatureAlgorithm'>;

/**
 * A template for certificates that `authority` signs.
 *
 * @throws {RangeError} when the facts contradict each other, or the path length of the authority allows no such CA
 */
export function createAuthorityTemplate(authority: Authority, facts: AuthorityTemplateFacts): CertificateTemplate {
  checkPathLength(authority, facts);
  return createCertificateTemplate({
    ...facts,
    issuer: authority.certificate,
    signatureAlgorithm: authority.signer.signatureAlgorithm,
  });
}

// RFC 5280 §4.2.1.9: pathLenConstraint is the number of CA certificates that may follow.
function checkPathLength({ certificate, name }: Authority, { basicConstraints }: AuthorityTemplateFacts): void {
  const own = extensionOf(certificate, extensionIds.basicConstraints);
  const allowed = own === undefined ? undefined : readBasicConstraints(own.value).pathLength;
  if (!basicConstraints.isCa || allowed === undefined) return;
  if (allowed === 0) throw new RangeError(`the ${name} CA may not certify other CAs`);
  if (basicConstraints.pathLength === undefined || basicConstraints.pathLength >= allowed) {
    throw new RangeError(`a CA below the ${name} CA needs a path length of at most ${allowed - 1}`);
  }
}
