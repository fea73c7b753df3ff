// A device that does not give up, as RFC 9148 §4.7 wants them: what is not answered it sends again, in another session where it
// must, with the very same request. It gives up only after a time that no outage of a drill lasts.

import { setTimeout as pause } from 'node:timers/promises';
import { CoapClient, type CoapClientResponse } from '@gatehouse/gateway-coap/test-support/coap-client';
import { connectDtls, type DtlsClient, type DtlsIdentity } from '@gatehouse/gateway-coap/test-support/dtls-client';
import { type CoapWitness, mayComeAgain } from './coap-witness.ts';

/** What a {@link PatientDevice} takes. */
export type PatientDeviceOptions = {
  /** Certificate and key, and whom it believes. */
  readonly identity: DtlsIdentity;
  /** Of the gate, or of a relay before it, on 127.0.0.1. */
  readonly port: number;
  readonly witness: CoapWitness;
  /** Octets of a block, both ways; 128 unless told. */
  readonly blockSize?: number | undefined;
  /** How long it waits for an answer that was promised by an acknowledgement; 6 s unless told. */
  readonly responseTimeoutMs?: number | undefined;
  /** Is told when the gate acknowledges a request without answering it (RFC 7252 §5.2.2). */
  readonly onAcknowledged?: (() => void) | undefined;
};

/** Times of a device that lives faster than others, so that a drill sees much in little time (RFC 7252 §4.8). */
const times = { ackTimeoutMs: 300, maximumRetransmissions: 3 } as const;
const handshakeTimes = { retransmitMs: 300, handshakeTimeoutMs: 3_500 } as const;
const patienceMs = 120_000;
/** After an attempt that came to nothing. */
const breathMs = 100;
/** What Max-Age says is kept to, as far as a drill has time. */
const longestWaitMs = 3_000;
const pkcs10 = 286;

/** A device with at most one session. */
export class PatientDevice {
  /** Sessions that it has had. */
  sessions = 0;
  readonly #options: PatientDeviceOptions;
  #session: { readonly dtls: DtlsClient; readonly coap: CoapClient } | undefined;

  constructor(options: PatientDeviceOptions) {
    this.#options = options;
  }

  /**
   * Posts a CSR until it is answered for good.
   *
   * @throws Error when that takes too long
   */
  async post(path: string, csr: Uint8Array, accept?: number): Promise<CoapClientResponse> {
    return await this.#insist(path, (coap) =>
      coap.request({ method: 'POST', path, payload: csr, contentFormat: pkcs10, accept }),
    );
  }

  /** Gets a resource, in the same way. */
  async get(path: string, accept?: number): Promise<CoapClientResponse> {
    return await this.#insist(path, (coap) => coap.request({ method: 'GET', path, accept }));
  }

  /** What the gate showed in the handshake of the session, DER. */
  get gateCertificate(): Uint8Array | undefined {
    return this.#session?.dtls.peerCertificate;
  }

  /** Ends the session, if there is one. */
  close(): void {
    this.#session?.dtls.close();
    this.#session = undefined;
  }

  async #insist(
    path: string,
    exchange: (coap: CoapClient) => Promise<CoapClientResponse>,
  ): Promise<CoapClientResponse> {
    const { witness } = this.#options;
    const deadline = performance.now() + patienceMs;
    const failures: string[] = [];
    while (performance.now() < deadline) {
      try {
        const answer = await exchange(await this.#connected());
        witness.see(path, answer);
        if (!mayComeAgain(answer)) return answer;
        failures.push(answer.code);
        await pause(Math.min(longestWaitMs, 1_000 * (answer.maxAge ?? 0)));
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        this.#session?.dtls.destroy();
        this.#session = undefined;
        await pause(breathMs);
      }
    }
    throw new Error(`no answer to ${path} within ${patienceMs / 1000} s: ${failures.slice(-20).join(' | ')}`);
  }

  async #connected(): Promise<CoapClient> {
    const { identity, port, blockSize = 128, responseTimeoutMs = 6_000 } = this.#options;
    if (this.#session === undefined || this.#session.dtls.isClosed) {
      const dtls = await connectDtls({ address: '127.0.0.1', port, ...identity, ...handshakeTimes });
      this.sessions++;
      const coap = new CoapClient(dtls, { ...times, responseTimeoutMs, blockSize, responseBlockSize: blockSize });
      coap.exchanges.onAnything = ({ ack, code }) => {
        if (ack && code === '0.00') this.#options.onAcknowledged?.();
      };
      this.#session = { dtls, coap };
    }
    return this.#session.coap;
  }
}
