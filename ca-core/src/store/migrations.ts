// All steps from an empty database to the one that this code expects, by name, in order of their names.

import type { Migration } from '@gatehouse/runtime/database/migrate';
import { initial } from './migrations/0001-initial.ts';
import { status } from './migrations/0002-status.ts';
import { domainValidation } from './migrations/0003-domain-validation.ts';

/** For {@link migrate}. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-status': status,
  '0003-domain-validation': domainValidation,
};
