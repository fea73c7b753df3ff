// The delegated OCSP responder of the issuing CA (RFC 6960 §4.2.2.2): a key of its own in the keep, with a certificate that
// lives briefly because nobody asks whether it stands. It is replaced at half of its life, so that what it signs never
// outlives it; the key of the CA itself never signs a response.
import { hash, type KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { Signer } from '../keys/signer.ts';
import { generateSoftwareKey } from '../keys/software-key.ts';
import { createSoftwareSigner } from '../keys/software-signer.ts';
import { findCertificate } from '../store/certificates.ts';
import type { StoreReader } from '../store/statements.ts';
import { loadResponder, saveResponder } from './ocsp-responder-files.ts';

/** Who signs OCSP responses. */
export type OcspResponder = {
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly id: string;
  readonly certificate: Certificate;
  readonly key: KeyObject;
  readonly signer: Signer;
};

/** The responder that is in use. */
export type OcspResponderSource = {
  current(): OcspResponder;
  /** @param listener is told of each responder that takes the place of another */
  onChange(listener: (responder: OcspResponder) => void): void;
  /**
   * Replaces the responder when half of its life is over, when it was revoked, or when what is left of it is shorter
   * than a response lives. It is also done by itself every minute. What fails is logged and tried again; then the old
   * responder stays.
   */
  renewIfDue(): Promise<void>;
  /** Stops looking after it. */
  close(): Promise<void>;
};

/** What {@link openOcspResponder} takes. */
export type OcspResponderOptions = {
  /** The data directory. */
  readonly directory: string;
  /** Opens the key's file, as those of the issuing CA. */
  readonly passphrase: string;
  /** The issuing CA's certificate. */
  readonly issuer: Certificate;
  readonly store: StoreReader;
  /** How long responses live. */
  readonly responseValidityMs: number;
  /**
   * Issues a certificate for a key and records it; answers its DER.
   *
   * @param replaces serial number of the certificate whose place it takes
   */
  issue(key: Signer, replaces: string | undefined): Promise<Uint8Array>;
  readonly clock: Clock;
  readonly log: Logger;
};

const lookEveryMs = 60_000;

/**
 * Opens the responder that is on the disk, or makes one.
 *
 * @example const responder = await openOcspResponder({ directory, passphrase, issuer: keep.issuing.certificate, store: keep.store, responseValidityMs: ocsp.validity, issue: responderIssuance(keep, ocsp), clock, log });
 * @throws {CoreError} when there is none and its certificate cannot be issued or recorded
 */
export async function openOcspResponder(options: OcspResponderOptions): Promise<OcspResponderSource> {
  const { directory, passphrase, issuer, clock, log } = options;
  const listeners: ((responder: OcspResponder) => void)[] = [];
  let responder = await open();
  let underWay: Promise<void> | undefined;

  async function open(): Promise<OcspResponder> {
    const loaded = loadResponder(directory, passphrase, issuer);
    if (loaded.kind === 'missing') {
      log.info('the first OCSP responder is made');
      return await make(undefined);
    }
    const reason = loaded.kind === 'loaded' ? reasonToReplace(loaded.certificate) : loaded.reason;
    if (loaded.kind === 'loaded' && reason === undefined) return toResponder(loaded.key, loaded.certificate);
    log.warn({ reason }, 'a new OCSP responder is made');
    return await make(loaded.kind === 'loaded' ? loaded.certificate.serialNumber : undefined);
  }

  async function make(replaces: string | undefined): Promise<OcspResponder> {
    const key = generateSoftwareKey('ecdsa-p256');
    const certificate = readCertificate(await options.issue(createSoftwareSigner(key), replaces));
    try {
      saveResponder(directory, passphrase, key, certificate);
    } catch (error) {
      // The files spare another one at the next start, and nothing else.
      log.error({ err: error }, 'the OCSP responder cannot be kept on the disk');
    }
    return toResponder(key, certificate);
  }

  function reasonToReplace(certificate: Certificate): string | undefined {
    const { serialNumber } = certificate;
    const begin = certificate.notBefore.getTime();
    const end = certificate.notAfter.getTime();
    const now = clock.now().getTime();
    if (now < begin) return 'its certificate is not valid yet';
    if (now >= end) return 'its certificate has expired';
    const stored = findCertificate(options.store, serialNumber);
    if (stored === undefined) return 'its certificate is not recorded';
    if (stored.revocation !== undefined) return 'its certificate was revoked';
    // At the end of the issuing CA's life another one would not live longer.
    if (end >= issuer.notAfter.getTime()) return undefined;
    if (now >= (begin + end) / 2) return 'half of its life is over';
    return end - now < options.responseValidityMs ? 'what is left of it is shorter than a response lives' : undefined;
  }

  async function renew(): Promise<void> {
    try {
      const { serialNumber } = responder.certificate;
      const reason = reasonToReplace(responder.certificate);
      if (reason === undefined) return;
      log.info({ reason, serialNumber }, 'the OCSP responder is replaced');
      responder = await make(serialNumber);
    } catch (error) {
      log.error({ err: error }, 'the OCSP responder cannot be replaced; the old one goes on');
      return;
    }
    for (const listener of listeners) listener(responder);
  }

  function renewIfDue(): Promise<void> {
    underWay ??= renew().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  const timer = setInterval(() => void renewIfDue(), lookEveryMs);
  timer.unref();
  return {
    current: () => responder,
    onChange: (listener) => void listeners.push(listener),
    renewIfDue,
    async close() {
      clearInterval(timer);
      await underWay;
    },
  };
}

function toResponder(key: KeyObject, certificate: Certificate): OcspResponder {
  return { id: hash('sha256', certificate.der, 'hex'), certificate, key, signer: createSoftwareSigner(key) };
}
