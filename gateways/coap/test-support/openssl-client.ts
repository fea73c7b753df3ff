// The client half of DTLS 1.2 in the OpenSSL that Node carries, for tests, drills and benchmarks: pointers and symbols of
// node:ffi and nothing else. It must never be imported by the gate: it offers what the gate has to refuse.

import ffi from 'node:ffi';

const { lib, functions: openssl } = ffi.dlopen(null, {
  BIO_new: { arguments: ['pointer'], return: 'pointer' },
  BIO_read: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  BIO_s_dgram_mem: { arguments: [], return: 'pointer' },
  BIO_write: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  DTLS_client_method: { arguments: [], return: 'pointer' },
  DTLS_set_timer_cb: { arguments: ['pointer', 'pointer'], return: 'void' },
  ERR_clear_error: { arguments: [], return: 'void' },
  ERR_error_string_n: { arguments: ['u64', 'pointer', 'u64'], return: 'void' },
  ERR_get_error: { arguments: [], return: 'u64' },
  EVP_PKEY_free: { arguments: ['pointer'], return: 'void' },
  SSL_CIPHER_standard_name: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_ctrl: { arguments: ['pointer', 'i32', 'i64', 'pointer'], return: 'i64' },
  SSL_CTX_free: { arguments: ['pointer'], return: 'void' },
  SSL_CTX_get_cert_store: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_new: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_set_cipher_list: { arguments: ['pointer', 'pointer'], return: 'i32' },
  SSL_CTX_set_options: { arguments: ['pointer', 'u64'], return: 'u64' },
  SSL_CTX_set_security_level: { arguments: ['pointer', 'i32'], return: 'void' },
  SSL_CTX_set_verify: { arguments: ['pointer', 'i32', 'pointer'], return: 'void' },
  SSL_CTX_set_tlsext_max_fragment_length: { arguments: ['pointer', 'u8'], return: 'i32' },
  SSL_CTX_use_PrivateKey: { arguments: ['pointer', 'pointer'], return: 'i32' },
  SSL_CTX_use_certificate: { arguments: ['pointer', 'pointer'], return: 'i32' },
  SSL_ctrl: { arguments: ['pointer', 'i32', 'i64', 'pointer'], return: 'i64' },
  SSL_do_handshake: { arguments: ['pointer'], return: 'i32' },
  SSL_export_keying_material: {
    arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64', 'pointer', 'u64', 'i32'],
    return: 'i32',
  },
  SSL_free: { arguments: ['pointer'], return: 'void' },
  SSL_get1_peer_certificate: { arguments: ['pointer'], return: 'pointer' },
  SSL_get_current_cipher: { arguments: ['pointer'], return: 'pointer' },
  SSL_get_error: { arguments: ['pointer', 'i32'], return: 'i32' },
  SSL_get_finished: { arguments: ['pointer', 'pointer', 'u64'], return: 'u64' },
  SSL_new: { arguments: ['pointer'], return: 'pointer' },
  SSL_read: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  SSL_renegotiate: { arguments: ['pointer'], return: 'i32' },
  SSL_set_bio: { arguments: ['pointer', 'pointer', 'pointer'], return: 'void' },
  SSL_set_connect_state: { arguments: ['pointer'], return: 'void' },
  SSL_shutdown: { arguments: ['pointer'], return: 'i32' },
  SSL_write: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  X509_STORE_add_cert: { arguments: ['pointer', 'pointer'], return: 'i32' },
  X509_free: { arguments: ['pointer'], return: 'void' },
  d2i_AutoPrivateKey: { arguments: ['pointer', 'pointer', 'i64'], return: 'pointer' },
  d2i_X509: { arguments: ['pointer', 'pointer', 'i64'], return: 'pointer' },
  i2d_X509: { arguments: ['pointer', 'pointer'], return: 'i32' },
});

// Macros of openssl/ssl.h: commands of SSL_CTX_ctrl and SSL_ctrl.
const command = {
  setMtu: 17,
  mode: 33,
  getTimeout: 73,
  handleTimeout: 74,
  chainCertificate: 89,
  setGroupsList: 92,
  setSignatureAlgorithmsList: 98,
  getExtendedMasterSecretSupport: 122,
  setMinimumVersion: 123,
  setMaximumVersion: 124,
} as const;
const option = { noExtendedMasterSecret: 1n << 0n, noQueryMtu: 1n << 12n, noTicket: 1n << 14n } as const;
const noAutomaticChain = 0x8;
const dtls12 = 0xfefd;
const verifyPeer = 1;
const error = { ssl: 1, wantRead: 2, zeroReturn: 6 } as const;

