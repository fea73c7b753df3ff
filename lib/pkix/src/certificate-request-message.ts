// Certificate request messages (CertReqMsg of RFC 4211), the second form in which CMC carries requests. Reading checks
// structure, bounds and names; the only proof of possession that counts is a signature by the key itself.
import { DerCursor, type DerElement, DerError, readBitString, readInteger, tags } from './der/reader.ts';
import { PkixError } from './errors.ts';
import { type Extension, findExtension, readExtensions } from './extensions.ts';
import { type GeneralName, readGeneralName, readGeneralNames } from './general-names.ts';
import { checkUpperBounds, type Name, NameError, readName } from './names.ts';
import { extensionIds } from './object-identifiers.ts';
import {
  type AlgorithmIdentifier,
  readAlgorithmIdentifier,
  type Verification,
  verifySignature,
} from './signature-algorithms.ts';

/** Largest message that is read, in octets; as for a certification request. */
export const maximumRequestMessageOctets = 16384;

/** How possession is shown (RFC 4211 §4). 'other' is a kind that proves nothing to us; `detail` says which. */
export type ProofOfPossession =
  | {
      readonly kind: 'signature';
      readonly algorithm: AlgorithmIdentifier;
      readonly signature: Uint8Array;
      /** Set when not the request was signed, but this statement of a sender and the key. */
      readonly input: SigningKeyInput | undefined;
    }
  | { readonly kind: 'other'; readonly detail: string };

/** POPOSigningKeyInput (RFC 4211 §4.1); `der` is what was signed, with the tag of SEQUENCE. */
export type SigningKeyInput = {
  readonly der: Uint8Array;
  /** Who the signer says it is; whether that is true is for the outer message to prove. */
  readonly sender: GeneralName;
  readonly subjectPublicKeyInfo: Uint8Array;
};

/** A message whose structure is right; `certificateRequest` is its DER, which is what was signed unless there is an input. */
export type CertificateRequestMessage = {
  readonly der: Uint8Array;
  readonly certificateRequest: Uint8Array;
  /** certReqId, contents octets in lower-case hexadecimal. */
  readonly requestId: string;
  /** Empty when the template has no subject. */
  readonly subject: Name;
  readonly subjectPublicKeyInfo: Uint8Array;
  readonly extensions: readonly Extension[];
  /** The subject alternative names among the extensions. */
  readonly names: readonly GeneralName[];
  readonly proofOfPossession: ProofOfPossession;
};

/** Bytes that are no certificate request message, or one that no certificate can follow. */
export class CertificateRequestMessageError extends PkixError {
  readonly code: 'malformed' | 'bad-csr';

  constructor(code: 'malformed' | 'bad-csr', detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}

/**
 * Reads a CertReqMsg, with the tag of SEQUENCE. The signature is not verified.
 *
 * @throws CertificateRequestMessageError
 */
export function readCertificateRequestMessage(der: Uint8Array): CertificateRequestMessage {
  if (der.length > maximumRequestMessageOctets) {
    throw new CertificateRequestMessageError('malformed', `request: more than ${maximumRequestMessageOctets} octets`);
  }
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof DerError)
      throw new CertificateRequestMessageError('malformed', `request: ${cause.detail}`, { cause });
    if (cause instanceof NameError)
      throw new CertificateRequestMessageError('bad-csr', `request: ${cause.detail}`, { cause });
    throw cause;
  }
}

/** More requests than any client sends at once. */
const maximumMessages = 64;

/**
 * Reads CertReqMessages (RFC 4211 §3): one or more CertReqMsg. No signature is verified.
 *
 * @throws CertificateRequestMessageError
 */
export function readCertificateRequestMessages(der: Uint8Array): readonly CertificateRequestMessage[] {
  const messages: Uint8Array[] = [];
  try {
    const outer = new DerCursor(der);
    const list = outer.enter(tags.sequence);
    outer.expectEnd();
    do {
      if (messages.length === maximumMessages) throw new DerError(`more than ${maximumMessages} messages`);
      messages.push(list.read(tags.sequence).raw);
    } while (!list.isAtEnd);
  } catch (cause) {
    if (cause instanceof DerError)
      throw new CertificateRequestMessageError('malformed', `requests: ${cause.detail}`, { cause });
    throw cause;
  }
  return messages.map(readCertificateRequestMessage);
}

function read(der: Uint8Array): CertificateRequestMessage {
  const outer = new DerCursor(der);
  const message = outer.enter(tags.sequence);
  outer.expectEnd();
  const requestElement = message.read(tags.sequence);
  const request = new DerCursor(requestElement.contents, 2);
  const requestId = Buffer.from(readInteger(request.read(tags.integer))).toString('hex');
  const { hasSubject, ...template } = readTemplate(request.enter(tags.sequence));
  // controls (RFC 4211 §6): none of them is processed, and none is critical.
  request.readOptional(tags.sequence);
  request.expectEnd();
  const proofOfPossession = readProof(message, hasSubject);
  // regInfo (RFC 4211 §7) is for the RA's own use.
  message.readOptional(tags.sequence);
  message.expectEnd();

  const alternative = findExtension(template.extensions, extensionIds.subjectAlternativeName);
  const names = alternative === undefined ? [] : readGeneralNames(alternative.value);
  return { der, certificateRequest: requestElement.raw, requestId, ...template, names, proofOfPossession };
}

