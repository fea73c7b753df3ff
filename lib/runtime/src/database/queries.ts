// Turns Kysely queries into SQL text once, when a module is loaded: on the hot path only parameters are made.
// Compiling a query costs more than running it, so nothing here may be called for each request.

import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  type Insertable,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

/** What a column takes and yields. Truth is 0 or 1. */
export type SqlValue = string | number | null | Uint8Array;

/** SQL that was compiled at load, and what a row of its answer looks like. */
export type Query<Row> = { readonly sql: string; readonly row?: Row };

/** Stands for the parameter with this index while a query is compiled. */
class Slot {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** The value of the `index`th parameter, counted from 0, wherever Kysely takes a value. */
export function slot<T extends SqlValue | bigint>(index: number): T {
  // Kysely passes values through untouched; compileQuery takes the slots out again.
  return new Slot(index) as unknown as T;
}

/** Compiles queries of one database. */
export type QueryCompiler<DB> = {
  /**
   * Compiles a query whose values are all slots, in the order in which they stand in the SQL.
   *
   * @throws {Error} at load when a value is no slot or is out of order
   */
  compileQuery<Row>(build: (database: Kysely<DB>) => Compilable<Row>): Query<Row>;
  /** Compiles the insertion of one row with the given columns; parameters come in the order of `columns`. */
  compileInsert<Table extends keyof DB & string>(
    table: Table,
    columns: readonly (keyof Insertable<DB[Table]> & string)[],
  ): Query<never>;
};

/** Compiles queries of the database whose tables are `DB`, with `?` for each parameter. */
export function createQueryCompiler<DB>(): QueryCompiler<DB> {
  const compiler = new Kysely<DB>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (database) => new SqliteIntrospector(database),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });

  function compileQuery<Row>(build: (database: Kysely<DB>) => Compilable<Row>): Query<Row> {
    const compiled: CompiledQuery<Row> = build(compiler).compile();
    compiled.parameters.forEach((parameter, index) => {
      if (!(parameter instanceof Slot) || parameter.index !== index) {
        throw new Error(`parameter ${index} of this query is not slot ${index}: ${compiled.sql}`);
      }
    });
    return { sql: compiled.sql };
  }

  return {
    compileQuery,
    compileInsert(table, columns) {
      const row = Object.fromEntries(columns.map((column, index) => [column, new Slot(index)]));
      return compileQuery<never>(
        (database) =>
          // The row holds slots for columns of this table, whatever their types are.
          (database as unknown as Kysely<Record<string, Record<string, unknown>>>)
            .insertInto(table)
            .values(row as never) as unknown as Compilable<never>,
      );
    },
  };
}
