// Queries of the gate's database, compiled when a module is loaded: nothing builds SQL while a request waits.

import { createQueryCompiler } from '@gatehouse/runtime/database/queries';
import type { Database } from './database.ts';

export { type Query, slot } from '@gatehouse/runtime/database/queries';

/** Those of this gate's database. */
export const { compileQuery, compileInsert } = createQueryCompiler<Database>();
