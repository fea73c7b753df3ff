// CRLs that were signed, and the numbers that were taken for them. The newest full CRL of a scope and its newest delta are
// what is served; of older full ones one a minute stays until it is over, because relying parties still hold them and a
// delta must complete each of them (RFC 5280 §5.2.4). A number is taken by a commit of its own and never given back.

import { CoreError } from '@gatehouse/proto/core-error';
import type { CrlTable } from './database.ts';
import { compileInsert, compileQuery, slot } from './queries.ts';
import type { StoreReader } from './statements.ts';
import type { WriteOperation } from './write-set.ts';

/** A signed CRL. */
export type StoredCrl = {
  /** File name without its ending; deltas have that of their full CRL. */
  readonly scope: string;
  /** RFC 5280 §5.2.3. */
  readonly number: number;
  /** RFC 5280 §5.2.4; undefined for a full CRL. */
  readonly baseNumber: number | undefined;
  /** Epoch milliseconds, whole seconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Last position of status_changes that it takes into account. */
  readonly changePosition: number;
  /** Revoked certificates on it. */
  readonly entries: number;
  /** Octets. */
  readonly size: number;
  readonly sha256: Uint8Array;
};

const insert = compileInsert('crls', [
  'scope',
  'number',
  'base_number',
  'this_update',
  'next_update',
  'change_position',
  'entries',
  'size',
  'sha256',
]);

const removeEnded = compileQuery((database) =>
  database
    .deleteFrom('crls')
    .where('scope', '=', slot<string>(0))
    .where('base_number', 'is', null)
    .where('number', '<', slot<number>(1))
    // thisUpdate goes back only when the clock was far ahead: nobody can hold such a CRL, and it would be a base for long.
    .where((expression) =>
      expression.or([expression('next_update', '<', slot<number>(2)), expression('this_update', '>', slot<number>(3))]),
    ),
);

const removeDeltas = compileQuery((database) =>
  database
    .deleteFrom('crls')
    .where('scope', '=', slot<string>(0))
    .where('base_number', 'is not', null)
    .where('number', '<', slot<number>(1)),
);

const removeScope = compileQuery((database) => database.deleteFrom('crls').where('scope', '=', slot<string>(0)));

const selectNewestFull = compileQuery((database) =>
  database
    .selectFrom('crls')
    .selectAll()
    .where('scope', '=', slot<string>(0))
    .where('base_number', 'is', null)
    .orderBy('number', 'desc')
    .limit(slot<number>(1)),
);

const selectNewestDelta = compileQuery((database) =>
  database
    .selectFrom('crls')
    .selectAll()
    .where('scope', '=', slot<string>(0))
    .where('base_number', 'is not', null)
    .orderBy('number', 'desc')
    .limit(slot<number>(1)),
);

const selectOldestFull = compileQuery((database) =>
  database
    .selectFrom('crls')
    .selectAll()
    .where('scope', '=', slot<string>(0))
    .where('base_number', 'is', null)
    .where('next_update', '>=', slot<number>(1))
    .where('number', '>=', slot<number>(2))
    .orderBy('number')
    .limit(slot<number>(3)),
);

const selectOldestPosition = compileQuery((database) =>
  database
    .selectFrom('crls')
    .select((select) => select.fn.min<number | null>('change_position').as('position'))
    .where('base_number', 'is', null)
    .where('scope', '!=', slot<string>(0)),
);

const takeNumber = compileQuery((database) =>
  database
    .insertInto('crl_numbers')
    .values({ scope: slot(0), number: slot(1) })
    .onConflict((conflict) =>
      conflict
        .column('scope')
        .doUpdateSet((row) => ({ number: row.ref('excluded.number') }))
        .whereRef('excluded.number', '>', 'crl_numbers.number'),
    ),
);

const selectNumber = compileQuery((database) =>
  database.selectFrom('crl_numbers').select('number').where('scope', '=', slot<string>(0)),
);

const selectScopes = compileQuery((database) =>
  database
    .selectFrom('crl_numbers')
    .select('scope')
    .where((expression) =>
      expression.exists(
        expression.selectFrom('crls').select('crls.number').whereRef('crls.scope', '=', 'crl_numbers.scope'),
      ),
    )
    .orderBy('scope'),
);

/**
 * While much changes, full CRLs come within seconds of each other. Of those that end so close together only the first is
 * kept, and it stays a base for so long after its end: until all of them are over.
 */
const crowdedMs = 60_000;