/** What a client offers and whom it believes. */
export type ClientContextOptions = {
  /** Own one first, DER; without it the client answers a CertificateRequest with an empty list. */
  readonly certificates: readonly Uint8Array[];
  /** PKCS#8 DER. */
  readonly privateKey?: Uint8Array | undefined;
  /** DER; without them any server is believed. */
  readonly trustAnchors: readonly Uint8Array[];
  /** In OpenSSL's names. */
  readonly ciphers: string;
  readonly groups?: string | undefined;
  readonly signatureAlgorithms?: string | undefined;
  readonly hasExtendedMasterSecret: boolean;
  /** The longest plaintext of a record that it takes, RFC 6066 §4. */
  readonly longestFragment?: 512 | 1024 | 2048 | 4096 | undefined;
  /** First retransmission of a flight; it doubles each time (RFC 6347 §4.2.4.1). */
  readonly retransmitMs: number;
};

/** A failure of OpenSSL: its reason, and the alert that the server sent, if that was it (RFC 5246 §7.2). */
export class OpensslError extends Error {
  readonly alert: number | undefined;
  constructor(call: string) {
    const code = openssl.ERR_get_error();
    const text = Buffer.alloc(256);
    openssl.ERR_error_string_n(code, address(text), BigInt(text.length));
    super(`${call}: ${code === 0n ? 'failed' : text.toString('latin1', 0, text.indexOf(0))}`);
    // openssl/sslerr.h: reasons from 1000 on are alerts that were received.
    const reason = Number(code & 0x7fffffn);
    this.alert = reason >= 1000 && reason < 1256 ? reason - 1000 : undefined;
  }
}

/** What one step of a session came to. */
export type StepResult = 'done' | 'wants-more' | 'closed';

// One buffer for all: nothing here is asynchronous.
const scratch = Buffer.alloc(65536);
const scratchAddress = address(scratch);

function address(bytes: Uint8Array): bigint {
  return ffi.getRawPointer(bytes);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'latin1');
}

/** Calls a parser of DER (`d2i_…`), which takes a pointer to a pointer. */
function parseDer(call: 'd2i_X509' | 'd2i_AutoPrivateKey', der: Uint8Array): bigint {
  const copy = Buffer.from(der);
  const at = Buffer.alloc(8);
  at.writeBigUInt64LE(address(copy));
  openssl.ERR_clear_error();
  const parsed = openssl[call](0n, address(at), BigInt(copy.length));
  if (parsed === 0n) throw new OpensslError(call);
  return parsed;
}

function withCertificate(der: Uint8Array, use: (certificate: bigint) => boolean): void {
  const certificate = parseDer('d2i_X509', der);
  try {
    if (!use(certificate)) throw new OpensslError('certificate');
  } finally {
    openssl.X509_free(certificate);
  }
}

/** An SSL_CTX; `free` it when all its sessions are freed. */
export class ClientContext {
  readonly #pointer: bigint;
  readonly #timer: bigint;

