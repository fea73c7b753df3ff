// What a call over a process's local control socket is refused with. The codes are few: whoever calls is a command of the
// same house on the same machine.

/** Why a call was refused. */
export type LocalControlErrorCode = 'bad-request' | 'not-found' | 'conflict' | 'internal';

/** A refused call. `message` is for the operator who made it. */
export class LocalControlError extends Error {
  override readonly name = 'LocalControlError';
  readonly code: LocalControlErrorCode;

  constructor(code: LocalControlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The HTTP status of each code, for both halves. */
export const statusOfError: Readonly<Record<LocalControlErrorCode, number>> = {
  'bad-request': 400,
  'not-found': 404,
  conflict: 409,
  internal: 500,
};
