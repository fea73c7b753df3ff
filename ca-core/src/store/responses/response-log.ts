// The log of pre-signed responses as the status thread writes it: what was signed and how far core.db was read become one
// commit, so that nothing is left out and nothing is told twice.

import type { SqliteDatabaseHandle } from '@gatehouse/runtime/database/sqlite';
import { slot } from '../queries.ts';
import { createStatements } from '../statements.ts';
import { compileInsert, compileQuery, type ResponseDatabase } from './database.ts';

/** How far core.db was read. */
export type Progress = {
  /** Last position of `certificates`, and the serial number that stands there. */
  readonly certificatePosition: number;
  readonly certificateSerialNumber: string;
  /** Last position of `status_changes`, and the serial number that stands there. */
  readonly changePosition: number;
  readonly changeSerialNumber: string;
  /** The time by which responses of expired certificates were last removed, epoch milliseconds. */
  readonly removedAt: number;
};

/** A response that was signed. Octets are DER but the signatures. */
export type NewResponse = {
  readonly authority: string;
  readonly serialNumber: string;
  /** Epoch milliseconds, whole seconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly due: number;
  readonly sha1: SignedData;
  readonly sha256: SignedData;
};

/** ResponseData, DER, and the signature over it. */
export type SignedData = { readonly responseData: Uint8Array; readonly signature: Uint8Array };

/** The certificate of which a response speaks. */
export type ResponseKey = { readonly authority: string; readonly serialNumber: string };

/** A responder as it is recorded. */
export type NewResponder = {
  /** SHA-256 of the certificate. */
  readonly id: Uint8Array;
  readonly certificate: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly notAfter: Date;
};

/** What one commit changes. */
export type ResponseBatch = {
  /** Number of the responder that signed {@link responses}. */
  readonly responder: number;
  readonly responses: readonly NewResponse[];
  /** Responses of certificates that have expired. */
  readonly removed: readonly ResponseKey[];
  /** CRLs that new certificates name, and when the last of them ends. */
  readonly scopes: ReadonlyMap<string, number>;
  readonly progress: Progress;
};

/** The log, for its one writer. */
export type ResponseLog = {
  readonly epoch: string;
  /** Last position that was taken. */
  position(): number;
  progress(): Progress;
  /** The number of a responder, which is recorded if it is new. */
  recordResponder(responder: NewResponder, now: number): number;
  write(batch: ResponseBatch): Promise<void>;
  /**
   * Certificates whose response is to be signed anew: those that are due, the longest first, and those that would be due
   * later than `latestDue`, because the clock or the validity was another one when they were signed.
   */
  listDue(now: number, latestDue: number, limit: number): readonly ResponseKey[];
  /** Whether the file is damaged; reads all of it. */
  isDamaged(): boolean;
};

/**
 * Positions between two openings: more than are ever signed after the last commit that the disk was made to hold. So no
 * position that a reader saw is taken again after a power cut.
 */
const leap = 2 ** 30;

/**
 * Positions begin with the time, and so many pass in a millisecond: more than can be signed in it. So no position that a
 * reader saw is taken again after a backup was restored. They fit into 53 bits until the year 2248.
 */
const positionsInMs = 1024;

/** For so long a responder is kept after its end, because a clock may be wrong for a while. */
const endedResponderMs = 30 * 86_400_000;

const selectProgress = compileQuery((database) => database.selectFrom('progress').selectAll());

const updateProgress = compileQuery((database) =>
  database.updateTable('progress').set({
    position: slot<number>(0),
    certificate_position: slot<number>(1),
    certificate_serial_number: slot<string>(2),
    change_position: slot<number>(3),
    change_serial_number: slot<string>(4),
    removed_at: slot<number>(5),
  }),
);

// The row moves to its new position, whatever stood for the certificate before.
const writeResponse = compileInsert('responses', [
  'position',
  'authority',
  'serial_number',
  'responder',
  'this_update',
  'next_update',
  'due',
  'data_sha1',
  'signature_sha1',
  'data_sha256',
  'signature_sha256',
]).sql.replace(/^insert/, 'insert or replace');

const removeResponse = compileQuery((database) =>
  database
    .deleteFrom('responses')
    .where('authority', '=', slot<string>(0))
    .where('serial_number', '=', slot<string>(1)),
);

const writeScope = compileQuery((database) =>
  database
    .insertInto('scopes')
    .values({ scope: slot(0), not_after: slot(1) })
    .onConflict((conflict) =>
      conflict
        .column('scope')
        .doUpdateSet((row) => ({ not_after: row.ref('excluded.not_after') }))
        .whereRef('excluded.not_after', '>', 'scopes.not_after'),
    ),
);

const selectResponder = compileQuery((database) =>
  database.selectFrom('responders').select('number').where('id', '=', slot<Uint8Array>(0)),
);

const insertResponder = compileInsert('responders', ['id', 'certificate', 'signature_algorithm', 'not_after']);

const removeResponders = compileQuery((database) =>
  database.deleteFrom('responders').where('not_after', '<', slot<number>(0)),
);

const selectDue = compileQuery((database) =>
  database
    .selectFrom('responses')
    .select(['authority', 'serial_number'])
    .where('due', '<=', slot<number>(0))
    .orderBy('due')
    .limit(slot<number>(1)),
);

const selectTooLate = compileQuery((database) =>
  database
    .selectFrom('responses')
    .select(['authority', 'serial_number'])
    .where('due', '>', slot<number>(0))
    .limit(slot<number>(1)),
);

/** Takes the log up where it was left. @param now epoch milliseconds */
export function createResponseLog({ raw, transact }: SqliteDatabaseHandle<ResponseDatabase>, now: number): ResponseLog {
  const statements = createStatements(raw);
  const stored = statements.one(selectProgress);
  if (stored === undefined) throw new Error('ocsp.db has no progress');
  let position = Math.max(stored.position + leap, now * positionsInMs);
  let progress: Progress = {
    certificatePosition: stored.certificate_position,
    certificateSerialNumber: stored.certificate_serial_number,
    changePosition: stored.change_position,
    changeSerialNumber: stored.change_serial_number,
    removedAt: stored.removed_at,
  };

  function store(batch: ResponseBatch, start: number): number {
    let next = start;
    for (const { authority, serialNumber, thisUpdate, nextUpdate, due, sha1, sha256 } of batch.responses) {
      next += 1;
      const times = [thisUpdate, nextUpdate, due];
      const octets = [sha1.responseData, sha1.signature, sha256.responseData, sha256.signature];
      statements.run(writeResponse, [next, authority, serialNumber, batch.responder, ...times, ...octets]);
    }
    for (const { authority, serialNumber } of batch.removed) {
      statements.run(removeResponse.sql, [authority, serialNumber]);
    }
    for (const [scope, notAfter] of batch.scopes) statements.run(writeScope.sql, [scope, notAfter]);
    const { progress: read } = batch;
    statements.run(updateProgress.sql, [
      next,
      read.certificatePosition,
      read.certificateSerialNumber,
      read.changePosition,
      read.changeSerialNumber,
      read.removedAt,
    ]);
    return next;
  }

  return {
    epoch: stored.epoch,
    position: () => position,
    progress: () => progress,
    recordResponder({ id, certificate, signatureAlgorithm, notAfter }, now) {
      const known = statements.one(selectResponder, id);
      if (known !== undefined) return known.number;
      // A response never outlives its responder: nothing that counts refers to those that have ended.
      statements.run(removeResponders.sql, [now - endedResponderMs]);
      statements.run(insertResponder.sql, [id, certificate, signatureAlgorithm, notAfter.getTime()]);
      const added = statements.one(selectResponder, id);
      if (added === undefined) throw new Error('a responder was not recorded');
      return added.number;
    },
    async write(batch) {
      position = await transact(() => store(batch, position));
      progress = batch.progress;
    },
    listDue(now, latestDue, limit) {
      const due = statements.all(selectDue, now, limit);
      const rows = due.length > 0 ? due : statements.all(selectTooLate, latestDue, limit);
      return rows.map((row) => ({ authority: row.authority, serialNumber: row.serial_number }));
    },
    isDamaged: () => raw.prepare('PRAGMA quick_check(1)').get()?.quick_check !== 'ok',
  };
}
