// The CA certificates that this gate hands out (RFC 7030 §4.1) and judges certificates of our own CA by. They come from
// the keep, are asked for again every minute, and the last known ones are served while the keep is away: they are public.

import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import type { CoreClient, TrustBundle } from '@gatehouse/ra-client/client';
import type { Clock } from '@gatehouse/runtime/clock';

/** The certificates of our own CA. */
export type TrustStore = {
  /** Current anchor first. */
  readonly anchors: readonly Certificate[];
  /** Issuing CAs and, in a roll-over, the link certificates. */
  readonly intermediates: readonly Certificate[];
  /** What is handed out, DER: issuing CA first, root last but for the link certificates of a roll-over, RFC 7030 §4.1.3. */
  readonly certificates: readonly Uint8Array[];
  /** The same as certs-only CMS, DER. */
  readonly certificatesOnly: Uint8Array;
};

/** Gives the certificates as they are now. */
export type CaCertificates = {
  /** @throws {CoreError} when the keep cannot be asked and never could */
  current(): Promise<TrustStore>;
};

const refreshMs = 60_000;

/** Makes the cache. */
export function createCaCertificates(core: Pick<CoreClient, 'getTrustBundle'>, clock: Clock): CaCertificates {
  let store: TrustStore | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<TrustStore> | undefined;
  const ask = async (): Promise<TrustStore> => {
    try {
      store = readTrustBundle(await core.getTrustBundle());
      askedAt = clock.now().getTime();
      return store;
    } finally {
      asking = undefined;
    }
  };
  return {
    current: async () => {
      if (store !== undefined && Math.abs(clock.now().getTime() - askedAt) < refreshMs) return store;
      asking ??= ask();
      if (store === undefined) return await asking;
      // Stale ones are served at once; the next request sees the new ones.
      asking.catch(() => {
        askedAt = clock.now().getTime() - refreshMs / 2;
      });
      return store;
    },
  };
}

/** The trust anchor, where exactly one is valid at this time; in a roll-over there are two. */
export function onlyAnchor({ anchors }: Pick<TrustStore, 'anchors'>, at: Date): Certificate | undefined {
  const [anchor, ...more] = anchors.filter(({ notBefore, notAfter }) => notBefore <= at && at <= notAfter);
  return more.length === 0 ? anchor : undefined;
}

function readTrustBundle({ issuingCertificates, trustAnchors, linkCertificates }: TrustBundle): TrustStore {
  // OldWithNew and NewWithOld come last.
  const certificates = [...issuingCertificates, ...trustAnchors, ...linkCertificates];
  return {
    anchors: trustAnchors.map(readCertificate),
    intermediates: [...issuingCertificates, ...linkCertificates].map(readCertificate),
    certificates,
    certificatesOnly: certificatesOnly(certificates),
  };
}
