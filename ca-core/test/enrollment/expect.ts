/** What a refusal must be, for `assert.throws`. */
import assert from 'node:assert/strict';
import { CoreError, type CoreErrorType } from '@gatehouse/proto/core-error';

/** Accepts a CoreError of this type whose public detail fits. */
export function refusal(code: CoreErrorType, detail: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CoreError, String(error));
    assert.equal(error.code, code);
    assert.match(error.detail, detail);
    return true;
  };
}

export const badKey = (detail: RegExp) => refusal('bad-key', detail);
export const rejectedName = (detail: RegExp) => refusal('rejected-name', detail);
export const outOfScope = (detail: RegExp) => refusal('out-of-scope', detail);
