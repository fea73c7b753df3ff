// SMIMECapabilities of a CSR (RFC 8551 §2.5.2): what a client can decrypt, best first. It only reads; which of it is used,
// and whether it is enough, is decided in key-encryption-choice.ts.

import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { DerCursor, DerError, expectDer, readObjectIdentifier, tags } from '@gatehouse/pkix/der/reader';
import { findExtension } from '@gatehouse/pkix/extensions';
import { pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { EstError } from './error.ts';

/** One capability: dotted object identifier, and the DER of the parameters if there are any. */
export type SmimeCapability = { readonly id: string; readonly parameters: Uint8Array | undefined };

/** More than any client lists. */
const maximumCapabilities = 64;

/**
 * What the client can decrypt, in its order of preference; undefined when the CSR does not say.
 *
 * @throws {EstError} `malformed`
 */
export function requestedCapabilities({
  attributes,
  extensions,
}: CertificationRequest): readonly SmimeCapability[] | undefined {
  const attribute = attributes.find(({ type }) => type === pkcs9Attributes.smimeCapabilities);
  try {
    if (attribute !== undefined) {
      const [value] = attribute.values;
      // RFC 8551 §2.5.2: exactly one value.
      if (value === undefined || attribute.values.length !== 1) throw new DerError('not exactly one value');
      return readSmimeCapabilities(value);
    }
    // RFC 4262 §2: in a certificate the same list is an extension, and some clients ask for it in that form.
    const extension = findExtension(extensions, pkcs9Attributes.smimeCapabilities);
    return extension === undefined ? undefined : readSmimeCapabilities(extension.value);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new EstError('malformed', `SMIMECapabilities: ${error.detail}`, { cause: error });
  }
}

/** Reads SMIMECapabilities, DER. @throws {DerError} */
export function readSmimeCapabilities(der: Uint8Array): readonly SmimeCapability[] {
  expectDer(der);
  const list = new DerCursor(der).enter(tags.sequence);
  const capabilities: SmimeCapability[] = [];
  while (!list.isAtEnd) {
    if (capabilities.length === maximumCapabilities)
      throw new DerError(`more than ${maximumCapabilities} capabilities`);
    const fields = list.enter(tags.sequence);
    const id = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const parameters = fields.isAtEnd ? undefined : fields.read().raw;
    fields.expectEnd();
    capabilities.push({ id, parameters });
  }
  return capabilities;
}