  constructor(options: ClientContextOptions) {
    openssl.ERR_clear_error();
    this.#pointer = openssl.SSL_CTX_new(openssl.DTLS_client_method());
    if (this.#pointer === 0n) throw new OpensslError('SSL_CTX_new');
    const firstUs = options.retransmitMs * 1000;
    this.#timer = lib.registerCallback({ arguments: ['pointer', 'u32'], return: 'u32' }, (_, lastUs) =>
      lastUs === 0 ? firstUs : Math.min(lastUs * 2, 60_000_000),
    );
    this.#control(command.setMinimumVersion, dtls12);
    this.#control(command.setMaximumVersion, dtls12);
    // The chain is what the caller says, not what could be made of the trust anchors.
    this.#control(command.mode, noAutomaticChain);
    // A client of a test may be as weak as it likes; the server is what is tested.
    openssl.SSL_CTX_set_security_level(this.#pointer, 0);
    openssl.SSL_CTX_set_options(
      this.#pointer,
      option.noQueryMtu | option.noTicket | (options.hasExtendedMasterSecret ? 0n : option.noExtendedMasterSecret),
    );
    const ciphers = cString(options.ciphers);
    if (openssl.SSL_CTX_set_cipher_list(this.#pointer, address(ciphers)) !== 1) throw new OpensslError('ciphers');
    if (options.groups !== undefined) this.#list(command.setGroupsList, options.groups);
    if (options.signatureAlgorithms !== undefined) {
      this.#list(command.setSignatureAlgorithmsList, options.signatureAlgorithms);
    }
    if (options.longestFragment !== undefined) {
      const mode = Math.log2(options.longestFragment) - 8;
      if (openssl.SSL_CTX_set_tlsext_max_fragment_length(this.#pointer, mode) !== 1)
        throw new OpensslError('fragments');
    }
    this.#identify(options.certificates, options.privateKey);
    const store = openssl.SSL_CTX_get_cert_store(this.#pointer);
    for (const anchor of options.trustAnchors) {
      withCertificate(anchor, (certificate) => openssl.X509_STORE_add_cert(store, certificate) === 1);
    }
    openssl.SSL_CTX_set_verify(this.#pointer, options.trustAnchors.length === 0 ? 0 : verifyPeer, 0n);
  }

  #identify([own, ...chain]: readonly Uint8Array[], privateKey: Uint8Array | undefined): void {
    if (own === undefined || privateKey === undefined) return;
    withCertificate(own, (certificate) => openssl.SSL_CTX_use_certificate(this.#pointer, certificate) === 1);
    const key = parseDer('d2i_AutoPrivateKey', privateKey);
    const isTaken = openssl.SSL_CTX_use_PrivateKey(this.#pointer, key) === 1;
    openssl.EVP_PKEY_free(key);
    if (!isTaken) throw new OpensslError('SSL_CTX_use_PrivateKey');
    for (const der of chain) {
      // 1: the context takes a reference of its own (SSL_CTX_add1_chain_cert).
      withCertificate(
        der,
        (certificate) => openssl.SSL_CTX_ctrl(this.#pointer, command.chainCertificate, 1n, certificate) === 1n,
      );
    }
  }

  #control(cmd: number, value: number): void {
    if (openssl.SSL_CTX_ctrl(this.#pointer, cmd, BigInt(value), 0n) < 1n) throw new OpensslError(`SSL_CTX_ctrl ${cmd}`);
  }

  #list(cmd: number, names: string): void {
    const text = cString(names);
    if (openssl.SSL_CTX_ctrl(this.#pointer, cmd, 0n, address(text)) !== 1n) throw new OpensslError(names);
  }

  /** A session that has not said anything yet. `mtu` bounds each datagram of the handshake. */
  createSession(mtu: number): ClientSession {
    return new ClientSession(this.#pointer, this.#timer, mtu);
  }

  free(): void {
    openssl.SSL_CTX_free(this.#pointer);
    lib.unregisterCallback(this.#timer);
  }
}

/** An SSL between two memory BIOs; every method is synchronous, `takeDatagrams` after each that may have written. */
class ClientSession {
  readonly #ssl: bigint;
  readonly #input: bigint;
  readonly #output: bigint;

  constructor(context: bigint, timer: bigint, mtu: number) {
    openssl.ERR_clear_error();
    this.#ssl = openssl.SSL_new(context);
    if (this.#ssl === 0n) throw new OpensslError('SSL_new');
    this.#input = openssl.BIO_new(openssl.BIO_s_dgram_mem());
    this.#output = openssl.BIO_new(openssl.BIO_s_dgram_mem());
    openssl.SSL_set_bio(this.#ssl, this.#input, this.#output);
    openssl.SSL_set_connect_state(this.#ssl);
    openssl.SSL_ctrl(this.#ssl, command.setMtu, BigInt(mtu), 0n);
    openssl.DTLS_set_timer_cb(this.#ssl, timer);
  }

  /** Gives one datagram of the server to OpenSSL. */
  feed(datagram: Uint8Array): void {
    // A datagram that the BIO has no room for is a lost one.
    scratch.set(datagram);
    openssl.BIO_write(this.#input, scratchAddress, datagram.length);
  }

  /** What OpenSSL wants to send, datagram by datagram. */
  takeDatagrams(): Buffer[] {
    const datagrams: Buffer[] = [];
    for (;;) {
      const length = openssl.BIO_read(this.#output, scratchAddress, scratch.length);
      if (length <= 0) return datagrams;
      datagrams.push(Buffer.from(scratch.subarray(0, length)));
    }
  }

  /** @throws OpensslError when the handshake has failed */
  handshake(): StepResult {
    openssl.ERR_clear_error();
    const result = openssl.SSL_do_handshake(this.#ssl);
    return result === 1 ? 'done' : this.#explain('SSL_do_handshake', result);
  }

  /** One message, or why there is none. @throws OpensslError on a fatal alert */
  read(): Buffer | StepResult {
    openssl.ERR_clear_error();
    const length = openssl.SSL_read(this.#ssl, scratchAddress, scratch.length);
    return length > 0 ? Buffer.from(scratch.subarray(0, length)) : this.#explain('SSL_read', length);
  }

  /** One message in one record. */
  write(message: Uint8Array): void {
    openssl.ERR_clear_error();
    scratch.set(message);
    const written = openssl.SSL_write(this.#ssl, scratchAddress, message.length);
    if (written <= 0) throw new OpensslError('SSL_write');
  }

  /** Asks for a second handshake on the same association. */
  renegotiate(): void {
    openssl.ERR_clear_error();
    openssl.SSL_renegotiate(this.#ssl);
  }

  /** Writes close_notify. */
  shutDown(): void {
    openssl.ERR_clear_error();
    openssl.SSL_shutdown(this.#ssl);
    openssl.ERR_clear_error();
  }

  /** Milliseconds until `handleTimeout` is due; undefined while nothing is awaited. */
  timeoutMs(): number | undefined {
    if (openssl.SSL_ctrl(this.#ssl, command.getTimeout, 0n, scratchAddress) !== 1n) return undefined;
    return Number(scratch.readBigInt64LE(0)) * 1000 + Math.ceil(Number(scratch.readBigInt64LE(8)) / 1000);
  }

  /** Writes the flight again when it is due. @throws OpensslError when it was written too often */
  handleTimeout(): void {
    openssl.ERR_clear_error();
    if (openssl.SSL_ctrl(this.#ssl, command.handleTimeout, 0n, 0n) < 0n)
      throw new OpensslError('DTLSv1_handle_timeout');
  }

  /** The client's own verify_data (RFC 5246 §7.4.9). */
  ownFinished(): Buffer {
    const length = Number(openssl.SSL_get_finished(this.#ssl, scratchAddress, 64n));
    return Buffer.from(scratch.subarray(0, length));
  }

  /** RFC 5705, without a context. */
  exportKeyingMaterial(label: string, length: number): Buffer {
    const name = cString(label);
    const result = openssl.SSL_export_keying_material(
      this.#ssl,
      scratchAddress,
      BigInt(length),
      address(name),
      BigInt(label.length),
      0n,
      0n,
      0,
    );
    if (result !== 1) throw new OpensslError('SSL_export_keying_material');
    return Buffer.from(scratch.subarray(0, length));
  }

  /** IANA's name. */
  cipherSuite(): string {
    return ffi.toString(openssl.SSL_CIPHER_standard_name(openssl.SSL_get_current_cipher(this.#ssl))) ?? '';
  }

  /** RFC 7627. */
  hasExtendedMasterSecret(): boolean {
    return openssl.SSL_ctrl(this.#ssl, command.getExtendedMasterSecretSupport, 0n, 0n) === 1n;
  }

  /** The server's, DER. */
  peerCertificate(): Buffer {
    const certificate = openssl.SSL_get1_peer_certificate(this.#ssl);
    if (certificate === 0n) throw new OpensslError('SSL_get1_peer_certificate');
    const at = Buffer.alloc(8);
    at.writeBigUInt64LE(scratchAddress);
    const length = openssl.i2d_X509(certificate, address(at));
    openssl.X509_free(certificate);
    return Buffer.from(scratch.subarray(0, length));
  }

  /** The last call: nothing of the session may be used any more. */
  free(): void {
    openssl.SSL_free(this.#ssl);
  }

  #explain(call: string, result: number): StepResult {
    const kind = openssl.SSL_get_error(this.#ssl, result);
    if (kind === error.wantRead) return 'wants-more';
    if (kind === error.zeroReturn) return 'closed';
    throw new OpensslError(call);
  }
}

export type { ClientSession };
