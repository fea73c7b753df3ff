// PKIData, RFC 5272 §3.2.1: the content of a Full PKI Request, taken apart into its tagged parts. It reads what strangers
// wrote: everything is bounded, every part has an identifier of its own, and what a control or request means is for others.

import {
  DerCursor,
  type DerElement,
  DerError,
  expectDer,
  readBigInteger,
  readObjectIdentifier,
  tags,
} from '@gatehouse/pkix/der/reader';

/** A control, RFC 5272 §3.2.1.1: dotted type, and the DER of each value. */
export type TaggedAttribute = {
  readonly bodyPartId: number;
  readonly type: string;
  readonly values: readonly Uint8Array[];
};

/** A certification request, RFC 5272 §3.2.1.2. */
export type TaggedRequest =
  /** PKCS #10, DER. */
  | { readonly kind: 'certification-request'; readonly bodyPartId: number; readonly der: Uint8Array }
  /** CertReqMsg of CRMF, DER; its certReqId is the body part identifier. */
  | { readonly kind: 'certificate-request-message'; readonly bodyPartId: number; readonly der: Uint8Array }
  /** Any other form, by its dotted type. */
  | { readonly kind: 'other'; readonly bodyPartId: number; readonly type: string };

/** A Full PKI Request. What its cmsSequence and otherMsgSequence hold is ignored unless a control refers to it. */
export type PkiData = {
  readonly controls: readonly TaggedAttribute[];
  readonly requests: readonly TaggedRequest[];
  /** reqSequence as it stands there, with its tag and length: what an identity proof is about (RFC 5272 §6.2.1). */
  readonly requestSequence: Uint8Array;
};

/** More than any client sends at once. */
export const maximumRequests = 8;
const maximumParts = 64;

const largestBodyPartId = 4_294_967_295n;

/** Reads PKIData, DER. @throws {DerError} */
export function readPkiData(der: Uint8Array): PkiData {
  expectDer(der);
  const outer = new DerCursor(der);
  const fields = outer.enter(tags.sequence);
  outer.expectEnd();
  const [controlList, requestList, cmsList, otherList] = [0, 1, 2, 3].map(() => fields.read(tags.sequence));
  fields.expectEnd();
  if (controlList === undefined || requestList === undefined || cmsList === undefined || otherList === undefined) {
    throw new DerError('PKIData has four parts');
  }
  const known = new Set<number>();
  const data: PkiData = {
    controls: readList(controlList, maximumParts, known, readControl),
    requests: readList(requestList, maximumRequests, known, readRequest),
    requestSequence: requestList.raw,
  };
  readList(cmsList, maximumParts, known, readTagged);
  readList(otherList, maximumParts, known, readTagged);
  return data;
}

// RFC 5272 §3.2.2: identifiers are unique within a PKIData.
function readList<Part extends { readonly bodyPartId: number }>(
  { contents }: DerElement,
  maximum: number,
  known: Set<number>,
  read: (cursor: DerCursor) => Part,
): readonly Part[] {
  const cursor = new DerCursor(contents, 2);
  const parts: Part[] = [];
  while (!cursor.isAtEnd) {
    if (parts.length === maximum) throw new DerError(`more than ${maximum} parts of a kind`);
    const part = read(cursor);
    if (known.has(part.bodyPartId)) throw new DerError(`body part ${part.bodyPartId} occurs twice`);
    known.add(part.bodyPartId);
    parts.push(part);
  }
  return parts;
}

function readControl(cursor: DerCursor): TaggedAttribute {
  const fields = cursor.enter(tags.sequence);
  const bodyPartId = readBodyPartId(fields.read(tags.integer));
  const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const set = fields.enter(tags.set);
  fields.expectEnd();
  const values: Uint8Array[] = [];
  while (!set.isAtEnd) values.push(set.read().raw);
  return { bodyPartId, type, values };
}

// TaggedRequest is a CHOICE of implicit tags: the contents of each are those of the SEQUENCE it stands for.
function readRequest(cursor: DerCursor): TaggedRequest {
  const element = cursor.read();
  const fields = new DerCursor(element.contents, 3);
  switch (element.tag) {
    case 0xa0: {
      const bodyPartId = readBodyPartId(fields.read(tags.integer));
      const der = fields.read(tags.sequence).raw;
      fields.expectEnd();
      return { kind: 'certification-request', bodyPartId, der };
    }
    case 0xa1: {
      // RFC 5272 §3.2.2: of a CertReqMsg it is the certReqId.
      const bodyPartId = readBodyPartId(fields.enter(tags.sequence).read(tags.integer));
      const der = Buffer.from(element.raw);
      der[0] = tags.sequence;
      return { kind: 'certificate-request-message', bodyPartId, der };
    }
    case 0xa2: {
      const bodyPartId = readBodyPartId(fields.read(tags.integer));
      return { kind: 'other', bodyPartId, type: readObjectIdentifier(fields.read(tags.objectIdentifier)) };
    }
    default:
      throw new DerError('a request is none of tcr, crm and orm');
  }
}

// TaggedContentInfo and OtherMsg: the identifier, then what nobody refers to.
function readTagged(cursor: DerCursor): { readonly bodyPartId: number } {
  const fields = cursor.enter(tags.sequence);
  return { bodyPartId: readBodyPartId(fields.read(tags.integer)) };
}

// RFC 5272 §3.2.2: 4 octets at most; 0 stands for the message itself and is no part's.
function readBodyPartId(element: DerElement): number {
  if (element.contents.length > 5) throw new DerError('a body part identifier is too big');
  const value = readBigInteger(element);
  if (value < 1n || value > largestBodyPartId) throw new DerError(`${value} is no body part identifier`);
  return Number(value);
}