const removeCrowded = `delete from "crls" where "scope" = ? and "number" =
  (select max("number") from "crls" where "scope" = ? and "base_number" is null and "number" < ?)
  and "next_update" < ${crowdedMs} + (select "kept"."next_update" from "crls" as "kept"
    where "kept"."scope" = ? and "kept"."base_number" is null and "kept"."number" < "crls"."number"
    and "kept"."number" >= ? order by "kept"."number" desc limit 1)`;

/**
 * Records a CRL and forgets those that nobody needs any more: full ones that are over or from a time to come, and former
 * deltas.
 *
 * @param now epoch milliseconds
 */
export function recordCrl(crl: StoredCrl, now: number): readonly WriteOperation[] {
  const { scope, number, baseNumber, thisUpdate, nextUpdate, changePosition, entries, size, sha256 } = crl;
  return [
    {
      sql: insert.sql,
      parameters: [scope, number, baseNumber ?? null, thisUpdate, nextUpdate, changePosition, entries, size, sha256],
    },
    baseNumber === undefined
      ? { sql: removeEnded.sql, parameters: [scope, number, now - crowdedMs, thisUpdate] }
      : { sql: removeDeltas.sql, parameters: [scope, number] },
  ];
}

/**
 * Forgets the full CRL before this one when another one is kept that is a base for all who hold it: so there are no more
 * than one for each minute, however often a CRL is made.
 *
 * @param fromNumber full CRLs with a lower number are no base, see {@link findDeltaBase}
 */
export function forgetCrowdedCrl(
  { scope, number }: Pick<StoredCrl, 'scope' | 'number'>,
  fromNumber: number,
): WriteOperation {
  return { sql: removeCrowded, parameters: [scope, scope, number, scope, fromNumber] };
}

/** Forgets the CRLs of a scope that is not published any more. Its numbers stay taken. */
export function forgetCrls(scope: string): WriteOperation {
  return { sql: removeScope.sql, parameters: [scope] };
}

/** The newest full CRL of a scope, or its newest delta. Throws CoreError `unavailable`. */
export function findNewestCrl(store: StoreReader, scope: string, isDelta: boolean): StoredCrl | undefined {
  const row = store.one(isDelta ? selectNewestDelta : selectNewestFull, scope, 1);
  return row === undefined ? undefined : toStoredCrl(row);
}

/**
 * What a delta of the scope must start from: the oldest full CRL that relying parties may still hold, else the newest.
 * Throws CoreError `unavailable`.
 *
 * @param now epoch milliseconds
 * @param fromNumber full CRLs with a lower number have another issuingDistributionPoint than the delta, and are no base
 */
export function findDeltaBase(
  store: StoreReader,
  scope: string,
  now: number,
  fromNumber: number,
): StoredCrl | undefined {
  const row = store.one(selectOldestFull, scope, now - crowdedMs, fromNumber, 1);
  if (row !== undefined) return toStoredCrl(row);
  const newest = findNewestCrl(store, scope, false);
  return newest !== undefined && newest.number >= fromNumber ? newest : undefined;
}

/**
 * The position from which on status changes are still needed for deltas. Throws CoreError `unavailable`.
 *
 * @param withoutDeltas a scope that has none
 */
export function oldestChangePosition(store: StoreReader, withoutDeltas: string): number | undefined {
  return store.one(selectOldestPosition, withoutDeltas)?.position ?? undefined;
}

/** Takes a number. Fails with CoreError `conflict` when it, or a higher one, is taken. */
export function takeCrlNumber(scope: string, number: number): WriteOperation {
  return {
    sql: takeNumber.sql,
    parameters: [scope, number],
    expects: { rows: 1, otherwise: () => new CoreError('conflict', `CRL number ${number} of ${scope} is taken`) },
  };
}

/** The last number that was taken in a scope; 0 before the first. Throws CoreError `unavailable`. */
export function lastCrlNumber(store: StoreReader, scope: string): number {
  return store.one(selectNumber, scope)?.number ?? 0;
}

/** Scopes of which the core has signed CRLs that are not forgotten. Throws CoreError `unavailable`. */
export function listSignedScopes(store: StoreReader): readonly string[] {
  return store.all(selectScopes).map(({ scope }) => scope);
}

function toStoredCrl(row: CrlTable): StoredCrl {
  return {
    scope: row.scope,
    number: row.number,
    baseNumber: row.base_number ?? undefined,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    changePosition: row.change_position,
    entries: row.entries,
    size: row.size,
    sha256: row.sha256,
  };
}
