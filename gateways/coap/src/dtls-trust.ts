// Up to what the handshake verifies client certificates, RFC 9148 §3: our own CA and all foreign anchors at once. Whether a
// certificate counts for a label is judged later and for each request; here it only must not come from nowhere. The store of
// our own CA is followed, so that the sessions of tomorrow know tomorrow's issuers.

import type { CaCertificates } from '@gatehouse/gateway-kit/est/ca-certificates';
import type { ForeignAnchor } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { Logger } from '@gatehouse/runtime/log';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { DtlsTrust } from './dtls/transport.ts';

/** What is trusted now, and what is told when it changes. */
export type TrustFollower = {
  current(): DtlsTrust;
  /** Why the gate cannot know all of its clients yet. */
  problems(): readonly ReadinessProblem[];
  close(): void;
};

/** What {@link followTrust} takes. */
export type TrustOptions = {
  readonly caCertificates: CaCertificates;
  readonly foreignAnchors: readonly ForeignAnchor[];
  readonly log: Logger;
  /** Called with each new trust, after the first; once more after a while when it throws. */
  readonly onChange: (trust: DtlsTrust) => void;
  readonly intervalMs?: number | undefined;
};

const defaultIntervalMs = 60_000;
/** While the keep was never heard of: clients of our own CA are shut out until then. */
const firstIntervalMs = 1_000;

/** Asks for our own CA's certificates, and goes on asking. Never fails: without them the foreign anchors are trusted. */
export async function followTrust(options: TrustOptions): Promise<TrustFollower> {
  const { caCertificates, foreignAnchors, log, onChange, intervalMs = defaultIntervalMs } = options;
  let isKnown = false;
  let trust = collectTrust([], [], foreignAnchors);
  const ask = async (): Promise<void> => {
    try {
      const { anchors, intermediates } = await caCertificates.current();
      isKnown = true;
      trust = collectTrust(anchors.map(toDer), intermediates.map(toDer), foreignAnchors);
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      log.warn({ err: error }, 'the CA certificates are not known yet: clients that hold ours cannot connect');
    }
  };
  await ask();

  let timer: NodeJS.Timeout | undefined;
  const follow = (): void => {
    timer = setTimeout(
      async () => {
        const before = trust;
        try {
          await ask();
          if (!isEqual(before, trust)) {
            onChange(trust);
            log.info({ anchors: trust.anchors.length }, 'the trust anchors of clients changed');
          }
        } catch (error) {
          // What cannot be used must not end the gate: the former trust stands, and it is tried again.
          trust = before;
          log.error({ err: error }, 'the new trust anchors of clients cannot be used; the former ones stand');
        }
        if (timer !== undefined) follow();
      },
      isKnown ? intervalMs : Math.min(firstIntervalMs, intervalMs),
    );
    timer.unref();
  };
  follow();
  return {
    current: () => trust,
    problems: () =>
      isKnown ? [] : [{ check: 'trust', detail: 'the CA certificates are not known yet', isTolerable: false }],
    close: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

const toDer = ({ der }: { readonly der: Uint8Array }): Uint8Array => der;

function collectTrust(
  anchors: readonly Uint8Array[],
  intermediates: readonly Uint8Array[],
  foreign: readonly ForeignAnchor[],
): DtlsTrust {
  return {
    anchors: distinct([...anchors, ...foreign.flatMap((anchor) => anchor.anchors.map(toDer))]),
    intermediates: distinct([...intermediates, ...foreign.flatMap((anchor) => anchor.intermediates.map(toDer))]),
  };
}

function distinct(certificates: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(certificates.map((der) => [Buffer.from(der).toString('base64'), der])).values()];
}

function isEqual(one: DtlsTrust, other: DtlsTrust): boolean {
  const text = ({ anchors, intermediates }: DtlsTrust): string =>
    [anchors, intermediates].map((list) => list.map((der) => Buffer.from(der).toString('base64')).join()).join(';');
  return text(one) === text(other);
}
