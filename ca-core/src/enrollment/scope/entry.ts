/** What the entries of all kinds of scope have in common. */
import { CoreError } from '@gatehouse/proto/core-error';

/** The entry that allows every name of its kind. */
export const everything = '*';

/** The error for an entry that is none; `why` is to be read after the quoted entry. */
export function badEntry(entry: string, why: string): CoreError {
  return new CoreError('malformed', `scope: '${entry.slice(0, 256)}' ${why}`);
}
