// A server's SSL_CTX: DTLS 1.2, a certificate from everybody, and the callbacks through which OpenSSL asks and tells.
// Sessions hold their context by OpenSSL's own count of references, so it can be freed here as soon as no new session is
// to be made of it. Callbacks must never throw, nor return promises: what goes wrong inside of them means 'no'.

import { X509Certificate } from 'node:crypto';
import { encodeCertificate, must, OpenSslError, openSsl, text, withCertificate } from './openssl-library.ts';
import { longestDatagram } from './openssl-wire.ts';
import { cipherList, dtls12, groupList, isAllowed, securityLevel, signatureAlgorithmList } from './security-policy.ts';
import type { DtlsCredentials, DtlsTrust } from './transport.ts';

/** A verification that failed: OpenSSL's words, and whose certificate it was about. */
export type VerificationFailure = { readonly reason: string; readonly certificate: Uint8Array | undefined };

/** What OpenSSL asks and tells while it works for one peer. */
export type Observer = {
  makeCookie(): Uint8Array;
  isCookieRight(cookie: Uint8Array): boolean;
  alert(direction: 'in' | 'out', description: string): void;
  verificationFailed(failure: VerificationFailure): void;
};

// Commands of SSL_CTX_ctrl, openssl/ssl.h.
const command = {
  mode: 33,
  sessionCacheMode: 44,
  maximumCertificateList: 51,
  chainCertificate: 89,
  groupsList: 92,
  signatureAlgorithmsList: 98,
  minimumVersion: 123,
  maximumVersion: 124,
} as const;

// SSL_OP_NO_QUERY_MTU: the MTU stands as configured; else OpenSSL asks the BIO and cuts flights into small fragments.
// SSL_OP_NO_TICKET, SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_COMPRESSION.
const contextOptions = (1n << 12n) | (1n << 14n) | (1n << 30n) | (1n << 17n);
// SSL_MODE_NO_AUTO_CHAIN: what clients are verified with is not sent to them; SSL_MODE_RELEASE_BUFFERS.
const contextMode = 0x8n | 0x10n;
// SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT.
const verifyMode = 3;
const verifyDepth = 8;
const maximumCertificateOctets = 16_384n;
// EVP_PKEY_EC.
const ellipticCurveKey = 408;
// X509_V_FLAG_NO_CHECK_TIME: devices' certificates of manufacturers may have ended (coaps.md §4); judged above, always.
const noCheckTime = 0x200000n;
const partialChain = 0x80000n;
// X509_PURPOSE_ANY: what a certificate is for is judged above too, since a server's may renew itself (RFC 9148 §4.2). That an
// issuer is a CA and may sign certificates is no purpose: OpenSSL looks at that all the same.
const anyPurpose = 7;

/**
 * Makes a context. The caller frees it.
 *
 * @throws {OpenSslError} when a certificate or the key cannot be used
 */
export function makeContext(credentials: DtlsCredentials, trust: DtlsTrust): bigint {
  const { functions } = openSsl();
  const context = must('a context', () => functions.SSL_CTX_new(functions.DTLS_server_method()));
  try {
    limitProtocol(context);
    setCallbacks(context);
    useCredentials(context, credentials);
    useTrust(context, trust);
  } catch (error) {
    functions.SSL_CTX_free(context);
    throw error;
  }
  return context;
}

/** Gives up a context; it lives on as long as sessions have it. */
export function freeContext(context: bigint): void {
  openSsl().functions.SSL_CTX_free(context);
}

