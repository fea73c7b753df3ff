// One line for each request: id, what was asked, what was answered, how many octets, over which connection, with which outcome.
// The query and the headers are left out: both may hold secrets.

import type { Logger } from '@gatehouse/runtime/log';
import type { PeerFacts } from './peer.ts';

/** What is known when an exchange has ended. */
export type ExchangeRecord = {
  readonly requestId: string;
  readonly method: string;
  /** Request target; its query is not logged. */
  readonly target: string;
  readonly status: number;
  /** The answer was handed to the network as a whole. */
  readonly wasDelivered: boolean;
  /** Octets of the answer, header included. */
  readonly octets: number;
  readonly durationMs: number;
  readonly peer: PeerFacts;
  /** What the gate noted: outcome, profile, serial number, … */
  readonly facts: Readonly<Record<string, unknown>> | undefined;
};

const longestPath = 256;

/** Writes the line: a warning when the gate itself failed, else information. */
export function logRequest(log: Logger, record: ExchangeRecord): void {
  const { requestId, method, target, status, wasDelivered, octets, durationMs, peer, facts } = record;
  const query = target.indexOf('?');
  const line = {
    requestId,
    method,
    path: (query < 0 ? target : target.slice(0, query)).slice(0, longestPath),
    status,
    octets,
    durationMs: Math.round(durationMs * 10) / 10,
    address: peer.remoteAddress,
    tls: peer.tlsVersion,
    cipher: peer.cipher,
    ...facts,
  };
  if (!wasDelivered) log.warn(line, 'the client went away before the answer was written');
  else if (status >= 500) log.warn(line, 'request failed');
  else log.info(line, 'request');
}
