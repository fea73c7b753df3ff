// The person who decides about pending enrollments, RFC 7030 §4.2.3: by the operator's commands, while a client waits.

import assert from 'node:assert/strict';
import { eventually } from './patience.ts';
import type { Stack } from './stack.ts';

/** Approves the request for a DNS name as soon as it waits. @throws when none comes */
export async function approveRequestOf(stack: Stack, name: string): Promise<void> {
  await stack.operator('enrollment', 'approve', await waitingRequest(stack, name), '--reason', 'known device');
}

/** Rejects the request for a DNS name as soon as it waits. @throws when none comes */
export async function rejectRequestOf(stack: Stack, name: string, reason: string): Promise<void> {
  await stack.operator('enrollment', 'reject', await waitingRequest(stack, name), '--reason', reason);
}

async function waitingRequest(stack: Stack, name: string): Promise<string> {
  const look = async () => {
    const waiting = await stack.operator('enrollment', 'list');
    assert(Array.isArray(waiting), 'gatehouse enrollment list --json must print a list');
    const rows: readonly { readonly requestId: string; readonly names: readonly string[] }[] = waiting;
    return rows.find(({ names }) => names.includes(`DNS:${name}`));
  };
  const found = await eventually(look, (request) => request !== undefined);
  assert(found !== undefined, `no request for ${name} waits for approval`);
  return found.requestId;
}
