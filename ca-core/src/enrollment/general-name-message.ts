/**
 * General names between the contract's message and the form that the checks work on. A message that holds no name, or
 * one whose text is not of its kind, is refused here, so that everything behind it deals with well-formed names only.
 */
import { DerCursor, DerError } from '@gatehouse/pkix/der/reader';
import {
  type GeneralName,
  NameError,
  parseGeneralName,
  readGeneralName,
  writeGeneralName,
} from '@gatehouse/pkix/general-names';
import { CoreError } from '@gatehouse/proto/core-error';
import type { GeneralName as GeneralNameMessage } from '@gatehouse/proto/types';

/** Reads a name. Throws CoreError `malformed` for no name, `rejected-name` for one whose syntax is wrong. */
export function readGeneralNameMessage(message: GeneralNameMessage): GeneralName {
  const { name } = message;
  if (name === undefined) throw new CoreError('malformed', 'a name of the request is empty');
  try {
    switch (name.$case) {
      case 'dns':
        return parseGeneralName(`DNS:${name.value}`);
      case 'ip':
        return parseGeneralName(`IP:${name.value}`);
      case 'uri':
        return parseGeneralName(`URI:${name.value}`);
      case 'email':
        return parseGeneralName(`email:${name.value}`);
      case 'der':
        return readDer(name.value);
    }
  } catch (error) {
    if (error instanceof NameError) {
      const refusal = { name: message, type: 'rejected-name', detail: error.detail } as const;
      throw new CoreError('rejected-name', error.detail, { names: [refusal], cause: error });
    }
    if (error instanceof DerError) {
      throw new CoreError('malformed', 'a name of the request is not a DER GeneralName', { cause: error });
    }
    throw error;
  }
}

function readDer(der: Uint8Array): GeneralName {
  const cursor = new DerCursor(der);
  const element = cursor.read();
  cursor.expectEnd();
  return readGeneralName(element);
}

/** The message of a name. */
export function writeGeneralNameMessage(name: GeneralName): GeneralNameMessage {
  switch (name.kind) {
    case 'dns':
    case 'ip':
    case 'uri':
    case 'email':
      return { name: { $case: name.kind, value: name.value } };
    case 'directory':
    case 'other':
    case 'registered-id':
      return { name: { $case: 'der', value: Buffer.from(writeGeneralName(name)) } };
  }
}
