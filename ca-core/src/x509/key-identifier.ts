// The key identifier by which a certificate points to its issuer's key (RFC 5280 §4.2.1.1). The two ends must agree, so
// what the issuer's certificate says goes before what would be computed.
import { type Extension, findExtension, keyIdentifier, readSubjectKeyIdentifier } from '@gatehouse/pkix/extensions';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';

/** What is needed of an issuer; a `Certificate` of pkix has it. A root that is being made has no extensions yet. */
export type TemplateIssuer = {
  /** Its subject, DER: becomes the issuer field octet for octet (RFC 5280 §7.1 compares, but not everybody normalises). */
  readonly subjectDer: Uint8Array;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly extensions: readonly Extension[];
};

/** KeyIdentifier of the issuer: its certificate's subjectKeyIdentifier, or the one we would give it (RFC 7093 §2 method 1). */
export function keyIdentifierOf(issuer: TemplateIssuer): Uint8Array {
  const own = findExtension(issuer.extensions, extensionIds.subjectKeyIdentifier);
  return own === undefined ? keyIdentifier(issuer.subjectPublicKeyInfo) : readSubjectKeyIdentifier(own.value);
}
