// One SSL: the listener that answers ClientHellos without keeping anything, and the session that it becomes when a cookie
// comes back. An SSL is freed exactly once; whatever is asked behind that does nothing. Everything runs inside of
// `observed`, and whoever called takes the datagrams off the wire.

import { clearErrors, encodeCertificate, must, OpenSslError, openSsl, takeErrors, text } from './openssl-library.ts';
import type { Wire } from './openssl-wire.ts';

/** What a step of a session came to. */
export type Step =
  /** It waits for the peer. */
  | { readonly kind: 'waiting' }
  /** Handshake only: it is complete. */
  | { readonly kind: 'complete' }
  /** The peer said close_notify. */
  | { readonly kind: 'closed' }
  /** A fatal alert of either side, or an error: this SSL is of no use any more. */
  | { readonly kind: 'failed'; readonly reason: string };

/** What is known once a handshake is complete. */
export type HandshakeFacts = {
  readonly cipherSuite: string;
  readonly certificate: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly clientFinished: Uint8Array;
  readonly hasExtendedMasterSecret: boolean;
  readonly maximumMessageOctets: number;
};

// Commands of SSL_ctrl, openssl/ssl.h.
const command = { setMtu: 17, getTimeout: 73, handleTimeout: 74, getExtendedMasterSecretSupport: 122 } as const;
// SSL_ERROR_…
const wantRead = 2;
const wantWrite = 3;
const zeroReturn = 6;

const finishedOctets = 12;
const mostChainCertificates = 8;
const waiting: Step = { kind: 'waiting' };

// One for all sessions; what is read is copied out of it. RFC 6347 §4.1: no plaintext is longer.
const plaintext = Buffer.allocUnsafeSlow(16_384);
// struct timeval: seconds and microseconds, 64 bits each.
const timeval = new BigInt64Array(2);

/** An SSL on the shared wire. */
export class OpenSslSession {
  #ssl: bigint;

  private constructor(ssl: bigint) {
    this.#ssl = ssl;
  }

  /**
   * @param context stays the caller's; the SSL counts a reference of its own
   * @param mtu octets of UDP payload
   */
  static create(context: bigint, wire: Wire, mtu: number): OpenSslSession {
    const { functions } = openSsl();
    const ssl = must('an SSL', () => functions.SSL_new(context));
    try {
      wire.attach(ssl);
      must('the MTU', () => functions.SSL_ctrl(ssl, command.setMtu, BigInt(mtu), null));
    } catch (error) {
      functions.SSL_free(ssl);
      throw error;
    }
    return new OpenSslSession(ssl);
  }

