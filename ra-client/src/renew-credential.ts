// Renews a party's credential before half of its life is over, with a fresh key each time, as long as the client lives.
// A renewal that fails is tried again while the old credential goes on working; it never leaves the party without one.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { CoreError } from '@gatehouse/proto/core-error';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';
import type { CoreClient } from './client.ts';
import { type Credential, createCredential } from './credential.ts';
import type { CredentialSource } from './credential-source.ts';
import { renewInTime } from './renewal-schedule.ts';

/** What {@link renewCredentialInTime} takes. */
export type CredentialRenewalOptions = {
  readonly client: Pick<CoreClient, 'renewCredential'>;
  readonly credential: CredentialSource;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  /** A number from 0 to 1, for the share of jitter; Math.random unless told. */
  readonly random?: (() => number) | undefined;
};

/** A running renewal. */
export type CredentialRenewal = { close(): void };

/** Renews the credential that `credential` holds, now if it is due, and from then on in time. */
export function renewCredentialInTime(options: CredentialRenewalOptions): CredentialRenewal {
  const { client, credential, log, clock, random } = options;
  let isClosed = false;
  const renewal = renewInTime({
    clock,
    random,
    life: () => credential.current(),
    renew: async () => {
      const next = await renewOnce(client, credential.current());
      if (isClosed) return;
      credential.replace(next);
      log.info({ party: next.party.uri, notAfter: next.notAfter }, 'the credential was renewed');
    },
    onFailure: (error, nextAttempt) => {
      const { notAfter } = credential.current();
      const facts = { err: error, notAfter, nextAttempt };
      if (notAfter > (clock ?? systemClock).now()) {
        log.warn(facts, 'the credential could not be renewed; it will be tried again');
      } else {
        log.error(facts, 'the credential has ended: put a new one in its place, bought with a join token');
      }
    },
  });
  const stopFollowing = credential.onChange(() => renewal.replan());
  return {
    close: () => {
      isClosed = true;
      stopFollowing();
      renewal.close();
    },
  };
}

/** A fresh key of the kind that the house uses on the bridge: P-256. */
export function generateCredentialKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

async function renewOnce(client: Pick<CoreClient, 'renewCredential'>, current: Credential): Promise<Credential> {
  const privateKey = generateCredentialKey();
  const answer = await client.renewCredential(createCertificationRequest({ subject: [], key: privateKey }));
  const next = createCredential({
    privateKey,
    certificate: answer.certificate,
    trustAnchors: answer.trustAnchors,
  });
  if (next.party.uri !== current.party.uri) {
    throw new CoreError('internal', `the CA core renewed ${next.party.uri} instead of ${current.party.uri}`);
  }
  return next;
}
