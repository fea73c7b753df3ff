// The core dies while it revokes thousands of certificates: nothing is left out, nothing is done twice, and everybody else
// goes on enrolling.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { RevocationReason } from '@gatehouse/proto/types';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { connectAs, connectOperator, joinRegistrationAuthority } from './support/bridge.ts';
import { freePort, newDataDirectory } from './support/data-directory.ts';
import { newSentRequest, startLoad, untilAnswered } from './support/enrollment-load.ts';
import { assertRecordedOnce, readLedger } from './support/ledger.ts';
import { killNow, startCore } from './support/processes.ts';

const count = 4000;
const atOnce = 50;
const mostKills = 8;
const between = 500;
const patience = { timeoutMs: 60_000 };

/** Certificates that an RA obtains. */
async function enroll(connection: CoreClient): Promise<readonly string[]> {
  const serialNumbers: string[] = [];
  while (serialNumbers.length < count) {
    const issued = await Promise.all(Array.from({ length: atOnce }, () => untilAnswered(connection, newSentRequest())));
    serialNumbers.push(...issued.map(({ serialNumber }) => serialNumber));
  }
  return serialNumbers;
}

type Row = { readonly position: number; readonly serial_number: string; readonly state: string };

/** The changes of status as they are stored, and how the job stands; nobody else has the database. */
function readChanges(directory: string): { readonly changes: readonly Row[]; readonly changed: number } {
  const database = new DatabaseSync(join(directory, 'core.db'));
  const changes = database.prepare('select * from status_changes order by position').all() as Row[];
  const changed = database.prepare('select changed from bulk_revocations').get()?.changed;
  database.close();
  return { changes, changed: Number(changed) };
}

/** Follows a job until it has changed so many, or is over. */
async function untilChanged(directory: string, address: string, id: string, expected: number): Promise<void> {
  const operator = connectOperator(directory, address);
  try {
    for await (const { changed } of operator.administration.watchBulkRevocation(id, patience)) {
      if (changed >= expected) return;
    }
  } finally {
    await operator.close(0);
  }
}

describe('the core is killed while it revokes many', () => {
  test('revokes every certificate once, over several kills', async (context) => {
    const directory = await newDataDirectory(context);
    const port = await freePort();
    let core = await startCore(directory, port);
    context.after(() => killNow(core.command));
    const lost = connectAs(directory, await joinRegistrationAuthority(directory, 'lost', core.address), core.address);
    context.after(() => lost.close(0));
    const meant = await enroll(lost);
    const [early = ''] = meant;
    await lost.revoke({ serialNumber: early, reason: RevocationReason.REVOCATION_REASON_SUPERSEDED });

    const others = [
      connectAs(directory, await joinRegistrationAuthority(directory, 'load', core.address), core.address),
    ];
    context.after(() => others[0]?.close(0));
    const load = startLoad(others);
    const operator = connectOperator(directory, core.address);
    context.after(() => operator.close(0));
    const { id } = await operator.administration.startBulkRevocation(
      {
        query: {
          profile: '',
          registrationAuthority: 'lost',
          requesterId: '',
          authority: '',
          issuedAfter: undefined,
          issuedBefore: undefined,
          keyFingerprint: Buffer.alloc(0),
        },
        reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
        invalidityDate: undefined,
        isDryRun: false,
        idempotencyKey: 'lost-ra',
      },
      patience,
    );

    // Every other time as soon as it is back, else in the middle of its work.
    const progress: number[] = [];
    await untilChanged(directory, core.address, id, 1);
    while (progress.length < mostKills) {
      await killNow(core.command);
      const { changed } = readChanges(directory);
      progress.push(changed);
      core = await startCore(directory, port);
      if (changed === count - 1) break;
      if (progress.length % 2 === 0) await untilChanged(directory, core.address, id, changed + between);
    }
    const interrupted = progress.filter((changed) => changed < count - 1);
    assert.ok(interrupted.length >= 3, `the kills came too late: ${progress.join(', ')}`);

    // It has gone on by itself.
    let last: { readonly changed: number; readonly passedOver: number; readonly matching: number } | undefined;
    const again = connectOperator(directory, core.address);
    context.after(() => again.close(0));
    for await (const job of again.administration.watchBulkRevocation(id, patience)) last = job;
    assert.deepEqual([last?.matching, last?.changed, last?.passedOver], [count, count - 1, 1]);
    await load.receive(10);
    await load.finish();

    const revoked = new Set<string>();
    const conditions = { registrationAuthority: 'lost', profile: 'tls-server', limit: 10_000 };
    for await (const { serialNumber, revocation } of again.findCertificates(conditions, patience)) {
      const { REVOCATION_REASON_KEY_COMPROMISE, REVOCATION_REASON_SUPERSEDED } = RevocationReason;
      const reason = serialNumber === early ? REVOCATION_REASON_SUPERSEDED : REVOCATION_REASON_KEY_COMPROMISE;
      assert.equal(revocation?.reason, reason, serialNumber);
      revoked.add(serialNumber);
    }
    assert.deepEqual(revoked, new Set(meant));

    const events = new Map<string, number>();
    const actions: string[] = [];
    for await (const { action, serialNumber } of again.administration.listAuditEvents(
      { isEverything: true },
      patience,
    )) {
      if (action === 'status-changed') events.set(serialNumber, (events.get(serialNumber) ?? 0) + 1);
      if (action.startsWith('bulk-revocation-')) actions.push(action);
    }
    assert.deepEqual(new Set(events.keys()), revoked);
    assert.deepEqual(new Set(events.values()), new Set([1]));
    assert.deepEqual(actions, ['bulk-revocation-started', 'bulk-revocation-ended']);

    // What the others enrolled meanwhile is whole, and so is the chain.
    const ledger = await readLedger(again, 'load');
    assertRecordedOnce(ledger, load.certificates());
    await killNow(core.command);
    const { changes } = readChanges(directory);
    assert.deepEqual(
      changes.map(({ position }) => position),
      Array.from({ length: count }, (_, index) => index + 1),
    );
    assert.deepEqual(new Set(changes.map(({ serial_number }) => serial_number)), revoked);
    assert.ok(changes.every(({ state }) => state === 'revoked'));
    context.diagnostic(
      `${count} certificates, ${progress.length} kills after ${progress.join(', ')} of them; ${load.certificates().length} were enrolled meanwhile`,
    );
  });
});