function limitProtocol(context: bigint): void {
  const { functions } = openSsl();
  const control = (what: string, number: number, value: bigint): void => {
    must(what, () => functions.SSL_CTX_ctrl(context, number, value, null));
  };
  const controlText = (what: string, number: number, value: string): void => {
    // A Buffer of our own: it stands until the call is over.
    const terminated = Buffer.from(`${value}\0`, 'latin1');
    must(what, () => functions.SSL_CTX_ctrl(context, number, 0n, terminated));
  };
  functions.SSL_CTX_set_options(context, contextOptions);
  // Else it is as small as the client's longest fragment (RFC 6066 §4), and a datagram of several records is cut short.
  functions.SSL_CTX_set_default_read_buffer_len(context, BigInt(longestDatagram));
  functions.SSL_CTX_set_security_level(context, securityLevel);
  functions.SSL_CTX_set_security_callback(context, callbacks().security);
  control('DTLS 1.2', command.minimumVersion, BigInt(dtls12));
  control('DTLS 1.2', command.maximumVersion, BigInt(dtls12));
  control('its modes', command.mode, contextMode);
  // These two return what was set before, which may be 0.
  functions.SSL_CTX_ctrl(context, command.sessionCacheMode, 0n, null);
  functions.SSL_CTX_ctrl(context, command.maximumCertificateList, maximumCertificateOctets, null);
  controlText('the groups', command.groupsList, groupList);
  controlText('the signature algorithms', command.signatureAlgorithmsList, signatureAlgorithmList);
  const ciphers = Buffer.from(`${cipherList}\0`, 'latin1');
  must('the cipher suites', () => functions.SSL_CTX_set_cipher_list(context, ciphers));
}

function useCredentials(context: bigint, { certificateChain, privateKey }: DtlsCredentials): void {
  const { functions } = openSsl();
  const [own, ...issuers] = certificateChain;
  if (own === undefined) throw new OpenSslError('a DTLS server needs a certificate');
  must('the certificate', () => functions.SSL_CTX_use_certificate_ASN1(context, own.length, own));
  must('the private key', () =>
    functions.SSL_CTX_use_PrivateKey_ASN1(ellipticCurveKey, context, privateKey, BigInt(privateKey.length)),
  );
  must('the private key of another certificate', () => functions.SSL_CTX_check_private_key(context));
  for (const issuer of issuers) {
    // The 1 has OpenSSL count a reference of its own (SSL_CTX_add1_chain_cert); ours is freed behind.
    withCertificate(issuer, (x509) => {
      must('the certificate chain', () => functions.SSL_CTX_ctrl(context, command.chainCertificate, 1n, x509));
    });
  }
}

function useTrust(context: bigint, { anchors, intermediates }: DtlsTrust): void {
  const { functions } = openSsl();
  // Both belong to the context.
  const store = must('its trust store', () => functions.SSL_CTX_get_cert_store(context));
  const parameters = must('its parameters', () => functions.SSL_CTX_get0_param(context));
  let flags = noCheckTime;
  for (const der of [...anchors, ...intermediates]) {
    // The store counts a reference of its own; a certificate that is in it already is no error.
    withCertificate(der, (x509) => {
      must('a trust anchor', () => functions.X509_STORE_add_cert(store, x509));
    });
  }
  if (anchors.some((der) => !isSelfIssued(der))) flags |= partialChain;
  must('its parameters', () => functions.X509_VERIFY_PARAM_set_flags(parameters, flags));
  must('its parameters', () => functions.X509_VERIFY_PARAM_set_purpose(parameters, anyPurpose));
  functions.SSL_CTX_set_verify(context, verifyMode, callbacks().verification);
  functions.SSL_CTX_set_verify_depth(context, verifyDepth);
}

function isSelfIssued(der: Uint8Array): boolean {
  const { subject, issuer } = new X509Certificate(der);
  return subject === issuer;
}

function setCallbacks(context: bigint): void {
  const { functions } = openSsl();
  functions.SSL_CTX_set_cookie_generate_cb(context, callbacks().makeCookie);
  functions.SSL_CTX_set_cookie_verify_cb(context, callbacks().verifyCookie);
  functions.SSL_CTX_set_info_callback(context, callbacks().information);
}

