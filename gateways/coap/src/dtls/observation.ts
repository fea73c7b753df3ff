// What OpenSSL tells about one peer while it works for it: alerts, and why its certificate was not believed. Kept for the
// log line of a handshake that fails; nothing is judged here.

import { X509Certificate } from 'node:crypto';
import type { Cookies } from './cookie.ts';
import type { DtlsMetrics } from './metrics.ts';
import type { Observer, VerificationFailure } from './openssl.ts';
import type { ClientHello } from './records.ts';

const longestSubject = 256;

/** The observer of a handshake and of the session that comes of it. */
export class Observation implements Observer {
  readonly #metrics: DtlsMetrics;
  readonly #cookies: Cookies;
  readonly #peerKey: string;
  #hello: ClientHello | undefined;
  #alertIn: string | undefined;
  #alertOut: string | undefined;
  #verificationFailure: VerificationFailure | undefined;

  constructor(metrics: DtlsMetrics, cookies: Cookies, peerKey: string, hello: ClientHello) {
    this.#metrics = metrics;
    this.#cookies = cookies;
    this.#peerKey = peerKey;
    this.#hello = hello;
  }

  /** What the peer ended with, if it was not close_notify. */
  get fatalAlertIn(): string | undefined {
    return this.#alertIn;
  }

  makeCookie(): Uint8Array {
    if (this.#hello === undefined) throw new TypeError('the cookie exchange is over');
    return this.#cookies.make(this.#peerKey, this.#hello);
  }

  isCookieRight(cookie: Uint8Array): boolean {
    return this.#hello !== undefined && this.#cookies.isRight(cookie, this.#peerKey, this.#hello);
  }

  alert(direction: 'in' | 'out', description: string): void {
    this.#metrics.alerts.inc({ direction, description });
    // RFC 5246 §7.2.1.
    if (description === 'close notify') return;
    if (direction === 'in') this.#alertIn = description;
    else this.#alertOut = description;
  }

  verificationFailed(failure: VerificationFailure): void {
    this.#verificationFailure ??= failure;
  }

  /** The ClientHello is needed no more, and its datagram with it. */
  established(): void {
    this.#hello = undefined;
  }

  /**
   * Facts for the log.
   *
   * @param reason OpenSSL's
   * @param certificate what the peer showed, if OpenSSL kept it
   */
  describe(reason: string, certificate: Uint8Array | undefined): Readonly<Record<string, string>> {
    const shown = certificate ?? this.#verificationFailure?.certificate;
    return {
      reason: this.#verificationFailure?.reason ?? reason,
      ...(this.#alertOut === undefined ? {} : { alertSent: this.#alertOut }),
      ...(this.#alertIn === undefined ? {} : { alertReceived: this.#alertIn }),
      ...(shown === undefined ? {} : { subject: subjectOf(shown) }),
    };
  }
}

/** In one line; a certificate that Node does not read has none. */
function subjectOf(certificate: Uint8Array): string {
  try {
    return new X509Certificate(certificate).subject.replaceAll('\n', ', ').slice(0, longestSubject);
  } catch {
    return 'unreadable';
  }
}
