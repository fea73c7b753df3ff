// Queries that take a list of values: compiled for a few lengths, and a shorter list is filled up with its last value.
// Never for lists of a length that a client could choose freely: an order has at most 100 names.

import { type Query, slot } from '@gatehouse/runtime/database/queries';
import type { SqlValue } from '@gatehouse/runtime/database/state-store';

const lengths = [1, 2, 4, 8, 16, 32, 64, 128] as const;

/** A query with its parameters, ready to be asked. */
export type ListQuery<Row> = { readonly query: Query<Row>; readonly parameters: readonly SqlValue[] };

/**
 * Compiles a query whose last parameters are a list.
 *
 * @param build gets the slots of the list, which begin at `first`
 * @returns a function that makes the parameters; the list has 1 to 128 values
 */
export function compileListQuery<Row>(
  first: number,
  build: (list: readonly string[]) => Query<Row>,
): (before: readonly SqlValue[], list: readonly string[]) => ListQuery<Row> {
  const queries = lengths.map((length) => ({
    length,
    query: build(Array.from({ length }, (_, i) => slot<string>(first + i))),
  }));
  return (before, list) => {
    const fitting = queries.find(({ length }) => length >= list.length);
    const last = list.at(-1);
    if (fitting === undefined || last === undefined) throw new RangeError(`no query for a list of ${list.length}`);
    const filling = new Array<string>(fitting.length - list.length).fill(last);
    return { query: fitting.query, parameters: [...before, ...list, ...filling] };
  };
}
