// What must be true of a stack when all clients are done with it: what they hold is what the keep issued, its status is
// what the keep knows, the record is whole, and it stops in good order.

import assert from 'node:assert/strict';
import { ownProfiles } from './certificates.ts';
import type { MatrixRow } from './matrix.ts';
import { attempt } from './run.ts';
import type { Session } from './session.ts';
import type { Stack, StackKind } from './stack.ts';
import { proveByCrl, proveByOcsp } from './status-proof.ts';

const invariants = 'ARCHITECTURE §1';

/** Proves it, and stops the stack. */
export async function proveStack(kind: StackKind, session: Session): Promise<readonly MatrixRow[]> {
  const { stack, certificates } = session;
  const prove = async (operation: string, section: string, task: () => Promise<void>): Promise<MatrixRow> => ({
    operation: `${kind} stack: ${operation}`,
    section,
    outcome: await attempt(task),
  });
  const rows = [
    await prove('the clients hold every certificate that was issued, and no other was', invariants, () =>
      certificates.compareWithKeep(stack),
    ),
    await prove('every certificate is good or revoked, where it says, by OCSP', 'RFC 6960 §2.2', () =>
      proveByOcsp(session),
    ),
    await prove('every certificate is good or revoked, where it says, by CRL', 'RFC 5280 §6.3', () =>
      proveByCrl(session),
    ),
    await prove('the audit log is whole, and has an event for every certificate', invariants, () =>
      checkAudit(stack, certificates.count()),
    ),
  ];
  // Read before the logs are gone, shown when there is something to look for.
  const explanation = stack.explain();
  if (rows.some(({ outcome }) => !outcome.passed)) process.stdout.write(`${explanation}\n`);
  return [...rows, await prove('it stops in good order', invariants, () => stack.stop())];
}

async function checkAudit(stack: Stack, issued: number): Promise<void> {
  const verdict = await stack.operator('audit', 'verify');
  assert(
    typeof verdict === 'object' && verdict !== null && 'isWhole' in verdict,
    'audit verify --json must say isWhole',
  );
  assert.equal(verdict.isWhole, true);
  const listed = await stack.operator('audit', 'list', '--action', 'certificate-issued', '--limit', '10000');
  assert(Array.isArray(listed), 'audit list --json must print a list');
  const events: readonly { readonly profile: string }[] = listed;
  assert.equal(events.filter(({ profile }) => !ownProfiles.has(profile)).length, issued);
}
