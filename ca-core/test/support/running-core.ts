/** A core in this process, on a throw-away data directory, and clients of it over the real wire. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import {
  type AddRegistrationAuthorityRequest,
  AdministrationClient,
  type JoinToken,
} from '@gatehouse/proto/administration';
import { CertificateAuthorityClient, type Credential } from '@gatehouse/proto/certificate-authority';
import { CertificateStatusClient } from '@gatehouse/proto/certificate-status';
import { fromServiceError } from '@gatehouse/proto/core-error';
import { DomainValidationClient } from '@gatehouse/proto/domain-validation';
import { durationFromMs } from '@gatehouse/proto/duration';
import type { Clock } from '@gatehouse/runtime/clock';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { type ChannelCredentials, credentials, type ServiceError } from '@grpc/grpc-js';
import { initialize } from '../../src/initialize.ts';
import { type RunningCore, startCore } from '../../src/main.ts';

const quiet = createLog({ name: 'test', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'silent' });
const targetName = { 'grpc.ssl_target_name_override': 'core.gatehouse.internal' };

/** The services of a core, called as one caller over one connection. */
export type Connection = {
  readonly authority: CertificateAuthorityClient;
  readonly status: CertificateStatusClient;
  readonly validation: DomainValidationClient;
  readonly administration: AdministrationClient;
};

/** A core for tests. */
export type TestCore = {
  readonly directory: string;
  readonly running: RunningCore;
  readonly operator: Connection;
  /** Registers an RA and joins it; answers the text of its credential file. */
  addRegistrationAuthority(options: RegistrationAuthorityOptions): Promise<string>;
  /** Connects with the text of a credential file. */
  connect(credential: string): Connection;
  /** Registers an RA, joins it and connects as it. */
  joinRegistrationAuthority(options: RegistrationAuthorityOptions): Promise<CertificateAuthorityClient>;
  /** Ends the core as SIGTERM would. */
  stop(): Promise<void>;
  /** Starts a core on the same directory again, after `whileStopped`, with other settings if given. Connections of RAs end. */
  restart(whileStopped?: () => void, otherSet?: readonly string[]): Promise<void>;
};

/** What an RA of a test may do. */
export type RegistrationAuthorityOptions = {
  readonly name: string;
  readonly profiles: readonly string[];
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly email?: readonly string[];
  readonly subject?: readonly string[];
  readonly maximumValiditySeconds?: number;
  readonly ratePerSecond?: number;
};

/** What a core of a test is made with. */
export type TestCoreOptions = {
  /** Files of the data directory by path, written before the core starts. */
  readonly files?: Readonly<Record<string, string>>;
  /** Base URL of the status gate that the issuing CA's certificate names. */
  readonly statusUrl?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
};

/** Makes a data directory and starts a core on it. Call `stop` at the end. */
export async function startTestCore(set: readonly string[] = [], options: TestCoreOptions = {}): Promise<TestCore> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-core-'));
  const { files = {}, statusUrl, ...parts } = options;
  for (const [path, text] of Object.entries({ 'gatehouse.yaml': 'core: {}\n', ...files })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  await initialize({ directory, statusUrl, log: quiet, progress: () => undefined });
  let { running, stop } = await launch(directory, set, parts);
  const clients: { close(): void }[] = [];

  const connect = (credential: string): Connection => {
    const channel = channelCredentials(credential);
    const authority = new CertificateAuthorityClient(running.address, channel, targetName);
    const administration = new AdministrationClient(running.address, channel, targetName);
    const status = new CertificateStatusClient(running.address, channel, targetName);
    const validation = new DomainValidationClient(running.address, channel, targetName);
    clients.push(authority, administration, status, validation);
    return { authority, administration, status, validation };
  };
  const connectOperator = () => connect(readFileSync(join(directory, 'operators/admin.pem'), 'utf8'));
  const closeClients = () => {
    for (const client of clients.splice(0)) client.close();
  };
  let operator = connectOperator();

  const testCore: TestCore = {
    directory,
    get running() {
      return running;
    },
    get operator() {
      return operator;
    },
    async addRegistrationAuthority(ra) {
      const { token } = await unary<JoinToken>((callback) =>
        operator.administration.addRegistrationAuthority(addRequest(ra), callback),
      );
      return await joinWith(running.address, token);
    },
    connect,
    async joinRegistrationAuthority(ra) {
      return connect(await testCore.addRegistrationAuthority(ra)).authority;
    },
    async stop() {
      closeClients();
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
    async restart(whileStopped = () => undefined, otherSet = set) {
      closeClients();
      await stop();
      whileStopped();
      ({ running, stop } = await launch(directory, otherSet, parts));
      operator = connectOperator();
    },
  };
  return testCore;
}

/** Answers of callback-style calls as promises; failures as CoreError. */
export function unary<Response>(
  call: (callback: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error === null ? resolve(response) : reject(fromServiceError(error))));
  });
}

/** The text of a credential file with the credential that is inside a join token. */
export function credentialOfToken(token: string): string {
  const contents = JSON.parse(Buffer.from(token.slice('gh-join.'.length), 'base64url').toString());
  return (
    pem('PRIVATE KEY', contents.key) + pem('CERTIFICATE', contents.certificate) + pem('CERTIFICATE', contents.anchor)
  );
}

/** Buys a credential with a token; answers the text of credential.pem. */
export async function joinWith(address: string, token: string): Promise<string> {
  const client = new CertificateAuthorityClient(address, channelCredentials(credentialOfToken(token)), targetName);
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificationRequest = Buffer.from(createCertificationRequest({ subject: [], key: privateKey }));
    const credential = await unary<Credential>((callback) => client.join({ certificationRequest }, callback));
    return [
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ...[credential.certificate, ...credential.trustAnchors].map((der) => pem('CERTIFICATE', der.toString('base64'))),
    ].join('');
  } finally {
    client.close();
  }
}

function pem(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

/** TLS with a credential file's text: key, certificate, anchors. */
export function channelCredentials(text: string): ChannelCredentials {
  const [key = '', certificate = '', ...anchors] =
    text.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  return credentials.createSsl(Buffer.from(anchors.join('\n')), Buffer.from(key), Buffer.from(certificate));
}

/** The message that registers an RA. */
export function addRequest(options: RegistrationAuthorityOptions): AddRegistrationAuthorityRequest {
  const seconds = options.maximumValiditySeconds;
  return {
    registrationAuthority: {
      name: options.name,
      profiles: [...options.profiles],
      scope: {
        dnsSuffixes: [...(options.dns ?? [])],
        ipRanges: [...(options.ip ?? [])],
        uriPrefixes: [...(options.uri ?? [])],
        emailDomains: [...(options.email ?? [])],
        subjectAttributes: [...(options.subject ?? [])],
      },
      maximumValidity: seconds === undefined ? undefined : durationFromMs(seconds * 1000),
      ratePerSecond: options.ratePerSecond ?? 0,
      isDisabled: false,
      createdAt: undefined,
      credentialExpiresAt: undefined,
    },
    tokenLife: undefined,
  };
}

async function launch(directory: string, set: readonly string[], parts: { clock?: Clock; log?: Logger }) {
  const stops: (() => void | Promise<void>)[] = [];
  const { log = quiet, ...clock } = parts;
  const options = { directory, set: ['core.listen.port=0', 'core.management.port=0', ...set], ...clock };
  const running = await startCore(options, log, { onShutdown: (_name, stop) => stops.push(stop) });
  const stop = async () => {
    for (const one of stops.reverse()) await one();
  };
  return { running, stop };
}
