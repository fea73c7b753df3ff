// The gate's own server certificate: asked from the core like any other, kept in one file, renewed before half of its life, swapped while connections stand.
// Its key is made here and leaves this process only into that file.

import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { areGeneralNameSetsEqual, type GeneralName, parseGeneralName } from '@gatehouse/pkix/general-names';
import { attribute } from '@gatehouse/pkix/names';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { pauseAfterFailures, renewInTime } from '@gatehouse/ra-client/renewal-schedule';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Logger } from '@gatehouse/runtime/log';
import type { ServerCertificate } from './https-server.ts';
import { idempotencyKey } from './idempotency.ts';
import {
  readServerCertificate,
  type StoredServerCertificate,
  writeServerCertificate,
} from './server-certificate-file.ts';

/** What {@link openServerIdentity} takes. */
export type ServerIdentityOptions = {
  /** Where key and certificates are kept; its directory exists. */
  readonly file: string;
  /** Host names and addresses for the subject alternative names; at least one. */
  readonly names: readonly string[];
  readonly core: Pick<CoreClient, 'enroll'>;
  /** Name of the RA; recorded as the requester. */
  readonly registrationAuthority: string;
  /** `gateway-tls` unless told. */
  readonly profile?: string | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  /** A number from 0 to 1, for jitter; Math.random unless told. */
  readonly random?: (() => number) | undefined;
  /** Ends the waiting for a first certificate. */
  readonly signal?: AbortSignal | undefined;
};

/** A server certificate that stays valid. */
export type ServerIdentity = {
  current(): ServerCertificate;
  readonly notAfter: Date;
  /** Calls `listener` with each new certificate. */
  onChange(listener: (certificate: ServerCertificate) => void): void;
  close(): void;
};

const firstPauseMs = 1_000;
// RFC 5280 Appendix A, ub-common-name.
const longestCommonName = 64;

/**
 * Opens the identity: takes the one in the file if it stands and has the names, else gets one from the core and waits for the core as long as it takes.
 *
 * @throws {CoreError} when the core refuses (out of scope, unknown profile, …), which waiting would not mend
 * @throws {FatalError} when the file cannot be read or written, or a name is none
 */
export async function openServerIdentity(options: ServerIdentityOptions): Promise<ServerIdentity> {
  const { file, log, clock = systemClock, random } = options;
  const names = options.names.map(toGeneralName);
  const listeners = new Set<(certificate: ServerCertificate) => void>();
  let current = load(options, names, clock.now()) ?? (await waitFor(options, names));
  const renewal = renewInTime({
    clock,
    random,
    firstPauseMs,
    life: () => current,
    renew: async () => {
      current = await obtain(options, names);
      log.info({ file, notAfter: current.notAfter }, 'the server certificate was renewed');
      for (const listener of listeners) listener(current);
    },
    onFailure: (error, nextAttempt) => {
      log.warn(
        { err: error, notAfter: current.notAfter, nextAttempt },
        'the server certificate could not be renewed; it will be tried again',
      );
    },
  });
  return {
    current: () => current,
    get notAfter() {
      return current.notAfter;
    },
    onChange: (listener) => {
      listeners.add(listener);
    },
    close: () => renewal.close(),
  };
}

/** The stored certificate, unless there is none that can be shown now. */
function load(
  { file, log }: ServerIdentityOptions,
  names: readonly GeneralName[],
  now: Date,
): StoredServerCertificate | undefined {
  if (!existsSync(file)) return undefined;
  let stored: StoredServerCertificate;
  try {
    stored = readServerCertificate(file);
  } catch (error) {
    // Permissions that are too wide are for the operator to decide on; the key may be known to others.
    if (error instanceof FatalError) throw error;
    log.warn({ err: error, file }, 'the stored server certificate cannot be used; a new one is asked for');
    return undefined;
  }
  const isValid = stored.notBefore <= now && now < stored.notAfter;
  return isValid && areGeneralNameSetsEqual(stored.names, names) ? stored : undefined;
}

async function waitFor(
  options: ServerIdentityOptions,
  names: readonly GeneralName[],
): Promise<StoredServerCertificate> {
  for (let failures = 1; ; failures++) {
    try {
      return await obtain(options, names);
    } catch (error) {
      if (!(error instanceof CoreError) || (error.code !== 'unavailable' && error.code !== 'rate-limited')) throw error;
      const pauseMs = pauseAfterFailures(failures, firstPauseMs);
      options.log.warn({ err: error, pauseMs }, 'the CA core gives no server certificate yet; it will be tried again');
      await pause(pauseMs, undefined, { signal: options.signal });
    }
  }
}

async function obtain(options: ServerIdentityOptions, names: readonly GeneralName[]): Promise<StoredServerCertificate> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const commonName = options.names.find((name) => isIP(name) === 0 && name.length <= longestCommonName);
  const certificationRequest = createCertificationRequest({
    subject: commonName === undefined ? [] : [[attribute('CN', commonName)]],
    key: privateKey,
    names: [...names],
  });
  const outcome = await options.core.enroll({
    // The key is new each time: a repetition of this very call joins it, and nothing else does.
    idempotencyKey: idempotencyKey(['server-identity', certificationRequest]),
    profile: options.profile ?? 'gateway-tls',
    subjectKey: { kind: 'certification-request', der: certificationRequest },
    requester: { kind: 'registration-authority', id: options.registrationAuthority },
  });
  if (outcome.kind === 'pending') {
    throw new CoreError('profile-refuses', 'the certificate of a gate must not need approval; change the profile');
  }
  // The trust anchor is not sent: clients have it, and small handshakes matter to small devices.
  const intermediates = outcome.chain.filter((der) => !isSelfIssued(der));
  return writeServerCertificate(options.file, privateKey, [outcome.certificate, ...intermediates]);
}

function toGeneralName(name: string): GeneralName {
  try {
    return parseGeneralName(`${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`);
  } catch (cause) {
    throw new FatalError(`'${name}' is neither a host name nor an address`, {
      hint: "correct it under 'names'",
      cause,
    });
  }
}

function isSelfIssued(der: Uint8Array): boolean {
  const { subject, issuer } = new X509Certificate(der);
  return subject === issuer;
}
