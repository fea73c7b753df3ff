// The controls of a Full PKI Request that this gate processes, RFC 5272 §6, each read into its value. A control that is
// not in the table fails the whole request (RFC 5272 §3.2.1.1): to pass over what a client wanted done would be a lie.

import { DerCursor, DerError, readInteger, readOctetString, readString, tags } from '@gatehouse/pkix/der/reader';
import { stringTags } from '@gatehouse/pkix/der/strings';
import { PkixError } from '@gatehouse/pkix/errors';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import { readAlgorithmIdentifier } from '@gatehouse/pkix/signature-algorithms';
import { CmcFailure } from './failure.ts';
import { type KeyedDigest, readKeyedDigest, versionOneDigest } from './keyed-digest.ts';
import type { TaggedAttribute } from './pki-data.ts';
import { type RevokeRequest, readRevokeRequest } from './revoke-request.ts';

/** A witness with how it was made, RFC 5272 §6.2.1 and §6.3.1.1. */
export type Witness = { readonly digest: KeyedDigest; readonly witness: Uint8Array };

/** Controls whose value goes back to the client, RFC 5272 §6.4 and §6.6. */
export type ReturnedControls = {
  /** INTEGER, DER. */
  readonly transactionId: Uint8Array | undefined;
  /** OCTET STRING, DER. */
  readonly senderNonce: Uint8Array | undefined;
  /** OCTET STRING, DER. */
  readonly dataReturn: Uint8Array | undefined;
};

/** The controls of a request that ask for something; what it does not have is undefined or empty. */
export type Controls = {
  readonly identification: string | undefined;
  readonly identityProof: (Witness & { readonly bodyPartId: number }) | undefined;
  readonly popLinkRandom: Uint8Array | undefined;
  readonly queryPending: readonly { readonly bodyPartId: number; readonly pendToken: Uint8Array }[];
  readonly revokeRequests: readonly (RevokeRequest & { readonly bodyPartId: number })[];
};

/** Longest nonce, transaction identifier or returned data: they are sent back. */
const maximumReturnedOctets = 1024;
/** More than any client asks for at once. */
const maximumRepetitions = 8;

/** Types of the controls that go back, or once went: a nonce is ours in an answer and theirs in the next request. */
const returnedTags: ReadonlyMap<string, number> = new Map<string, number>([
  [cmcControls.transactionId, tags.integer],
  [cmcControls.senderNonce, tags.octetString],
  [cmcControls.recipientNonce, tags.octetString],
  [cmcControls.dataReturn, tags.octetString],
]);

/** Controls that this gate knows; those that are not here are unknown to it. `many` may occur more than once. */
const known: ReadonlyMap<string, 'once' | 'many'> = new Map([
  [cmcControls.transactionId, 'once'],
  [cmcControls.senderNonce, 'once'],
  // Its value is a nonce of ours in an earlier message, of which nothing is kept: TLS stops replay.
  [cmcControls.recipientNonce, 'once'],
  [cmcControls.dataReturn, 'once'],
  [cmcControls.identification, 'once'],
  [cmcControls.identityProof, 'once'],
  [cmcControls.identityProofV2, 'once'],
  [cmcControls.popLinkRandom, 'once'],
  // RFC 5272 §6.12: its meaning is agreed on by both sides, and here there is no such agreement: it is passed over.
  [cmcControls.regInfo, 'once'],
  [cmcControls.queryPending, 'many'],
  [cmcControls.revokeRequest, 'many'],
] as const);

/**
 * The controls that go back. They are read before all others and go back with a refusal too, so that what cannot be read
 * is left out here and refused by {@link readControls}.
 */
export function readReturnedControls(controls: readonly TaggedAttribute[]): ReturnedControls {
  const find = (type: string): Uint8Array | undefined => {
    const [control, ...more] = controls.filter((candidate) => candidate.type === type);
    const tag = returnedTags.get(type);
    if (control === undefined || tag === undefined || more.length > 0) return undefined;
    try {
      return readValue(control, (cursor) => readReturned(cursor, tag));
    } catch (error) {
      if (error instanceof CmcFailure) return undefined;
      throw error;
    }
  };
  return {
    transactionId: find(cmcControls.transactionId),
    senderNonce: find(cmcControls.senderNonce),
    dataReturn: find(cmcControls.dataReturn),
  };
}

/**
 * Reads the controls.
 *
 * @throws {CmcFailure} `badRequest` naming every control that is unknown, repeated or malformed; `badAlg`
 */