type Template = Pick<CertificateRequestMessage, 'subject' | 'subjectPublicKeyInfo' | 'extensions'> & {
  readonly hasSubject: boolean;
};

// RFC 4211 §5: all fields are optional and implicitly tagged, but for the names, which are a CHOICE.
function readTemplate(template: DerCursor): Template {
  for (const tag of [0x80, 0x81, 0xa2, 0xa3, 0xa4]) template.readOptional(tag);
  const subjectField = template.enterOptional(0xa5);
  const key = template.readOptional(0xa6);
  for (const tag of [0x87, 0x88]) template.readOptional(tag);
  const extensionsField = template.readOptional(0xa9);
  template.expectEnd();
  if (key === undefined) throw new CertificateRequestMessageError('bad-csr', 'request: the template has no public key');
  const subject = subjectField === undefined ? [] : readName(subjectField.read(tags.sequence));
  subjectField?.expectEnd();
  checkUpperBounds(subject);
  const extensions = extensionsField === undefined ? [] : readExtensions(withSequenceTag(extensionsField.raw));
  return {
    subject,
    subjectPublicKeyInfo: withSequenceTag(key.raw),
    extensions,
    hasSubject: subjectField !== undefined,
  };
}

function withSequenceTag(raw: Uint8Array): Uint8Array {
  const copy = Buffer.from(raw);
  copy[0] = tags.sequence;
  return copy;
}

function readProof(message: DerCursor, hasSubject: boolean): ProofOfPossession {
  const signatureField = message.enterOptional(0xa1);
  if (signatureField !== undefined) {
    const input = signatureField.readOptional(0xa0);
    const algorithm = readAlgorithmIdentifier(signatureField);
    const { bytes, unusedBits } = readBitString(signatureField.read(tags.bitString));
    signatureField.expectEnd();
    if (unusedBits !== 0) throw new DerError('a signature does not fill its last octet');
    if (input === undefined) return { kind: 'signature', algorithm, signature: bytes, input };
    // RFC 4211 §4.1: the separate input must be left out when the template has subject and key, and has to be there else.
    if (hasSubject) return { kind: 'other', detail: 'a POPOSigningKeyInput beside a subject and a key' };
    const statement = readSigningKeyInput(input);
    if (statement === undefined)
      return { kind: 'other', detail: 'a POPOSigningKeyInput with a MAC of no secret of ours' };
    return { kind: 'signature', algorithm, signature: bytes, input: statement };
  }
  const kinds: Readonly<Record<number, string>> = { 128: 'raVerified', 162: 'keyEncipherment', 163: 'keyAgreement' };
  const detail = kinds[message.peekTag() ?? 0];
  if (detail === undefined) return { kind: 'other', detail: 'there is none' };
  message.skip();
  return { kind: 'other', detail: `${detail} is not accepted` };
}

// Undefined when the requester is known by a publicKeyMAC, which needs a shared secret.
function readSigningKeyInput({ contents, raw }: DerElement): SigningKeyInput | undefined {
  const fields = new DerCursor(contents, 4);
  const senderField = fields.enterOptional(0xa0);
  if (senderField === undefined) {
    fields.skip(tags.sequence);
    fields.skip(tags.sequence);
    fields.expectEnd();
    return undefined;
  }
  const sender = readGeneralName(senderField.read());
  senderField.expectEnd();
  const subjectPublicKeyInfo = fields.read(tags.sequence).raw;
  fields.expectEnd();
  return { der: withSequenceTag(raw), sender, subjectPublicKeyInfo };
}

/** Whether the requester signed with the key it wants certified (RFC 4211 §4.1). Never throws for what is in the message. */
export function verifyProofOfPossession(message: CertificateRequestMessage): Verification {
  const { proofOfPossession, subjectPublicKeyInfo, certificateRequest } = message;
  if (proofOfPossession.kind === 'other')
    return { ok: false, reason: `proof of possession: ${proofOfPossession.detail}` };
  const { algorithm, signature, input } = proofOfPossession;
  // RFC 4211 §4.1: the key in the input is the one in the template.
  if (input !== undefined && Buffer.compare(input.subjectPublicKeyInfo, subjectPublicKeyInfo) !== 0) {
    return { ok: false, reason: 'proof of possession: the POPOSigningKeyInput is about another key' };
  }
  const data = input?.der ?? certificateRequest;
  return verifySignature({ algorithm, spki: subjectPublicKeyInfo, data, signature });
}
