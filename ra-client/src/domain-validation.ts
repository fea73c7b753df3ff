// The registry of perspectives as its members use it: which key signs statements, and who may be asked (BR §3.2.2.9).
// It carries words only; whose statements count is decided in the keep.

import {
  DomainValidationService as procedures,
  type Perspective as RegisteredPerspective,
  type RegisterSigningKeyRequest,
  type RequiredSites,
  type SigningKey,
  type ValidationRules,
} from '@gatehouse/proto/domain-validation';
import { type Caller, type CallOptions, callUnary } from './call.ts';

export type { RegisteredPerspective, RegisterSigningKeyRequest, RequiredSites, SigningKey, ValidationRules };

/** The calls of perspectives and of the gates that ask them. All of them fail with CoreError. */
export type DomainValidationClient = {
  /** Registers the key with which the caller signs statements. A repetition finds it registered. */
  registerSigningKey(request: RegisterSigningKeyRequest, options?: CallOptions): Promise<SigningKey>;
  /** Retires a key of the caller: statements that it signed before stay good. */
  retireSigningKey(keyId: string, options?: CallOptions): Promise<SigningKey>;
  /** The perspectives that may be asked, by name. */
  listPerspectives(options?: CallOptions): Promise<readonly RegisteredPerspective[]>;
};

/** Creates this part of a client. */
export function createDomainValidationClient(caller: Caller): DomainValidationClient {
  return {
    registerSigningKey: (request, options) => callUnary(caller, procedures.registerSigningKey, request, true, options),
    retireSigningKey: (keyId, options) => callUnary(caller, procedures.retireSigningKey, { keyId }, true, options),
    listPerspectives: async (options) =>
      (await callUnary(caller, procedures.listPerspectives, {}, true, options)).perspectives,
  };
}
