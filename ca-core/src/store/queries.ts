// Queries of the keep's database as SQL text, compiled once when a module is loaded.

import { createQueryCompiler } from '@gatehouse/runtime/database/queries';
import type { Database } from './database.ts';

export { createQueryCompiler, type Query, slot } from '@gatehouse/runtime/database/queries';

/** Those of the keep's database. */
export const { compileQuery, compileInsert } = createQueryCompiler<Database>();
