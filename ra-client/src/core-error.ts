// The error by which the keep refuses, for everyone on the gates' side of the bridge: gates import it from here and never from the contract itself.
// It adds nothing of its own, so that the two sides cannot drift apart.

export {
  CoreError,
  type CoreErrorOptions,
  type CoreErrorType,
  coreErrorTypes,
  type NameRefusal,
} from '@gatehouse/proto/core-error';
