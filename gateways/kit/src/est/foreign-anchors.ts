// The second trust store: anchors of other CAs, RFC 7030 §3.6, with the labels and operations for which they count, what
// their devices may enrol, and a CRL where one says which devices are revoked.

import { readFileSync } from 'node:fs';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import type { Metrics } from '@gatehouse/runtime/metrics';
import { isRevoked } from './certificate-list.ts';
import type { TrustAnchorSettings } from './configuration.ts';
import { compileDevicePatterns } from './device-names.ts';
import type { NamePolicy } from './name-policy.ts';
import {
  type FetchLimits,
  followRevocationList,
  isUrl,
  loadRevocationList,
  type RevocationList,
} from './revocation-list.ts';

/** One foreign anchor, ready for use. */
export type ForeignAnchor = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly operations: readonly string[];
  readonly anchors: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly acceptsExpired: boolean;
  /** What the device with this certificate may enrol; undefined: the names of its own certificate. */
  policyFor(device: Certificate): NamePolicy | undefined;
  /** `unknown` when there should be a CRL and none, or none that is current, says anything. */
  revocationStatus(device: Certificate, at: Date): 'good' | 'revoked' | 'unknown';
};

/** The foreign anchors of a gate. */
export type ForeignAnchors = {
  readonly all: readonly ForeignAnchor[];
  /** Stops following CRLs. */
  close(): void;
};

/** What {@link openForeignAnchors} stands on. */
export type ForeignAnchorOptions = {
  /** Makes a path of the configuration absolute. */
  readonly resolve: (path: string) => string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Tells when the CRL of each anchor ends. */
  readonly metrics: Metrics;
  /** How CRLs are fetched; the usual unless told. */
  readonly fetchLimits?: Partial<FetchLimits> | undefined;
};

/**
 * Loads all anchors, and fetches their CRLs once; what cannot be fetched is tried again.
 *
 * @throws {FatalError} when a file cannot be used or a name pattern means nothing
 */
export async function openForeignAnchors(
  settings: readonly TrustAnchorSettings[],
  options: ForeignAnchorOptions,
): Promise<ForeignAnchors> {
  const { resolve } = options;
  // Nothing is fetched before all files are in order.
  const loaded = settings.map((one) => {
    const policyFor =
      one.names === undefined ? undefined : compileDevicePatterns(`trust anchor ${one.name}`, one.names);
    return { settings: one, certificates: loadCertificates(resolve(one.file)), policyFor };
  });
  const lists = await Promise.all(
    loaded.map(({ settings: { revocationList }, certificates }) => openList(revocationList, certificates, options)),
  );
  const all = loaded.map(
    ({ settings: { name, labels, operations, acceptsExpired }, certificates, policyFor }, index) => {
      // Self-signed ones are anchors; without any, all are: an operator may trust an intermediate alone.
      const selfSigned = certificates.filter(
        ({ issuerDer, subjectDer }) => Buffer.compare(issuerDer, subjectDer) === 0,
      );
      const anchors = selfSigned.length > 0 ? selfSigned : certificates;
      return {
        name,
        labels,
        operations,
        anchors,
        intermediates: certificates.filter((certificate) => !anchors.includes(certificate)),
        acceptsExpired,
        policyFor: (device: Certificate) => policyFor?.(device),
        revocationStatus: (device: Certificate, at: Date) => statusBy(lists[index], device, at),
      };
    },
  );
  measure(options.metrics, settings, lists);
  return {
    all,
    close: () => {
      for (const list of lists) list?.close();
    },
  };
}

// A CRL that nobody renews shuts out all devices of its anchor: that must be seen before it happens.
function measure(
  metrics: Metrics,
  settings: readonly TrustAnchorSettings[],
  lists: readonly (RevocationList | undefined)[],
): void {
  metrics.gauge({
    name: 'trust_anchor_crl_next_update_timestamp_seconds',
    help: 'When the CRL of a foreign trust anchor ends; 0 while there is none although there should be.',
    labels: ['anchor'],
    collect: (gauge) => {
      settings.forEach(({ name }, index) => {
        const list = lists[index];
        if (list === undefined) return;
        const current = list.current();
        const ends = current === undefined ? 0 : (current.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY);
        gauge.labels(name).set(ends / 1000);
      });
    },
  });
}

async function openList(
  setting: string | undefined,
  issuers: readonly Certificate[],
  { resolve, log, clock, fetchLimits }: ForeignAnchorOptions,
): Promise<RevocationList | undefined> {
  if (setting === undefined) return undefined;
  if (!isUrl(setting)) return loadRevocationList(resolve(setting), issuers);
  return await followRevocationList({ url: setting, issuers, log, clock, limits: fetchLimits });
}

function statusBy(list: RevocationList | undefined, device: Certificate, at: Date): 'good' | 'revoked' | 'unknown' {
  if (list === undefined) return 'good';
  const current = list.current();
  return current === undefined ? 'unknown' : isRevoked(current, device, at);
}

function loadCertificates(file: string): readonly Certificate[] {
  let certificates: readonly Certificate[];
  try {
    certificates = decodePem(readFileSync(file, 'latin1'), ['CERTIFICATE']).map(({ der }) => readCertificate(der));
  } catch (cause) {
    const why = cause instanceof PkixError ? cause.detail : String(cause instanceof Error ? cause.message : cause);
    throw new FatalError(`${file} cannot be used: ${why}`, { cause });
  }
  if (certificates.length === 0) throw new FatalError(`${file} holds no certificate in PEM`);
  return certificates;
}
