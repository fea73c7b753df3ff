// The operator who changes the status of certificates, by the commands of the house.

import { createHash, createPublicKey } from 'node:crypto';
import type { Session } from '../session.ts';

/** Revokes; `reason` in the words of the command: `key-compromise`. */
export async function revoke({ stack }: Session, serialNumber: string, reason: string): Promise<void> {
  await stack.operator('cert', 'revoke', serialNumber, '--reason', reason);
}

/** Revokes all certificates of a lost key: a public key, PEM. @param since a duration back from now: `2d` */
export async function revokeKey({ stack }: Session, publicKey: string, since: string): Promise<void> {
  const der = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  const condition = `key-fingerprint=${createHash('sha256').update(der).digest('hex')}`;
  const why = ['--reason', 'key-compromise', '--invalid-since', since];
  await stack.operator('revoke', '--where', condition, ...why, '--yes');
}

/** Suspends, RFC 5280 §5.3.1: certificateHold. */
export async function hold({ stack }: Session, serialNumber: string): Promise<void> {
  await stack.operator('cert', 'hold', serialNumber);
}

/** Ends the suspension, RFC 5280 §5.3.1: removeFromCRL. */
export async function release({ stack }: Session, serialNumber: string): Promise<void> {
  await stack.operator('cert', 'release', serialNumber);
}
