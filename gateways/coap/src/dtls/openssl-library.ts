// The functions of OpenSSL 3 inside the Node.js binary that DTLS 1.2 needs, found once by node:ffi, and its queue of
// errors. That queue belongs to the thread, so Node's own TLS shares it: it is cleared before a call whose failure is
// asked for, and emptied behind it. Nothing outside of the files openssl*.ts may hold a pointer.

import { FatalError } from '@gatehouse/runtime/fatal';

type Ffi = typeof import('node:ffi');

// What each symbol takes and returns, openssl/*.h. Macros (SSL_set_mtu and the like) are commands of the two *_ctrl.
const symbols = {
  BIO_ADDR_free: { arguments: ['pointer'], return: 'void' },
  BIO_ADDR_new: { arguments: [], return: 'pointer' },
  BIO_free: { arguments: ['pointer'], return: 'i32' },
  BIO_new: { arguments: ['pointer'], return: 'pointer' },
  BIO_read: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  BIO_s_dgram_mem: { arguments: [], return: 'pointer' },
  BIO_up_ref: { arguments: ['pointer'], return: 'i32' },
  BIO_write: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  DTLS_get_data_mtu: { arguments: ['pointer'], return: 'u64' },
  DTLS_server_method: { arguments: [], return: 'pointer' },
  DTLSv1_listen: { arguments: ['pointer', 'pointer'], return: 'i32' },
  ERR_clear_error: { arguments: [], return: 'void' },
  ERR_get_error: { arguments: [], return: 'u64' },
  ERR_reason_error_string: { arguments: ['u64'], return: 'pointer' },
  OPENSSL_sk_num: { arguments: ['pointer'], return: 'i32' },
  OPENSSL_sk_value: { arguments: ['pointer', 'i32'], return: 'pointer' },
  OpenSSL_version_num: { arguments: [], return: 'u64' },
  SSL_CIPHER_get_id: { arguments: ['pointer'], return: 'u32' },
  SSL_CIPHER_standard_name: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_check_private_key: { arguments: ['pointer'], return: 'i32' },
  SSL_CTX_ctrl: { arguments: ['pointer', 'i32', 'i64', 'pointer'], return: 'i64' },
  SSL_CTX_free: { arguments: ['pointer'], return: 'void' },
  SSL_CTX_get0_param: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_get_cert_store: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_new: { arguments: ['pointer'], return: 'pointer' },
  SSL_CTX_set_cipher_list: { arguments: ['pointer', 'pointer'], return: 'i32' },
  SSL_CTX_set_cookie_generate_cb: { arguments: ['pointer', 'pointer'], return: 'void' },
  SSL_CTX_set_cookie_verify_cb: { arguments: ['pointer', 'pointer'], return: 'void' },
  SSL_CTX_set_default_read_buffer_len: { arguments: ['pointer', 'u64'], return: 'void' },
  SSL_CTX_set_info_callback: { arguments: ['pointer', 'pointer'], return: 'void' },
  SSL_CTX_set_options: { arguments: ['pointer', 'u64'], return: 'u64' },
  SSL_CTX_set_security_callback: { arguments: ['pointer', 'pointer'], return: 'void' },
  SSL_CTX_set_security_level: { arguments: ['pointer', 'i32'], return: 'void' },
  SSL_CTX_set_verify: { arguments: ['pointer', 'i32', 'pointer'], return: 'void' },
  SSL_CTX_set_verify_depth: { arguments: ['pointer', 'i32'], return: 'void' },
  SSL_CTX_use_PrivateKey_ASN1: { arguments: ['i32', 'pointer', 'pointer', 'i64'], return: 'i32' },
  SSL_CTX_use_certificate_ASN1: { arguments: ['pointer', 'i32', 'pointer'], return: 'i32' },
  SSL_SESSION_get_max_fragment_length: { arguments: ['pointer'], return: 'u8' },
  SSL_alert_desc_string_long: { arguments: ['i32'], return: 'pointer' },
  SSL_ctrl: { arguments: ['pointer', 'i32', 'i64', 'pointer'], return: 'i64' },
  SSL_do_handshake: { arguments: ['pointer'], return: 'i32' },
  SSL_export_keying_material: {
    arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64', 'pointer', 'u64', 'i32'],
    return: 'i32',
  },
  SSL_free: { arguments: ['pointer'], return: 'void' },
  SSL_free_buffers: { arguments: ['pointer'], return: 'i32' },
  SSL_get1_peer_certificate: { arguments: ['pointer'], return: 'pointer' },
  SSL_get_current_cipher: { arguments: ['pointer'], return: 'pointer' },
  SSL_get_error: { arguments: ['pointer', 'i32'], return: 'i32' },
  SSL_get_peer_cert_chain: { arguments: ['pointer'], return: 'pointer' },
  SSL_get_peer_finished: { arguments: ['pointer', 'pointer', 'u64'], return: 'u64' },
  SSL_get_session: { arguments: ['pointer'], return: 'pointer' },
  SSL_new: { arguments: ['pointer'], return: 'pointer' },
  SSL_read: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  SSL_set_bio: { arguments: ['pointer', 'pointer', 'pointer'], return: 'void' },
  SSL_shutdown: { arguments: ['pointer'], return: 'i32' },
  SSL_write: { arguments: ['pointer', 'pointer', 'i32'], return: 'i32' },
  X509_STORE_CTX_get0_cert: { arguments: ['pointer'], return: 'pointer' },
  X509_STORE_CTX_get_error: { arguments: ['pointer'], return: 'i32' },
  X509_STORE_add_cert: { arguments: ['pointer', 'pointer'], return: 'i32' },
  X509_VERIFY_PARAM_set_flags: { arguments: ['pointer', 'u64'], return: 'i32' },
  X509_VERIFY_PARAM_set_purpose: { arguments: ['pointer', 'i32'], return: 'i32' },
  X509_free: { arguments: ['pointer'], return: 'void' },
  X509_verify_cert_error_string: { arguments: ['i64'], return: 'pointer' },
  d2i_X509: { arguments: ['pointer', 'pointer', 'i64'], return: 'pointer' },
  i2d_X509: { arguments: ['pointer', 'pointer'], return: 'i32' },
} as const;

