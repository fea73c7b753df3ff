// Tells a CoreError by its type, for assert.throws and assert.rejects.
import { CoreError, type CoreErrorType } from '@gatehouse/proto/core-error';

/** A predicate for errors of this type. */
export function isCoreError(code: CoreErrorType): (error: unknown) => boolean {
  return (error) => error instanceof CoreError && error.code === code;
}
