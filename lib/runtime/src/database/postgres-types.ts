// How values of PostgreSQL become ours: int8 is a number or an error, never rounded and never text.

import pg from 'pg';

const int8 = 20;
const numeric = 1700;

function readInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database holds the number ${text}, which is no safe integer`);
  return value;
}

/** For the `types` setting of `pg`. sum() of integers is numeric. */
export const postgresTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8 || oid === numeric ? readInteger : pg.types.getTypeParser(oid, format)),
};