type Library = {
  readonly ffi: Ffi;
  readonly handle: import('node:ffi').DynamicLibrary;
  readonly functions: import('node:ffi').DynamicLibraryResult<typeof symbols>['functions'];
};

/** OpenSSL refused; the message has its own reason. */
export class OpenSslError extends Error {
  override readonly name = 'OpenSslError';
}

let library: Library | undefined;

/**
 * The functions, resolved at the first call.
 *
 * @throws {FatalError} when one is missing, or it is not OpenSSL 3
 */
export function openSsl(): Library {
  library ??= load();
  return library;
}

const needed = {
  hint: "start it through npm (npm start, npx gatehouse): 'npm ci' has installed a Node.js that has it; under --permission add --allow-ffi",
};

function load(): Library {
  let ffi: Ffi | undefined;
  // The warning that node:ffi is experimental says nothing to an operator. Loading is synchronous: no other is lost.
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    ffi = process.getBuiltinModule('node:ffi');
  } finally {
    process.emitWarning = emitWarning;
  }
  if (ffi === undefined) throw new FatalError('CoAP needs OpenSSL through node:ffi, which this Node.js lacks', needed);
  let opened: import('node:ffi').DynamicLibraryResult<typeof symbols>;
  try {
    opened = ffi.dlopen(null, symbols);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FatalError(`CoAP needs functions of OpenSSL that this Node.js does not give: ${reason}`, {
      ...needed,
      cause,
    });
  }
  const major = opened.functions.OpenSSL_version_num() >> 28n;
  if (major !== 3n) throw new FatalError(`CoAP needs OpenSSL 3, but this Node.js carries OpenSSL ${major}`, needed);
  return { ffi, handle: opened.lib, functions: opened.functions };
}

/** Nothing can be read from a call's errors when older ones lie in front of them. */
export function clearErrors(): void {
  openSsl().functions.ERR_clear_error();
}

// The queue itself holds sixteen.
const mostErrors = 16;

/** Empties the queue. @returns OpenSSL's reasons, the first cause first */
export function takeErrors(): string[] {
  const { functions } = openSsl();
  const reasons: string[] = [];
  for (let i = 0; i < mostErrors; i++) {
    const code = functions.ERR_get_error();
    if (code === 0n) break;
    const reason = text(functions.ERR_reason_error_string(code));
    reasons.push(reason === '' ? `error ${code.toString(16)}` : reason);
  }
  return reasons;
}

/**
 * Makes a call that has to succeed.
 *
 * @param what for the message: 'the certificate'
 * @param call its result is a pointer, or 1
 * @throws {OpenSslError} when it is null, 0 or less
 */
export function must<T extends bigint | number>(what: string, call: () => T): T {
  clearErrors();
  const result = call();
  const reasons = takeErrors();
  if (result <= 0) throw new OpenSslError(`OpenSSL refused ${what}: ${reasons.join(', ') || 'no reason given'}`);
  return result;
}

/** A constant string of OpenSSL; empty for null. */
export function text(pointer: bigint): string {
  return openSsl().ffi.toString(pointer) ?? '';
}

/**
 * Copies a certificate out of OpenSSL. The X509 stays whose it was. The queue of errors is left alone: callbacks use this
 * in the middle of OpenSSL's work.
 */
export function encodeCertificate(x509: bigint): Uint8Array {
  const { ffi, functions } = openSsl();
  const length = functions.i2d_X509(x509, null);
  if (length <= 0) throw new OpenSslError('OpenSSL refused to encode a certificate');
  const der = Buffer.alloc(length);
  // i2d_X509 moves the pointer it is given: it gets the address of a copy. Both buffers outlive the call.
  const cursor = new BigUint64Array([ffi.getRawPointer(der)]);
  if (functions.i2d_X509(x509, cursor) !== length) throw new OpenSslError('OpenSSL refused to encode a certificate');
  return der;
}

/** Hands a certificate to `use` and frees it behind. */
export function withCertificate(der: Uint8Array, use: (x509: bigint) => void): void {
  const { ffi, functions } = openSsl();
  const cursor = new BigUint64Array([ffi.getRawPointer(der)]);
  const x509 = must('a certificate', () => functions.d2i_X509(null, cursor, BigInt(der.length)));
  try {
    use(x509);
  } finally {
    functions.X509_free(x509);
  }
}
