// AsymmetricKeyPackage (RFC 5958 §2): private keys as a CMS content. It is private keys in the clear: it stands only
// inside of an encrypted content or a channel of its own, and is never logged.
import { DerCursor, readOctetString, readSmallInteger, tags } from '../der/reader.ts';
import { sequence } from '../der/writer.ts';
import { readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { readingCms } from './content-info.ts';
import { CmsError } from './error.ts';

/**
 * AsymmetricKeyPackage, DER, for content type 2.16.840.1.101.2.1.2.78.5.
 *
 * @param keys each a OneAsymmetricKey; a PKCS #8 PrivateKeyInfo is one (RFC 5958 §2)
 * @throws CmsError when there is none, or one is no OneAsymmetricKey
 */
export function writeAsymmetricKeyPackage(keys: readonly Uint8Array[]): Uint8Array {
  if (keys.length === 0) throw new CmsError('AsymmetricKeyPackage: no key');
  for (const key of keys) readingCms('OneAsymmetricKey', () => checkOneAsymmetricKey(key));
  return sequence(...keys);
}

/** The keys of an AsymmetricKeyPackage, each a OneAsymmetricKey, DER. @throws CmsError */
export function readAsymmetricKeyPackage(der: Uint8Array): readonly Uint8Array[] {
  return readingCms('AsymmetricKeyPackage', () => {
    const outer = new DerCursor(der);
    const list = outer.enter(tags.sequence);
    outer.expectEnd();
    const keys: Uint8Array[] = [];
    do {
      const key = list.read(tags.sequence).raw;
      checkOneAsymmetricKey(key);
      keys.push(key);
    } while (!list.isAtEnd);
    return keys;
  });
}

// RFC 5958 §2: version 0 without, version 1 with the public key.
function checkOneAsymmetricKey(der: Uint8Array): void {
  const outer = new DerCursor(der);
  const fields = outer.enter(tags.sequence);
  outer.expectEnd();
  const version = readSmallInteger(fields.read(tags.integer));
  if (version !== 0 && version !== 1) throw new CmsError(`OneAsymmetricKey: version ${version} is unknown`);
  readAlgorithmIdentifier(fields);
  readOctetString(fields.read(tags.octetString));
  fields.readOptional(0xa0);
  const publicKey = fields.readOptional(0x81);
  if (publicKey !== undefined && version === 0) throw new CmsError('OneAsymmetricKey: a public key in version 0');
  fields.expectEnd();
}
