// One gRPC connection to one address of a party that serves: TLS 1.3 with both certificates, the name or the URI that is expected, keep-alive, no proxy and no look-ups on the side.
// It carries calls and counts them; which channel gets which call is decided elsewhere.

import { createSecureContext, type PeerCertificate } from 'node:tls';
import { encodePem } from '@gatehouse/pkix/pem';
import { ChannelCredentials, type ChannelOptions, Client, type connectivityState } from '@grpc/grpc-js';
import type { Credential } from './credential.ts';
import { coreServerName, readParty } from './identity.ts';

/** Who is expected at the other end, whatever address is dialled. */
export type ExpectedServer =
  /** A certificate of the service CA with this DNS name. */
  | { readonly kind: 'dns'; readonly name: string }
  /** A certificate of the service CA with this URI of a party; `name` is only what the handshake asks for. */
  | { readonly kind: 'uri'; readonly uri: string; readonly name: string };

const expectedCore: ExpectedServer = { kind: 'dns', name: coreServerName };

const channelOptions: ChannelOptions = {
  // A connection that a firewall forgot is found within half a minute, also when nobody is enrolling.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.client_idle_timeout_ms': 2_147_483_647,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Retries are made here, where it is known which calls may be repeated.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  // Credentials differ between channels and are swapped: connections must not be shared across them.
  'grpc.use_local_subchannel_pool': 1,
};

/** The core's largest answer is the evidence of one certificate: what an enrollment may bring, and the keys beside it. */
const largestCoreAnswer = 17 * 1024 * 1024;

/** A statement has at most 16 KiB; a perspective that sends more is not listened to. */
const largestPerspectiveAnswer = 64 * 1024;

/** A connection with the number of calls on it. */
export class BridgeChannel {
  readonly client: Client;
  #calls = 0;
  #isRetired = false;
  readonly #drained = Promise.withResolvers<void>();

  /** @param expected the keep unless told */
  constructor(address: string, credential: Credential, expected: ExpectedServer = expectedCore) {
    this.client = new Client(address, createChannelCredentials(credential, expected), {
      ...channelOptions,
      // Certificates name the party, not the machine it happens to run on; without it a connection to an IP literal fails as well.
      'grpc.ssl_target_name_override': expected.name,
      'grpc.max_receive_message_length': expected.kind === 'dns' ? largestCoreAnswer : largestPerspectiveAnswer,
    });
  }

  /** What the connection does now; with `connect` an idle one begins to connect. */
  state(connect = false): connectivityState {
    return this.client.getChannel().getConnectivityState(connect);
  }

  /** A call begins. */
  enter(): void {
    this.#calls++;
  }

  /** A call has ended. */
  leave(): void {
    this.#calls--;
    if (this.#isRetired && this.#calls === 0) this.#close();
  }

  /** Waits until the connection stands. @returns whether it does within `timeoutMs` */
  connect(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.client.waitForReady(Date.now() + timeoutMs, (error) => resolve(error === undefined));
    return promise;
  }

  /** Takes no more calls; closes when those in flight have ended. @returns when it is closed */
  retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#calls === 0) this.#close();
    return this.#drained.promise;
  }

  /** Closes now; calls in flight fail. */
  abort(): void {
    this.#isRetired = true;
    this.#close();
  }

  #close(): void {
    this.client.close();
    this.#drained.resolve();
  }
}

function createChannelCredentials(credential: Credential, expected: ExpectedServer): ChannelCredentials {
  const context = createSecureContext({
    minVersion: 'TLSv1.3',
    key: credential.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: encodePem('CERTIFICATE', credential.certificate),
    ca: credential.trustAnchors.map((anchor) => encodePem('CERTIFICATE', anchor)),
  });
  if (expected.kind === 'dns') return ChannelCredentials.createFromSecureContext(context);
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_name, certificate) => describeOther(certificate, expected.uri),
  });
}

/** Says who it is when the certificate, whose chain was verified, is of another party. */
function describeOther({ raw }: PeerCertificate, uri: string): Error | undefined {
  const party = readParty(raw);
  if (party?.uri === uri) return undefined;
  return new Error(`the server is ${party?.uri ?? 'no party of Gatehouse'}, not ${uri}`);
}
