// The operator who changes the status of certificates, by the commands of the house.

import type { Session } from '../session.ts';

/** Revokes; `reason` in the words of the command: `key-compromise`. */
export async function revoke({ stack }: Session, serialNumber: string, reason: string): Promise<void> {
  await stack.operator('cert', 'revoke', serialNumber, '--reason', reason);
}

/** Suspends, RFC 5280 §5.3.1: certificateHold. */
export async function hold({ stack }: Session, serialNumber: string): Promise<void> {
  await stack.operator('cert', 'hold', serialNumber);
}

/** Ends the suspension, RFC 5280 §5.3.1: removeFromCRL. */
export async function release({ stack }: Session, serialNumber: string): Promise<void> {
  await stack.operator('cert', 'release', serialNumber);
}