type Callbacks = {
  readonly security: bigint;
  readonly makeCookie: bigint;
  readonly verifyCookie: bigint;
  readonly information: bigint;
  readonly verification: bigint;
};

let registered: Callbacks | undefined;
let observer: Observer | undefined;

/**
 * Does something for one peer. OpenSSL calls back on this thread and only inside of its functions, so that one variable
 * tells the callbacks whom it works for.
 */
export function observed<T>(by: Observer, work: () => T): T {
  const before = observer;
  observer = by;
  try {
    return work();
  } finally {
    observer = before;
  }
}

/** One set for the process, for ever: contexts that are gone here may still be held by sessions. */
function callbacks(): Callbacks {
  registered ??= register();
  return registered;
}

const longestCookie = 255;
// SSL_CB_READ_ALERT, SSL_CB_WRITE_ALERT.
const readAlert = 0x4004;
const writeAlert = 0x4008;

function register(): Callbacks {
  const { ffi, handle, functions } = openSsl();
  return {
    security: handle.registerCallback(
      { arguments: ['pointer', 'pointer', 'i32', 'i32', 'i32', 'pointer', 'pointer'], return: 'i32' },
      (_ssl, _context, operation, bits, nid, other) =>
        guarded(() => isAllowed(operation, bits, nid, () => functions.SSL_CIPHER_get_id(pointer(other)))),
    ),
    makeCookie: handle.registerCallback(
      { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
      (_ssl, cookiePointer, lengthPointer) =>
        guarded(() => {
          const cookie = observer?.makeCookie();
          if (cookie === undefined) return false;
          // OpenSSL's buffer has DTLS1_COOKIE_LENGTH octets.
          ffi.exportArrayBufferView(cookie, pointer(cookiePointer), longestCookie);
          ffi.setUint32(pointer(lengthPointer), 0, cookie.length);
          return true;
        }),
    ),
    verifyCookie: handle.registerCallback(
      { arguments: ['pointer', 'pointer', 'u32'], return: 'i32' },
      (_ssl, cookiePointer, length) =>
        guarded(() => observer?.isCookieRight(ffi.toBuffer(pointer(cookiePointer), length, true)) ?? false),
    ),
    information: handle.registerCallback(
      { arguments: ['pointer', 'i32', 'i32'], return: 'void' },
      (_ssl, where, value) => {
        if (where !== readAlert && where !== writeAlert) return;
        guarded(() => {
          observer?.alert(where === readAlert ? 'in' : 'out', text(functions.SSL_alert_desc_string_long(value)));
          return true;
        });
      },
    ),
    // Called with 1 for each certificate of a chain that is right. The answer is OpenSSL's own: nothing is overruled.
    verification: handle.registerCallback({ arguments: ['i32', 'pointer'], return: 'i32' }, (isRight, store) => {
      if (isRight !== 1) guarded(() => tellVerificationFailure(pointer(store)));
      return isRight;
    }),
  };
}

function tellVerificationFailure(store: bigint): boolean {
  const { functions } = openSsl();
  const code = functions.X509_STORE_CTX_get_error(store);
  // Belongs to the X509_STORE_CTX.
  const certificate = functions.X509_STORE_CTX_get0_cert(store);
  observer?.verificationFailed({
    reason: text(functions.X509_verify_cert_error_string(BigInt(code))),
    certificate: certificate === 0n ? undefined : encodeCertificate(certificate),
  });
  return true;
}

/** 1 or 0 for OpenSSL; an exception must not cross its frames. */
function guarded(question: () => boolean): number {
  try {
    return question() ? 1 : 0;
  } catch {
    return 0;
  }
}

/** What OpenSSL passes as a pointer arrives as a bigint; the types of node:ffi also have what JavaScript may pass. */
function pointer(value: unknown): bigint {
  if (typeof value !== 'bigint') throw new TypeError('OpenSSL passes pointers as bigint');
  return value;
}
