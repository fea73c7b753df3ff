// The object that Kysely's SQLite driver talks to, over node:sqlite: statements are prepared once and kept, least
// recently used out first. Values go through unchanged: integers beyond 2^53 are an error when read (store them as
// text), never rounded; BLOBs are Uint8Array.

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { toDatabaseError } from './error.ts';

/** Prepared statements of one connection, bounded. */
export class StatementCache implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #maximum: number;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync, maximum: number) {
    this.#database = database;
    this.#maximum = maximum;
  }

  /** How many statements are kept now. */
  get size(): number {
    return this.#statements.size;
  }

  /** @throws {DatabaseError} when the statement is wrong or the database cannot be read */
  prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = guarded(() => new CachedStatement(this.#database, sql));
    if (this.#statements.size >= this.#maximum) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }
}

class CachedStatement implements SqliteStatement {
  readonly reader: boolean;
  readonly #database: DatabaseSync;
  readonly #sql: string;
  readonly #statement: StatementSync;

  constructor(database: DatabaseSync, sql: string) {
    this.#database = database;
    this.#sql = sql;
    this.#statement = database.prepare(sql);
    this.reader = this.#statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return guarded(() => {
      const rows: unknown[] = this.#statement.all(...(parameters as SQLInputValue[]));
      // Rows come without a prototype; the rest of the world expects plain objects.
      for (let i = 0; i < rows.length; i++) rows[i] = { ...(rows[i] as object) };
      return rows;
    });
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    // SQLite rolls back by itself when the disk is full; the rollback that follows must not hide the first error behind
    // 'no transaction is active'.
    if (this.#sql === 'rollback' && !this.#database.isTransaction) return { changes: 0, lastInsertRowid: 0 };
    return guarded(() => this.#statement.run(...(parameters as SQLInputValue[])));
  }

  /** Rows one by one. A statement of its own: running a kept one again would end an iteration that is under way. */
  *iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    const rows = guarded(() => this.#database.prepare(this.#sql).iterate(...(parameters as SQLInputValue[])));
    for (let next = guarded(() => rows.next()); next.done !== true; next = guarded(() => rows.next())) {
      yield { ...next.value };
    }
  }
}

function guarded<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw toDatabaseError(error);
  }
}
