/** The service that perspectives and the gates that ask them call: whose statements count, and who may be asked. */
import { type DomainValidationServer, DomainValidationService } from '@gatehouse/proto/domain-validation';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { perspectiveMessage, signingKeyMessage } from '../registry/perspective-message.ts';
import { registerSigningKey, retireSigningKey } from '../registry/signing-keys.ts';
import { type CallContext, type HandlerOptions, unary } from './handler.ts';

/** Implements `DomainValidation`. */
export function domainValidationService(options: HandlerOptions): DomainValidationServer {
  const { keep } = options;
  const call = <Request, Response>(
    method: keyof typeof DomainValidationService,
    handle: (context: CallContext, request: Request) => Response | Promise<Response>,
  ): handleUnaryCall<Request, Response> => unary(options, DomainValidationService[method].path, handle);

  return {
    registerSigningKey: call('registerSigningKey', async (context, request) =>
      signingKeyMessage(await registerSigningKey(keep, context, request)),
    ),
    retireSigningKey: call('retireSigningKey', async (context, { keyId }) =>
      signingKeyMessage(await retireSigningKey(keep, context, keyId)),
    ),
    listPerspectives: call('listPerspectives', () => ({
      perspectives: keep.registry
        .listPerspectives()
        .map((perspective) => perspectiveMessage(keep.registry, perspective)),
    })),
  };
}
