// EnvelopedData (RFC 5652 §6) and AuthEnvelopedData (RFC 5083): content that only a recipient can read. Written for one
// recipient, read for any number. It proves nothing about the sender: what must be authentic is signed inside.
import { DerCursor, DerError, readObjectIdentifier, readOctetString, readSmallInteger, tags } from '../der/reader.ts';
import {
  implicit,
  implicitConstructed,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  wrap,
} from '../der/writer.ts';
import { contentTypes, pkcs9Attributes } from '../object-identifiers.ts';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../signature-algorithms.ts';
import { type ContentEncryption, encryptContent, isAuthenticated } from './content-encryption.ts';
import { maximumCmsOctets, openContentInfo, readingCms, writeAttributes, writeContentInfo } from './content-info.ts';
import { CmsError } from './error.ts';
import { encryptKeyFor, type Recipient } from './recipient.ts';
import { type RecipientInfo, readRecipientInfo } from './recipient-info.ts';

export type { ContentEncryption, Recipient };

/** More recipients than any message of ours has. */
const maximumRecipients = 16;

/** What a message is made of. */
export type EnvelopedDataInput = {
  /** The content: octets of data, or the DER of the content type's value, such as SignedData without its ContentInfo. */
  readonly content: Uint8Array;
  /** Dotted object identifier of the content. */
  readonly contentType: string;
  readonly recipient: Recipient;
  readonly contentEncryption: ContentEncryption;
};

/**
 * Makes a ContentInfo with EnvelopedData, or with AuthEnvelopedData when the cipher is AES-GCM.
 *
 * @throws CmsError when the recipient's key does not fit the way in which it is to be used
 */
export function createEnvelopedData(input: EnvelopedDataInput): Uint8Array {
  const { content, contentType, recipient, contentEncryption } = input;
  const isAuthEnveloped = isAuthenticated(contentEncryption);
  // RFC 5083 §2.1: authenticated attributes are a must unless the content is data, and contentType is one of them.
  const attributes =
    isAuthEnveloped && contentType !== contentTypes.data
      ? writeAttributes([{ type: pkcs9Attributes.contentType, values: [objectIdentifier(contentType)] }])
      : undefined;
  const { key, algorithm, ciphertext, mac } = encryptContent(
    contentEncryption,
    content,
    attributes ?? new Uint8Array(),
  );
  const recipientInfo = encryptKeyFor(recipient, key);
  key.fill(0);
  const encryptedContentInfo = sequence(objectIdentifier(contentType), algorithm, implicit(0, octetString(ciphertext)));
  if (mac === undefined) {
    const version = integer(envelopedDataVersion(recipient));
    return writeContentInfo(
      contentTypes.envelopedData,
      sequence(version, setOf([recipientInfo]), encryptedContentInfo),
    );
  }
  return writeContentInfo(
    contentTypes.authEnvelopedData,
    sequence(
      integer(0),
      setOf([recipientInfo]),
      encryptedContentInfo,
      ...(attributes === undefined ? [] : [implicitConstructed(1, attributes)]),
      octetString(mac),
    ),
  );
}

// RFC 5652 §6.1: 0 when the only recipient is one of key transport by issuer and serial number.
function envelopedDataVersion(recipient: Recipient): number {
  return recipient.kind === 'key-transport' && recipient.identifyBy !== 'subject-key-identifier' ? 0 : 2;
}

/** An EnvelopedData or AuthEnvelopedData whose structure is right; nothing is decrypted. */
export type EnvelopedData = {
  /** Dotted object identifier of the content. */
  readonly contentType: string;
  readonly contentEncryptionAlgorithm: AlgorithmIdentifier;
  readonly encryptedContent: Uint8Array;
  readonly recipients: readonly RecipientInfo[];
  /** For AuthEnvelopedData: its tag, and its attributes with the tag of SET OF where it has any. */
  readonly authentication: { readonly mac: Uint8Array; readonly attributesDer: Uint8Array | undefined } | undefined;
};

/** Reads a ContentInfo with EnvelopedData or AuthEnvelopedData. @throws CmsError */
export function readEnvelopedData(der: Uint8Array): EnvelopedData {
  return readingCms('EnvelopedData', () => {
    if (der.length > maximumCmsOctets) throw new CmsError(`CMS: more than ${maximumCmsOctets} octets`);
    const type = readObjectIdentifier(new DerCursor(der).enter(tags.sequence).read(tags.objectIdentifier));
    const isAuthEnveloped = type === contentTypes.authEnvelopedData;
    const outer = openContentInfo(der, isAuthEnveloped ? type : contentTypes.envelopedData);
    const fields = outer.enter(tags.sequence);
    outer.expectEnd();
    const version = readSmallInteger(fields.read(tags.integer));
    if (!(isAuthEnveloped ? [0] : [0, 2, 3, 4]).includes(version)) throw new DerError(`version ${version} is unknown`);
    // originatorInfo: certificates and CRLs of the originator, which ephemeral keys do not need.
    fields.readOptional(0xa0);
    const recipients = readRecipients(fields.enter(tags.set));
    const encrypted = readEncryptedContentInfo(fields.enter(tags.sequence));
    if (!isAuthEnveloped) {
      fields.readOptional(0xa1);
      fields.expectEnd();
      return { ...encrypted, recipients, authentication: undefined };
    }
    const attributes = fields.readOptional(0xa1);
    const mac = readOctetString(fields.read(tags.octetString));
    fields.readOptional(0xa2);
    fields.expectEnd();
    // RFC 5083 §2.2: what is authenticated has the tag of SET OF.
    const attributesDer = attributes && wrap(tags.set, attributes.contents);
    return { ...encrypted, recipients, authentication: { mac, attributesDer } };
  });
}

function readRecipients(list: DerCursor): readonly RecipientInfo[] {
  const recipients: RecipientInfo[] = [];
  while (!list.isAtEnd) {
    if (recipients.length === maximumRecipients) throw new DerError(`more than ${maximumRecipients} recipients`);
    recipients.push(readRecipientInfo(list));
  }
  return recipients;
}

function readEncryptedContentInfo(
  fields: DerCursor,
): Pick<EnvelopedData, 'contentType' | 'contentEncryptionAlgorithm' | 'encryptedContent'> {
  const contentType = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const contentEncryptionAlgorithm = readAlgorithmIdentifier(fields);
  const encryptedContent = fields.readOptional(0x80)?.contents;
  fields.expectEnd();
  if (encryptedContent === undefined) throw new CmsError('EnvelopedData: the encrypted content is missing');
  return { contentType, contentEncryptionAlgorithm, encryptedContent };
}
