// The door to DTLS: a running server behind the types of transport.ts.

import { DtlsServer } from './server.ts';
import type { DtlsOptions, DtlsTransport } from './transport.ts';

/**
 * Starts a DTLS 1.2 server on UDP.
 *
 * @throws {FatalError} when this Node.js cannot do DTLS, or the address cannot be bound
 * @throws {OpenSslError} when OpenSSL refuses the credentials or the trust anchors
 */
export async function startDtls(options: DtlsOptions): Promise<DtlsTransport> {
  return DtlsServer.start(options);
}