export function readControls(controls: readonly TaggedAttribute[]): Controls {
  refuseUnknown(controls);
  const one = <Value>(type: string, read: (cursor: DerCursor, bodyPartId: number) => Value): Value | undefined => {
    const control = controls.find((candidate) => candidate.type === type);
    return control === undefined ? undefined : readValue(control, read);
  };
  const many = <Value>(type: string, read: (cursor: DerCursor, bodyPartId: number) => Value): readonly Value[] =>
    controls.filter((candidate) => candidate.type === type).map((control) => readValue(control, read));
  const proofs = [
    ...many(cmcControls.identityProofV2, (cursor, bodyPartId) => ({ bodyPartId, ...readWitness(cursor, bodyPartId) })),
    ...many(cmcControls.identityProof, (cursor, bodyPartId) => ({
      bodyPartId,
      digest: versionOneDigest,
      witness: octets(cursor),
    })),
  ];
  const [identityProof] = proofs;
  for (const control of controls) {
    const tag = returnedTags.get(control.type);
    if (tag !== undefined) readValue(control, (cursor) => readReturned(cursor, tag));
  }
  one(cmcControls.regInfo, octets);
  return {
    identification: one(cmcControls.identification, readIdentification),
    identityProof,
    popLinkRandom: one(cmcControls.popLinkRandom, octets),
    queryPending: many(cmcControls.queryPending, (cursor, bodyPartId) => ({ bodyPartId, pendToken: octets(cursor) })),
    revokeRequests: many(cmcControls.revokeRequest, (cursor, bodyPartId) => ({
      bodyPartId,
      ...readRevokeRequest(cursor),
    })),
  };
}

/** IdentifyProofV2 and PopLinkWitnessV2 have one form: two algorithms and a witness. @throws {DerError | CmcFailure} */
export function readWitness(cursor: DerCursor, bodyPartId: number): Witness {
  const fields = cursor.enter(tags.sequence);
  const hashAlgorithm = readAlgorithmIdentifier(fields);
  const macAlgorithm = readAlgorithmIdentifier(fields);
  const witness = octets(fields);
  fields.expectEnd();
  return { digest: readKeyedDigest(hashAlgorithm, macAlgorithm, bodyPartId), witness };
}

function refuseUnknown(controls: readonly TaggedAttribute[]): void {
  const unknown = controls.filter(({ type }) => !known.has(type));
  if (unknown.length > 0) {
    throw new CmcFailure('badRequest', `controls that are not processed here: ${types(unknown)}`, {
      bodyParts: ids(unknown),
    });
  }
  const repeated = controls.filter(({ type }) => {
    const count = controls.filter((other) => other.type === type).length;
    return count > (known.get(type) === 'many' ? maximumRepetitions : 1);
  });
  if (repeated.length > 0) {
    throw new CmcFailure('badRequest', `controls that occur too often: ${types(repeated)}`, {
      bodyParts: ids(repeated),
    });
  }
  const proofs = controls.filter(
    ({ type }) => type === cmcControls.identityProof || type === cmcControls.identityProofV2,
  );
  if (proofs.length > 1) {
    throw new CmcFailure('badRequest', 'more than one identity proof', { bodyParts: ids(proofs) });
  }
}

const ids = (controls: readonly TaggedAttribute[]): readonly number[] => controls.map(({ bodyPartId }) => bodyPartId);
const types = (controls: readonly TaggedAttribute[]): string =>
  [...new Set(controls.map(({ type }) => type))].slice(0, 5).join(', ');

function readValue<Value>(
  { bodyPartId, type, values }: TaggedAttribute,
  read: (cursor: DerCursor, bodyPartId: number) => Value,
): Value {
  const [value] = values;
  try {
    if (value === undefined || values.length !== 1) throw new DerError('not exactly one value');
    const cursor = new DerCursor(value);
    const result = read(cursor, bodyPartId);
    cursor.expectEnd();
    return result;
  } catch (error) {
    if (!(error instanceof PkixError)) throw error;
    throw new CmcFailure('badRequest', `control ${type}: ${error.detail}`, { bodyParts: [bodyPartId], cause: error });
  }
}

function readIdentification(cursor: DerCursor): string {
  const { tag, value } = readString(cursor.read(stringTags.utf8String));
  if (tag !== stringTags.utf8String || value === '' || value.length > 256)
    throw new DerError('not 1 to 256 characters');
  return value;
}

function octets(cursor: DerCursor): Uint8Array {
  return readOctetString(cursor.read(tags.octetString));
}

function readReturned(cursor: DerCursor, tag: number): Uint8Array {
  const element = cursor.read(tag);
  if (tag === tags.integer) readInteger(element);
  if (element.contents.length > maximumReturnedOctets) throw new DerError(`more than ${maximumReturnedOctets} octets`);
  return element.raw;
}
