// The person who decides about pending enrollments, RFC 7030 §4.2.3: by the operator's commands, while a client waits.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from './stack.ts';

/** How often the list of what waits is looked at, and for how long. */
const pollMs = 100;
const patienceMs = 30_000;

/** Approves the request for a DNS name as soon as it waits. @throws when none comes */
export async function approveRequestOf(stack: Stack, name: string): Promise<void> {
  await stack.operator('enrollment', 'approve', await waitingRequest(stack, name), '--reason', 'known device');
}

/** Rejects the request for a DNS name as soon as it waits. @throws when none comes */
export async function rejectRequestOf(stack: Stack, name: string, reason: string): Promise<void> {
  await stack.operator('enrollment', 'reject', await waitingRequest(stack, name), '--reason', reason);
}

async function waitingRequest(stack: Stack, name: string): Promise<string> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const waiting = await stack.operator('enrollment', 'list');
    assert(Array.isArray(waiting), 'gatehouse enrollment list --json must print a list');
    const rows: readonly { readonly requestId: string; readonly names: readonly string[] }[] = waiting;
    const found = rows.find(({ names }) => names.includes(`DNS:${name}`));
    if (found !== undefined) return found.requestId;
    await pause(pollMs);
  }
  throw new Error(`no request for ${name} waits for approval`);
}
