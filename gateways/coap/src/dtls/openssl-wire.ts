// The two memory BIOs between OpenSSL and the UDP socket: one datagram in, datagrams out. All sessions share them, which
// saves some 40 KiB a session and is sound because everything is synchronous: whoever works for a peer puts its datagram
// in, lets OpenSSL run, and takes out what it wrote, before anybody else's turn. Nothing may stay in either.

import { clearErrors, must, openSsl } from './openssl-library.ts';

/** The longest datagram that is taken or made: a full record of 2^14 octets and its overhead (RFC 6347 §4.1). */
export const longestDatagram = 16_384 + 512;

/** A pair of BIOs that the holder frees behind the last session. */
export class Wire {
  readonly #incoming: bigint;
  readonly #outgoing: bigint;
  // One for all reads; what is read is copied out of it.
  readonly #scratch = Buffer.allocUnsafeSlow(longestDatagram);

  constructor() {
    const { functions } = openSsl();
    this.#incoming = must('a BIO', () => functions.BIO_new(functions.BIO_s_dgram_mem()));
    this.#outgoing = must('a BIO', () => functions.BIO_new(functions.BIO_s_dgram_mem()));
  }

  /** Gives both to an SSL, which gives its references back when it is freed. */
  attach(ssl: bigint): void {
    const { functions } = openSsl();
    // SSL_set_bio takes one reference of each.
    must('a BIO', () => functions.BIO_up_ref(this.#incoming));
    must('a BIO', () => functions.BIO_up_ref(this.#outgoing));
    functions.SSL_set_bio(ssl, this.#incoming, this.#outgoing);
  }

  /** @param datagram not empty, at most {@link longestDatagram} octets */
  put(datagram: Uint8Array): void {
    must('a datagram', () => openSsl().functions.BIO_write(this.#incoming, datagram, datagram.length));
  }

  /** What OpenSSL wrote since the last time; what it did not read is thrown away. */
  take(): Buffer[] {
    while (this.#read(this.#incoming) !== undefined);
    const datagrams: Buffer[] = [];
    for (;;) {
      const datagram = this.#read(this.#outgoing);
      if (datagram === undefined) break;
      datagrams.push(datagram);
    }
    // Reading what is empty may leave an error.
    clearErrors();
    return datagrams;
  }

  #read(bio: bigint): Buffer | undefined {
    const length = openSsl().functions.BIO_read(bio, this.#scratch, this.#scratch.length);
    return length > 0 ? Buffer.from(this.#scratch.subarray(0, length)) : undefined;
  }

  free(): void {
    const { functions } = openSsl();
    functions.BIO_free(this.#incoming);
    functions.BIO_free(this.#outgoing);
  }
}
