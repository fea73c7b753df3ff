// How a certificate stands by the word of the keep: whoever revoked it, through this gate or elsewhere, its clients learn by
// renewal information that they need another one (RFC 9773 §4.2). Answers are kept for a minute, since anybody may ask.

import { CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Clock } from '@gatehouse/runtime/clock';
import type { StoredCertificate } from './state/certificates.ts';

/** Asks how certificates stand. */
export type Standing = {
  /**
   * When the certificate was revoked; undefined while it stands or is merely held. While the keep is away, what this gate
   * knows itself.
   */
  revokedAt(certificate: StoredCertificate): Promise<Date | undefined>;
  /** Forgets what was asked: the status has changed. */
  forget(serialNumber: string): void;
};

type Entry = { readonly revokedAt: Date | undefined; readonly askedAt: number };

const freshMs = 60_000;
const maximumEntries = 10_000;

/** Makes the look-up. */
export function createStanding(core: Pick<CoreClient, 'getCertificate'>, clock: Clock): Standing {
  // In the order in which they were asked: the oldest are dropped first.
  const entries = new Map<string, Entry>();
  const ask = async (serialNumber: string): Promise<Date | undefined> => {
    const { state, revocation } = await core.getCertificate({ serialNumber });
    return state === CertificateState.CERTIFICATE_STATE_REVOKED ? revocation?.revokedAt : undefined;
  };
  return {
    revokedAt: async ({ serialNumber, revokedAt }) => {
      if (revokedAt !== undefined) return revokedAt;
      const now = clock.now().getTime();
      const known = entries.get(serialNumber);
      if (known !== undefined && Math.abs(now - known.askedAt) < freshMs) return known.revokedAt;
      try {
        const answer = await ask(serialNumber);
        entries.delete(serialNumber);
        entries.set(serialNumber, { revokedAt: answer, askedAt: now });
        const [oldest] = entries.keys();
        if (entries.size > maximumEntries && oldest !== undefined) entries.delete(oldest);
        return answer;
      } catch (error) {
        if (!(error instanceof CoreError)) throw error;
        return known?.revokedAt;
      }
    },
    forget: (serialNumber) => {
      entries.delete(serialNumber);
    },
  };
}
