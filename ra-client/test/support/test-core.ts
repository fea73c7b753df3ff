// A core for tests: real gRPC over mutually authenticated TLS 1.3 on loopback, with answers that the test decides on.

import { createServer, type SecureVersion } from 'node:tls';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { encodePem } from '@gatehouse/pkix/pem';
import { AdministrationService } from '@gatehouse/proto/administration';
import {
  CertificateAuthorityService,
  type EnrollRequest,
  type EnrollResponse,
  type Credential as WireCredential,
} from '@gatehouse/proto/certificate-authority';
import { CertificateStatusService } from '@gatehouse/proto/certificate-status';
import { CoreError, toServiceError } from '@gatehouse/proto/core-error';
import { DomainValidationService } from '@gatehouse/proto/domain-validation';
import { PerspectiveServiceService } from '@gatehouse/proto/perspective';
import { type Credential, createCredential } from '@gatehouse/ra-client/credential';
import { listen } from '@gatehouse/runtime/listen';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { createTestAuthority, createTestKey, type TestCertificateOptions } from './certificate-builder.ts';

/** Answers a call: returns the response, or throws a CoreError. */
export type Answer = (request: never, metadata: Metadata) => unknown;

/** A running core. */
export type TestCore = {
  readonly address: string;
  readonly port: number;
  /** Ends everything at once, as a crash would. */
  stop(): void;
  /** Ends when the calls in flight have. */
  close(): Promise<void>;
};

/** The internal service CA of a test. */
export type ServiceAuthority = ReturnType<typeof createServiceAuthority>;

/** Creates a service CA that makes credentials. */
export function createServiceAuthority() {
  const authority = createTestAuthority('service');
  const credential = (path: string, options: Partial<TestCertificateOptions> = {}): Credential => {
    const { privateKey, publicKey } = createTestKey();
    const names = [{ kind: 'uri', value: `spiffe://gatehouse.internal/${path}` }] as const;
    const certificate = authority.issue({ publicKey, names, ...options });
    return createCredential({ privateKey, certificate, trustAnchors: [authority.certificate] });
  };
  const wireCredential = (
    path: string,
    publicKey: Uint8Array,
    options: Partial<TestCertificateOptions> = {},
  ): WireCredential => {
    const names = [{ kind: 'uri', value: `spiffe://gatehouse.internal/${path}` }] as const;
    return {
      certificate: Buffer.from(authority.issue({ publicKey, names, ...options })),
      trustAnchors: [Buffer.from(authority.certificate)],
      notAfter: options.notAfter,
      name: path.split('/').at(-1) ?? '',
    };
  };
  return { ...authority, credential, wireCredential };
}

const coreNames: readonly GeneralName[] = [
  { kind: 'dns', value: 'core.gatehouse.internal' },
  { kind: 'uri', value: 'spiffe://gatehouse.internal/core/1' },
];

/** The names in the certificate of a perspective. */
export function perspectiveNames(name: string): readonly GeneralName[] {
  return [{ kind: 'uri', value: `spiffe://gatehouse.internal/perspective/${name}` }];
}

/** Starts a core, or with other `names` another party, that answers with `answers`, by the names of the procedures; anything else is refused. */
export async function startTestCore(
  authority: ServiceAuthority,
  answers: Readonly<Record<string, Answer>>,
  { port = 0, names = coreNames }: { readonly port?: number | undefined; readonly names?: readonly GeneralName[] } = {},
): Promise<TestCore> {
  const { privateKey, publicKey } = createTestKey();
  const certificate = authority.issue({ publicKey, names });
  const server = new Server();
  server.addService(CertificateAuthorityService, implement(CertificateAuthorityService, answers));
  server.addService(AdministrationService, implement(AdministrationService, answers));
  server.addService(CertificateStatusService, implement(CertificateStatusService, answers));
  server.addService(DomainValidationService, implement(DomainValidationService, answers));
  server.addService(PerspectiveServiceService, implement(PerspectiveServiceService, answers));
  const credentials = ServerCredentials.createSsl(
    Buffer.from(encodePem('CERTIFICATE', authority.certificate)),
    [
      {
        private_key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
        cert_chain: Buffer.from(encodePem('CERTIFICATE', certificate)),
      },
    ],
    true,
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, boundPort) =>
      error === null ? resolve(boundPort) : reject(error),
    );
  });
  return {
    address: `127.0.0.1:${bound}`,
    port: bound,
    stop: () => server.forceShutdown(),
    close: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
  };
}

/** Starts something that shows the core's certificate in one version of TLS and speaks no further. */
export async function startTlsServer(authority: ServiceAuthority, version: SecureVersion) {
  const { privateKey, publicKey } = createTestKey();
  const server = createServer({
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: encodePem('CERTIFICATE', authority.issue({ publicKey, names: coreNames })),
    minVersion: version,
    maxVersion: version,
  });
  const { host, port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return { address: `${host}:${port}`, stop: () => void server.close() };
}

/** An answer that says that a certificate was issued. */
export function issued(overrides: Partial<EnrollResponse> = {}): EnrollResponse {
  return {
    requestId: 'request-1',
    outcome: {
      $case: 'issued',
      value: {
        certificate: Buffer.from('certificate'),
        chain: [Buffer.from('issuing'), Buffer.from('root')],
        serialNumber: '01ab',
        notBefore: new Date('2026-01-01T00:00:00Z'),
        notAfter: new Date('2026-04-01T00:00:00Z'),
      },
    },
    isRepeated: false,
    ...overrides,
  };
}

/** A log that is not written. */
export const silentLog: Logger = createLog({ name: 'test', level: 'silent' });

/** An answer for Enroll, typed. */
export function onEnroll(
  answer: (request: EnrollRequest, metadata: Metadata) => EnrollResponse | Promise<EnrollResponse>,
): Answer {
  return answer as Answer;
}

function implement(
  definition: ServiceDefinition,
  answers: Readonly<Record<string, Answer>>,
): UntypedServiceImplementation {
  const handlers: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    const answer = answers[name] ?? refuseAll(name);
    handlers[name] = method.responseStream ? streamHandler(answer) : unaryHandler(answer);
  }
  return handlers;
}

function unaryHandler(answer: Answer): handleUnaryCall<unknown, unknown> {
  return async (call, callback) => {
    try {
      callback(null, await answer(call.request as never, call.metadata));
    } catch (error) {
      callback(toServiceError(asCoreError(error)));
    }
  };
}

function streamHandler(answer: Answer): handleServerStreamingCall<unknown, unknown> {
  return async (call) => {
    try {
      for await (const record of answer(call.request as never, call.metadata) as AsyncIterable<unknown>)
        call.write(record);
      call.end();
    } catch (error) {
      call.emit('error', toServiceError(asCoreError(error)));
    }
  };
}

function refuseAll(name: string): Answer {
  return () => {
    throw new CoreError('unauthorized', `${name} is not allowed`);
  };
}

function asCoreError(error: unknown): CoreError {
  return error instanceof CoreError ? error : new CoreError('internal', 'internal error', { cause: error });
}
