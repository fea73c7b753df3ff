// Degenerate SignedData that carries certificates and nothing else (RFC 5652 §5.1, RFC 5272 §4.1 'certs-only'), the
// answer of EST and SCEP. Nobody signs it, so it must never be taken as proof of anything.
import { explicit, integer, objectIdentifier, sequence, setOf, sortForSetOf, wrap } from '../der/writer.ts';
import { contentTypes } from '../object-identifiers.ts';
import { CmsError } from './error.ts';
import { readSignedData } from './signed-data.ts';

/**
 * ContentInfo with SignedData around the DER of the certificates. They are put in the order that DER demands of a SET OF,
 * because strict readers insist on it; a client finds its own certificate by its key.
 */
export function certificatesOnly(certificates: readonly Uint8Array[]): Uint8Array {
  // RFC 5652 §5.1: version 1 for plain certificates and content of type data.
  const signedData = sequence(
    integer(1),
    setOf([]),
    sequence(objectIdentifier(contentTypes.data)),
    wrap(0xa0, ...sortForSetOf(certificates)),
    setOf([]),
  );
  return sequence(objectIdentifier(contentTypes.signedData), explicit(0, signedData));
}

/** DER of the certificates in a certs-only message, in its order. @throws CmsError when it is none, or is signed */
export function readCertificatesOnly(der: Uint8Array): readonly Uint8Array[] {
  const { certificates, signers, content } = readSignedData(der);
  if (signers.length > 0 || content !== undefined)
    throw new CmsError('certs-only: the message has a content or a signer');
  return certificates;
}