  /**
   * Looks at the ClientHello on the wire. 'verified': its cookie is right and this SSL is its peer's from now on;
   * 'answered': a HelloVerifyRequest is on the wire, or nothing; 'failed': this SSL is to be replaced.
   *
   * @param peerAddress a BIO_ADDR that OpenSSL writes into; memory BIOs know no addresses, so nothing of it is read
   */
  listen(peerAddress: bigint): { kind: 'verified' } | { kind: 'answered' } | { kind: 'failed'; reason: string } {
    clearErrors();
    const result = openSsl().functions.DTLSv1_listen(this.#ssl, peerAddress);
    const reasons = takeErrors();
    if (result > 0) return { kind: 'verified' };
    if (result === 0) return { kind: 'answered' };
    return { kind: 'failed', reason: reasonOf(reasons) };
  }

  /** Goes on with the handshake by what is on the wire. */
  handshake(): Step {
    const { functions } = openSsl();
    const { result, step } = this.#step((ssl) => functions.SSL_do_handshake(ssl));
    return result === 1 ? { kind: 'complete' } : step;
  }

  /** Decrypts what is on the wire: one datagram may hold several records, one of them the last word. */
  read(): { readonly messages: readonly Buffer[]; readonly step: Step } {
    const { functions } = openSsl();
    const messages: Buffer[] = [];
    for (;;) {
      const { result, step } = this.#step((ssl) => functions.SSL_read(ssl, plaintext, plaintext.length));
      if (result <= 0) {
        this.#freeBuffers();
        return { messages, step };
      }
      messages.push(Buffer.from(plaintext.subarray(0, result)));
    }
  }

  /** @param message not empty */
  write(message: Uint8Array): Step {
    const { functions } = openSsl();
    const { result, step } = this.#step((ssl) => functions.SSL_write(ssl, message, message.length));
    if (result <= 0) return step;
    this.#freeBuffers();
    return waiting;
  }

  /** Writes close_notify. Not for a session that failed. */
  shutDown(): void {
    const { functions } = openSsl();
    this.#step((ssl) => functions.SSL_shutdown(ssl));
  }

  /** Milliseconds until the last flight is to be sent again; undefined when none is. */
  timeoutMs(): number | undefined {
    if (this.#ssl === 0n) return undefined;
    if (openSsl().functions.SSL_ctrl(this.#ssl, command.getTimeout, 0n, timeval) !== 1n) return undefined;
    return Number(timeval[0]) * 1000 + Math.ceil(Number(timeval[1]) / 1000);
  }

  /** Sends the last flight again when its time has come. 'waiting' when it did, or need not; 'failed' after too many. */
  retransmit(): Step {
    const { functions } = openSsl();
    const { result, step } = this.#step((ssl) => Number(functions.SSL_ctrl(ssl, command.handleTimeout, 0n, null)));
    return result >= 0 ? waiting : step.kind === 'failed' ? step : { kind: 'failed', reason: 'no retransmission' };
  }

  /** @throws {OpenSslError} when OpenSSL does not tell */
  facts(): HandshakeFacts {
    const { functions } = openSsl();
    const ssl = this.#ssl;
    if (ssl === 0n) throw new OpenSslError('the session is closed');
    const certificate = this.certificate();
    if (certificate === undefined) throw new OpenSslError('the peer showed no certificate');
    const clientFinished = Buffer.alloc(finishedOctets);
    const length = functions.SSL_get_peer_finished(ssl, clientFinished, BigInt(finishedOctets));
    if (length !== BigInt(finishedOctets)) throw new OpenSslError('the Finished message has another length');
    return {
      cipherSuite: text(functions.SSL_CIPHER_standard_name(functions.SSL_get_current_cipher(ssl))),
      certificate,
      chain: this.#chain(),
      clientFinished,
      hasExtendedMasterSecret: functions.SSL_ctrl(ssl, command.getExtendedMasterSecretSupport, 0n, null) === 1n,
      maximumMessageOctets: Math.min(Number(functions.DTLS_get_data_mtu(ssl)), this.#longestFragment()),
    };
  }

  /** What the peer showed, if it came that far. */
  certificate(): Uint8Array | undefined {
    const { functions } = openSsl();
    if (this.#ssl === 0n) return undefined;
    // get1: the reference is ours to free.
    const x509 = functions.SSL_get1_peer_certificate(this.#ssl);
    if (x509 === 0n) return undefined;
    try {
      return encodeCertificate(x509);
    } finally {
      functions.X509_free(x509);
    }
  }

  /** What the client can bear in one record, RFC 6066 §4. OpenSSL writes no longer one, and does not split a message. */
  #longestFragment(): number {
    const { functions } = openSsl();
    const mode = functions.SSL_SESSION_get_max_fragment_length(functions.SSL_get_session(this.#ssl));
    return mode === 0 ? plaintext.length : 256 << mode;
  }

  /** On a server, without the peer's own certificate. Stack and certificates belong to the session. */
  #chain(): Uint8Array[] {
    const { functions } = openSsl();
    const stack = functions.SSL_get_peer_cert_chain(this.#ssl);
    if (stack === 0n) return [];
    const count = Math.min(functions.OPENSSL_sk_num(stack), mostChainCertificates);
    return Array.from({ length: Math.max(0, count) }, (_, i) =>
      encodeCertificate(functions.OPENSSL_sk_value(stack, i)),
    );
  }

  /** @throws {OpenSslError} when the session is closed, or OpenSSL refuses the label */
  exportKeyingMaterial(label: string, length: number): Uint8Array {
    if (this.#ssl === 0n) throw new OpenSslError('the session is closed');
    const material = Buffer.alloc(length);
    const octets = Buffer.from(label, 'latin1');
    must('to export keying material', () =>
      openSsl().functions.SSL_export_keying_material(
        this.#ssl,
        material,
        BigInt(length),
        octets,
        BigInt(octets.length),
        null,
        0n,
        0,
      ),
    );
    return material;
  }

  free(): void {
    if (this.#ssl === 0n) return;
    openSsl().functions.SSL_free(this.#ssl);
    this.#ssl = 0n;
  }

  /**
   * Buffers of some 16 KiB each way, which SSL_MODE_RELEASE_BUFFERS does not give back for DTLS. OpenSSL keeps them when
   * something is in them, and makes new ones when it needs them.
   */
  #freeBuffers(): void {
    if (this.#ssl === 0n) return;
    clearErrors();
    openSsl().functions.SSL_free_buffers(this.#ssl);
    takeErrors();
  }

  /** SSL_get_error looks into the queue of errors: it comes before the queue is emptied. */
  #step(call: (ssl: bigint) => number): { readonly result: number; readonly step: Step } {
    if (this.#ssl === 0n) return { result: 0, step: { kind: 'closed' } };
    clearErrors();
    const result = call(this.#ssl);
    if (result > 0) return { result, step: waiting };
    const code = openSsl().functions.SSL_get_error(this.#ssl, result);
    const reasons = takeErrors();
    if (code === wantRead || code === wantWrite) return { result, step: waiting };
    if (code === zeroReturn) return { result, step: { kind: 'closed' } };
    return { result, step: { kind: 'failed', reason: reasonOf(reasons) } };
  }
}

/** A BIO_ADDR for {@link OpenSslSession.listen}. The caller frees it. */
export function makePeerAddress(): bigint {
  return must('an address', () => openSsl().functions.BIO_ADDR_new());
}

/** Frees what {@link makePeerAddress} made. */
export function freePeerAddress(address: bigint): void {
  openSsl().functions.BIO_ADDR_free(address);
}

function reasonOf(reasons: readonly string[]): string {
  return reasons.length === 0 ? 'no reason given' : reasons.join(', ');
}
